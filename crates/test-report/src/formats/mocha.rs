//! JSON of mocha's `json` reporter.
//!
//! * The tests are the elements of `passes`, `failures` and `pending`. `tests` lists most of them a second time and is
//!   only counted: nothing in it says whether a test without an error passed or is pending.
//! * Mocha knows failures, no errors. A failed hook stands in `failures` but not in `tests`; it is errored.
//! * `currentRetry` is the number of failed attempts before the one that is listed.
//! * Tests that stand in `tests` alone (some tools leave `passes` out) are counted as passed as far as `stats` says so,
//!   else as errored with a problem.
//! * `stats` must not claim more tests or failures than are listed.

use report_input::{Input, Opening, ReportError};
use serde::Deserialize;
use serde::de::MapAccess;

use super::members::{Members, Number, Object, Text, each};
use super::tally::{Bad, Claimed, Tally, TooMany, seconds};
use super::{Entry, document};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::Mocha, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let keys = opening.json_keys();
    keys.contains(&"stats")
        && !keys.contains(&"results")
        && (keys.iter().any(|key| matches!(*key, "tests" | "passes" | "failures" | "pending"))
            || opening.text().contains("\"passes\""))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut report = Report {
        tally: Tally::new(input.source(), limits, sink),
        stats: None,
        tests: None,
        with_error: 0,
        passes: false,
        failures: false,
        hooks: 0,
    };
    let parsed = document::parse(input, Object(&mut report));
    let tally = report.tally;
    let ((), bytes) = parsed.map_err(|error| tally.explain(error))?;
    Ok(tally.finish(Format::Mocha, bytes))
}

struct Report<'a> {
    tally: Tally<'a>,
    stats: Option<Stats>,
    /// Elements of `tests`.
    tests: Option<u64>,
    /// Elements of `tests` that hold an error.
    with_error: u64,
    passes: bool,
    failures: bool,
    /// Elements of `failures` that are hooks.
    hooks: u64,
}

#[derive(Debug, Deserialize)]
struct Stats {
    suites: Option<u64>,
    tests: Option<u64>,
    passes: Option<u64>,
    failures: Option<u64>,
    #[serde(default)]
    start: Text,
}

#[derive(Debug, Deserialize)]
struct Test {
    #[serde(default)]
    title: Text,
    #[serde(default, rename = "fullTitle")]
    full_title: Text,
    #[serde(default)]
    file: Text,
    #[serde(default)]
    duration: Number,
    #[serde(rename = "currentRetry")]
    current_retry: Option<u32>,
    #[serde(default)]
    err: TestError,
}

/// The error of a test; `{}` if there is none.
#[derive(Debug, Default)]
struct TestError {
    is_there: bool,
    message: Text,
    stack: Text,
}

impl Members for TestError {
    const WHAT: &'static str = "the error of a test";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        self.is_there = true;
        match name {
            "message" => self.message = object.next_value()?,
            "stack" => self.stack = object.next_value()?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for TestError {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut error = TestError::default();
        serde::de::DeserializeSeed::deserialize(Object(&mut error), deserializer)?;
        Ok(error)
    }
}

impl Members for Report<'_> {
    const WHAT: &'static str = "a report of mocha";

    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error> {
        match name {
            "stats" => {
                let stats: Stats = object.next_value()?;
                self.tally.note_timestamp(&stats.start);
                self.tally.suites = stats.suites.unwrap_or(0);
                self.stats = Some(stats);
            }
            "tests" => {
                let mut count = 0;
                object.next_value_seed(each(|test: Test| {
                    count += 1;
                    self.with_error += u64::from(test.err.is_there);
                    Ok::<(), TooMany>(())
                }))?;
                self.tests = Some(count);
            }
            "passes" => {
                object.next_value_seed(each(|test: Test| self.take(&test, Outcome::Passed)))?;
                self.passes = true;
            }
            "failures" => {
                object.next_value_seed(each(|test: Test| self.take(&test, Outcome::Failed)))?;
                self.failures = true;
            }
            "pending" => object.next_value_seed(each(|test: Test| self.take(&test, Outcome::Skipped)))?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(stats) = &self.stats else { return Err("the report has no \"stats\"".to_owned()) };
        let claimed = Claimed { tests: stats.tests, bad: stats.failures };
        let stated_passes = stats.passes.unwrap_or(0);
        if !self.passes && !self.failures && self.tests.is_none() {
            return Err("the report has none of \"tests\", \"passes\" and \"failures\"".to_owned());
        }
        let listed = self.tally.listed();
        let only_in_tests = self.tests.unwrap_or(0).saturating_sub(listed.total - self.hooks);
        let unlisted_errors = self.with_error.saturating_sub(listed.bad - self.hooks);
        let may_have_passed = if self.passes { 0 } else { only_in_tests.saturating_sub(unlisted_errors) };
        let errored = only_in_tests - may_have_passed.min(stated_passes);
        self.tally.counted_only(only_in_tests, Bad::Errored(errored), 0);
        let mut listed = self.tally.listed();
        listed.total += only_in_tests;
        let message = if errored > 0 {
            Some(format!("{errored} of the tests stand in none of \"passes\", \"failures\" and \"pending\""))
        } else if unlisted_errors > 0 {
            Some(format!("{} of the tests hold an error, but {} failures are listed", self.with_error, listed.bad))
        } else {
            claimed.disagreement(listed)
        };
        if let Some(message) = message {
            self.tally.problem(ProblemKind::CountersDisagree, message);
        }
        Ok(())
    }
}

impl Report<'_> {
    fn take(&mut self, test: &Test, outcome: Outcome) -> Result<(), TooMany> {
        let is_hook = outcome == Outcome::Failed && is_hook(&test.title);
        self.hooks += u64::from(is_hook);
        let outcome = match outcome {
            Outcome::Failed if is_hook => Outcome::Errored,
            Outcome::Passed | Outcome::Skipped if is_test_error(test) => Outcome::Failed,
            outcome => outcome,
        };
        let around = test.full_title.strip_suffix(&*test.title).unwrap_or_default().trim_end();
        let error = &test.err;
        self.tally.case(&TestCase {
            class_name: around,
            suite: around,
            suite_number: 1,
            file: &test.file,
            duration: test.duration.0.and_then(|milliseconds| seconds(milliseconds / 1000.0)),
            message: if error.message.trim().is_empty() { &error.stack } else { &error.message },
            failed_attempts: test.current_retry.unwrap_or(0),
            ..TestCase::new(if test.title.is_empty() { &test.full_title } else { &test.title }, outcome)
        })
    }
}

/// Whether a test that stands among the passed or pending ones has failed all the same.
fn is_test_error(test: &Test) -> bool {
    !test.err.message.is_empty() || !test.err.stack.is_empty()
}

/// Whether the title is one that mocha gives to hooks.
fn is_hook(title: &str) -> bool {
    ["\"before all\" hook", "\"before each\" hook", "\"after each\" hook", "\"after all\" hook"]
        .iter()
        .any(|hook| title.starts_with(hook))
}
