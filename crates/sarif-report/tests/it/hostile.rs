//! Logs that ask for too much.

use std::io::{self, BufReader, Read};
use std::time::{Duration, Instant};

use sarif_report::{ErrorKind, Limits, Summary, Which, read_sarif};

use crate::read;

#[test]
fn depth_and_strings_are_bounded() {
    let arrays = "[".repeat(1_000_000);
    for log in [
        format!(r#"{{"version":"2.1.0","properties":{arrays}"#),
        format!(r#"{{"version":"2.1.0","runs":[{{"results":[{{"properties":{{"security-severity":{arrays}"#),
        format!(r#"{{"version":"2.1.0","runs":[{{"results":[{{"message":{{"text":"{}"#, "x".repeat(17 << 20)),
    ] {
        let started = Instant::now();
        let error = read(log.as_bytes(), Which::All).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
        // Without optimisation, 16 MB of JSON take a second; a machine with other work to do may take many.
        assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
    }
}

#[test]
fn limits_are_errors() {
    let limits = Limits { results: 2, rules: 2, id: 8, ..Limits::default() };
    let log = |rules: &str, results: &str| {
        format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"x","rules":[{rules}]}}}},"results":[{results}]}}]}}"#
        )
    };
    for (what, log) in [
        ("three results", log("", r#"{"ruleId":"A"},{"ruleId":"A"},{"ruleId":"A"}"#)),
        ("three rules", log(r#"{"id":"A"},{"id":"B"},{"id":"C"}"#, "")),
        ("a long id of a rule", log(r#"{"id":"very long id"}"#, "")),
        ("a long id of a result", log("", r#"{"ruleId":"very long id"}"#)),
    ] {
        let error = read_sarif("log", log.as_bytes(), &limits, &mut Summary::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{what}: {error}");
    }
    let ways = Limits { rules: 2, ..Limits::default() };
    let named = log("", r#"{"ruleId":"A"},{"ruleId":"B"},{"ruleId":"C"}"#);
    let error = read_sarif("log", named.as_bytes(), &ways, &mut Summary::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[test]
fn numbers_are_taken_as_they_are() {
    let log = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x","rules":[
        {"id":"A","properties":{"security-severity":1e308}},{"id":"B","properties":{"security-severity":-5}}]}},
        "results":[{"ruleId":"A","ruleIndex":-1,"level":"note"},{"ruleIndex":9223372036854775807,"level":"note"},
        {"ruleId":"B","level":"note","locations":[{"physicalLocation":{"region":{"startLine":-7}}}]},
        {"ruleId":"A","level":"note","provenance":{"invocationIndex":-1}}]}]}"#;
    let (_, summary) = read(log.as_bytes(), Which::All).unwrap();
    assert_eq!((summary.counts().note, summary.counts().critical, summary.problem_count()), (4, 3, 1));
}

/// A log of `results` results that is made while it is read.
struct Endless {
    results: u64,
    at: u64,
    pending: Vec<u8>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.pending.is_empty() {
            self.at += 1;
            let text = match self.at {
                1 => r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":["#.to_owned(),
                at if at < self.results + 1 => format!(r#"{{"ruleId":"R{}","message":{{"text":"text"}}}},"#, at % 100),
                at if at == self.results + 1 => r#"{"ruleId":"R","message":{"text":"last"}}]}]}"#.to_owned(),
                _ => String::new(),
            };
            self.pending = text.into_bytes();
        }
        let length = self.pending.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.pending[..length]);
        self.pending.drain(..length);
        Ok(length)
    }
}

#[test]
fn results_are_counted_and_forgotten() {
    let log = Endless { results: 100_000, at: 0, pending: Vec::new() };
    let mut summary = Summary::default();
    read_sarif("log", BufReader::new(log), &Limits::default(), &mut summary).unwrap();
    assert_eq!(summary.counts().warning, 100_000);
    assert_eq!(summary.findings().len(), 50);
}
