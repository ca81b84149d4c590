//! SARIF logs.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use sarif_report::{Counts, Finding, Limits, LogFacts, Problem, ReportError, Summary, Which, is_sarif, read_sarif};

fuzz_target!(|log: &[u8]| {
    let _ = is_sarif(log);
    let whole = Found::read(log, Which::All);
    assert_eq!(whole, Found::read(log, Which::All), "reading again gives something else");
    let mut summary = Summary::default();
    let facts = read_sarif("log", BufReader::with_capacity(7, log), &Limits::default(), &mut summary);
    assert_eq!(whole, Found::new(facts, &summary), "reading by parts gives something else");
    whole.check();
    let new = Found::read(log, Which::OnlyNew);
    new.check();
    assert_eq!(whole.facts, new.facts, "what counts changes how the log is read");
    assert!(new.counts.total() <= whole.counts.total(), "all: {whole:?}, new: {new:?}");
    if whole.facts.is_ok() {
        check_damaged(log, &whole);
    }
});

/// Everything that a caller can learn from a log.
#[derive(Debug, PartialEq)]
struct Found {
    facts: Result<LogFacts, ReportError>,
    counts: Counts,
    findings: Vec<Finding>,
    problems: Vec<Problem>,
}

impl Found {
    fn read(log: &[u8], which: Which) -> Found {
        let mut summary = Summary::keeping(which, 50);
        let facts = read_sarif("log", log, &Limits::default(), &mut summary);
        Found::new(facts, &summary)
    }

    fn new(facts: Result<LogFacts, ReportError>, summary: &Summary) -> Found {
        Found {
            facts,
            counts: summary.counts(),
            findings: summary.findings().to_vec(),
            problems: summary.problems().to_vec(),
        }
    }

    /// What holds for every log, readable or not.
    fn check(&self) {
        let Counts { critical, high, medium, low, .. } = self.counts;
        assert!(critical + high + medium + low <= self.counts.total(), "{self:?}");
        assert!(self.findings.len() as u64 <= self.counts.total(), "{self:?}");
        match &self.facts {
            Ok(facts) => {
                assert!(self.counts.total() <= facts.results && facts.scanned_runs <= facts.runs, "{self:?}");
                assert!(facts.scanned_runs == facts.runs && facts.runs > 0 || !self.problems.is_empty(), "{self:?}");
            }
            Err(error) => {
                assert!(!error.detail().is_empty() && error.to_string().starts_with("read log"), "{error}");
                assert!(error.to_string().len() < 8192, "{error}");
            }
        }
    }
}

/// A log that was cut short, or has something after its end, is not read as another log.
fn check_damaged(log: &[u8], whole: &Found) {
    let cut = Found::read(&log[..place(log)], Which::All);
    let is_same = cut.counts == whole.counts && cut.problems == whole.problems;
    assert!(cut.facts.is_err() || is_same, "a log that was cut short is read: {cut:?}, whole: {whole:?}");
    let longer = Found::read(&[log, b"<"].concat(), Which::All);
    assert!(longer.facts.is_err(), "a log with something after its end is read: {longer:?}");
}

/// A place in the log that depends on all of it.
fn place(log: &[u8]) -> usize {
    let hash = log
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash >> 32).unwrap_or_default() % log.len()
}
