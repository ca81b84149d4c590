//! JSON of googletest (`--gtest_output=json`), as written since version 1.8.1.
//!
//! * A test failed if it has `failures`, whatever else it says.
//! * `NOTRUN` (a disabled test) and the results `SKIPPED` and `SUPPRESSED` are skipped.
//! * A failure outside of tests (in the set-up of a suite, or of the environment) is written as a test without a name; it
//!   is errored.
//! * The counters must not claim more tests or failures than are listed; they leave out the tests without a name.
//! * What `--gtest_list_tests` writes has no results and is refused.

use report_input::{Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::MapAccess;

use super::members::{Members, Object, Objects, Text, each};
use super::tally::{Claimed, Listed, Tally, TooMany};
use super::{Entry, document};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};
use crate::time;

pub(crate) const ENTRY: Entry = Entry { format: Format::GoogleTest, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let keys = opening.json_keys();
    keys.contains(&"testsuites") && keys.contains(&"tests")
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let suites = Suites {
        tally: Tally::new(input.source(), limits, sink),
        name: String::new(),
        claimed: Claimed::default(),
        before: Listed::default(),
        explained: false,
    };
    let mut report = Report { suites, claimed: Claimed::default(), has_suites: false };
    let parsed = document::parse(input, Object(&mut report));
    let tally = report.suites.tally;
    let ((), bytes) = parsed.map_err(|error| tally.explain(error))?;
    Ok(tally.finish(Format::GoogleTest, bytes))
}

/// Reads a counter of a suite or of the report; `errors` is always 0 in what googletest writes.
fn counter<'de, A: MapAccess<'de>>(claimed: &mut Claimed, name: &str, object: &mut A) -> Result<bool, A::Error> {
    match name {
        "tests" => claimed.tests = object.next_value()?,
        "failures" | "errors" => {
            let count: Option<u64> = object.next_value()?;
            claimed.bad = Some(claimed.bad.unwrap_or(0).saturating_add(count.unwrap_or(0)));
        }
        _ => return Ok(false),
    }
    Ok(true)
}

struct Report<'a> {
    suites: Suites<'a>,
    claimed: Claimed,
    has_suites: bool,
}

impl Members for Report<'_> {
    const WHAT: &'static str = "a googletest report";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "testsuites" => {
                object.next_value_seed(Objects(&mut self.suites))?;
                self.has_suites = true;
            }
            "timestamp" => self.suites.tally.note_timestamp(&object.next_value::<Text>()?),
            _ => return counter(&mut self.claimed, name, object),
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), String> {
        if !self.has_suites {
            return Err("the report has no \"testsuites\"".to_owned());
        }
        if let Some(message) = self.claimed.disagreement(self.suites.tally.listed()).filter(|_| !self.suites.explained)
        {
            self.suites.tally.problem(ProblemKind::CountersDisagree, message);
        }
        Ok(())
    }
}

struct Suites<'a> {
    tally: Tally<'a>,
    name: String,
    claimed: Claimed,
    before: Listed,
    /// A suite disagrees already.
    explained: bool,
}

impl Members for Suites<'_> {
    const WHAT: &'static str = "a googletest suite";

    fn begin(&mut self) {
        self.tally.suites += 1;
        self.name.clear();
        self.claimed = Claimed::default();
        self.before = self.tally.listed();
    }

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "name" => self.name = object.next_value::<Text>()?.0,
            "testsuite" => object.next_value_seed(each(|test: Test| self.take(&test)))?,
            _ => return counter(&mut self.claimed, name, object),
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), String> {
        let after = self.tally.listed();
        let listed = Listed { total: after.total - self.before.total, bad: after.bad - self.before.bad, ..after };
        if let Some(message) = self.claimed.disagreement(listed) {
            self.explained = true;
            self.tally.problem(ProblemKind::CountersDisagree, format!("suite {}: {message}", self.name));
        }
        Ok(())
    }
}

#[derive(Debug, Deserialize)]
struct Test {
    #[serde(default)]
    name: Text,
    #[serde(default)]
    classname: Text,
    #[serde(default)]
    file: Text,
    status: Option<String>,
    result: Option<String>,
    #[serde(default)]
    time: Text,
    #[serde(default)]
    timestamp: Text,
    #[serde(default)]
    failures: Failures,
    #[serde(default)]
    skipped: Skipped,
}

/// What failed in a test; only the first message is kept.
#[derive(Debug, Default)]
struct Failures {
    count: u64,
    first: String,
}

#[derive(Debug, Deserialize)]
struct Failure {
    #[serde(default)]
    failure: Text,
}

impl<'de> Deserialize<'de> for Failures {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut failures = Failures::default();
        let receive = |failure: Failure| {
            failures.count += 1;
            if failures.count == 1 {
                failures.first = failure.failure.0;
            }
            Ok::<(), String>(())
        };
        serde::de::DeserializeSeed::deserialize(each(receive), deserializer)?;
        Ok(failures)
    }
}

/// Why a test was skipped.
#[derive(Debug, Default)]
struct Skipped(String);

#[derive(Debug, Deserialize)]
struct Reason {
    #[serde(default)]
    message: Text,
}

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut skipped = Skipped::default();
        let receive = |reason: Reason| {
            if skipped.0.is_empty() {
                skipped.0 = reason.message.0;
            }
            Ok::<(), String>(())
        };
        serde::de::DeserializeSeed::deserialize(each(receive), deserializer)?;
        Ok(skipped)
    }
}

impl Suites<'_> {
    fn take(&mut self, test: &Test) -> Result<(), String> {
        let Some(status) = test.status.as_deref() else {
            return Err(format!("test {} has no status: this is a list of tests, not a report", &*test.name));
        };
        let outcome = if test.failures.count > 0 {
            if test.name.is_empty() { Outcome::Errored } else { Outcome::Failed }
        } else {
            match (status, test.result.as_deref()) {
                ("RUN", None | Some("COMPLETED")) => Outcome::Passed,
                ("RUN" | "NOTRUN", Some("SKIPPED" | "SUPPRESSED")) | ("NOTRUN", None) => Outcome::Skipped,
                ("RUN" | "NOTRUN", Some(result)) => self.unknown("result", result, &test.name),
                _ => self.unknown("status", status, &test.name),
            }
        };
        let message = if test.failures.count > 0 { &test.failures.first } else { &test.skipped.0 };
        self.tally
            .case(&TestCase {
                class_name: &test.classname,
                suite: &self.name,
                suite_number: self.tally.suites,
                file: &test.file,
                duration: time::seconds(&test.time),
                message,
                timestamp: &test.timestamp,
                ..TestCase::new(&test.name, outcome)
            })
            .map_err(|error: TooMany| error.to_string())
    }

    fn unknown(&mut self, what: &str, value: &str, test: &str) -> Outcome {
        self.tally.unknown_value(what, value, test);
        Outcome::Errored
    }
}
