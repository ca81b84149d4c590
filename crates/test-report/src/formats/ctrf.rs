//! Common Test Report Format (ctrf.io), versions 0 and 1 of its schema.
//!
//! * Each element of `results.tests` is one test; the schema lists a test once, with its `retries` as a number.
//! * `passed`, `failed` and `skipped` are what they say, `pending` is skipped, `other` is errored: it stands for what the
//!   tool's own status says better, an interrupted or undefined test for example, and is never a success.
//! * `flaky: true` or `retries` on a passed test is a flaky test.
//! * `results.summary` must not claim more tests or failures than are listed.

use report_input::{Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::MapAccess;

use super::members::{Members, Number, Object, Text, each};
use super::tally::{Bad, Claimed, Tally, TooMany, seconds};
use super::{Entry, document};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::Ctrf, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let keys = opening.json_keys();
    let holds_object = |(at, key): (usize, &str)| {
        let rest = opening.text()[at + key.len()..].trim_start();
        rest.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with('{'))
    };
    keys.contains(&"results")
        && opening.text().match_indices("\"results\"").next().is_some_and(holds_object)
        && (keys.contains(&"reportFormat")
            || ["\"summary\"", "\"tests\"", "\"tool\""].iter().any(|key| opening.text().contains(key)))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let tally = Tally::new(input.source(), limits, sink);
    let mut report = Report { results: Results { tally, summary: None, has_tests: false }, has_results: false };
    let parsed = document::parse(input, Object(&mut report));
    let mut tally = report.results.tally;
    let ((), bytes) = parsed.map_err(|error| tally.explain(error))?;
    tally.suites = 1;
    Ok(tally.finish(Format::Ctrf, bytes))
}

struct Report<'a> {
    results: Results<'a>,
    has_results: bool,
}

impl Members for Report<'_> {
    const WHAT: &'static str = "a CTRF report";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "results" => {
                object.next_value_seed(Object(&mut self.results))?;
                self.has_results = true;
            }
            "timestamp" => self.results.tally.note_timestamp(&object.next_value::<Text>()?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), String> {
        if self.has_results { Ok(()) } else { Err("the report has no \"results\"".to_owned()) }
    }
}

#[derive(Debug, Deserialize)]
struct Summary {
    tests: Option<u64>,
    passed: Option<u64>,
    failed: Option<u64>,
    skipped: Option<u64>,
    pending: Option<u64>,
    other: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Test {
    #[serde(default)]
    name: Text,
    status: String,
    #[serde(default)]
    duration: Number,
    #[serde(default)]
    message: Text,
    #[serde(default)]
    trace: Text,
    #[serde(default)]
    suite: Suite,
    #[serde(default, rename = "filePath")]
    file_path: Text,
    retries: Option<u32>,
    flaky: Option<bool>,
}

/// The suites around a test: an array of names, or one name in older versions of the schema.
#[derive(Debug, Default)]
struct Suite(String);

impl<'de> Deserialize<'de> for Suite {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> serde::de::Visitor<'de> for Names {
            type Value = Suite;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a suite or an array of such names")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Suite, E> {
                Ok(Suite(name.to_owned()))
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Suite, E> {
                Ok(Suite::default())
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut array: A) -> Result<Suite, A::Error> {
                let mut path = String::new();
                while let Some(name) = array.next_element::<Text>()? {
                    if !path.is_empty() && !name.is_empty() {
                        path.push_str(" > ");
                    }
                    path.push_str(&name);
                }
                Ok(Suite(path))
            }
        }
        deserializer.deserialize_any(Names)
    }
}

struct Results<'a> {
    tally: Tally<'a>,
    summary: Option<Summary>,
    has_tests: bool,
}

impl Members for Results<'_> {
    const WHAT: &'static str = "the \"results\" of a CTRF report";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "summary" => self.summary = Some(object.next_value()?),
            "tests" => {
                object.next_value_seed(each(|test: Test| take(&mut self.tally, &test)))?;
                self.has_tests = true;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(summary) = &self.summary else { return Err("the report has no \"summary\"".to_owned()) };
        if !self.has_tests {
            return Err("the report has no \"tests\"".to_owned());
        }
        let count = |counter: Option<u64>| counter.unwrap_or(0);
        let bad = count(summary.failed).saturating_add(count(summary.other));
        let skipped = count(summary.skipped).saturating_add(count(summary.pending));
        let all = count(summary.passed).saturating_add(bad).saturating_add(skipped);
        let claimed = Claimed { tests: summary.tests.or(Some(all)), bad: Some(bad) };
        let listed = self.tally.listed();
        if let Some(message) = claimed.disagreement(listed) {
            if listed.total == 0 {
                self.tally.counted_only(count(claimed.tests), Bad::Failed(bad), skipped);
            }
            self.tally.problem(ProblemKind::CountersDisagree, message);
        }
        Ok(())
    }
}

fn take(tally: &mut Tally<'_>, test: &Test) -> Result<(), TooMany> {
    let outcome = match test.status.as_str() {
        "passed" => Outcome::Passed,
        "failed" => Outcome::Failed,
        "skipped" | "pending" => Outcome::Skipped,
        "other" => Outcome::Errored,
        unknown => {
            tally.unknown_value("status", unknown, &test.name);
            Outcome::Errored
        }
    };
    let attempts = test.retries.unwrap_or(0).max(u32::from(test.flaky == Some(true)));
    tally.case(&TestCase {
        suite: &test.suite.0,
        suite_number: 1,
        file: &test.file_path,
        duration: test.duration.0.and_then(|milliseconds| seconds(milliseconds / 1000.0)),
        message: if test.message.is_empty() { &test.trace } else { &test.message },
        failed_attempts: attempts,
        ..TestCase::new(&test.name, outcome)
    })
}
