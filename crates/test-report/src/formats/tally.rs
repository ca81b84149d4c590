//! What the readers of JSON and lines share: counting, cutting and reporting.

use std::time::Duration;

use report_input::{ErrorKind, ReportError, cut, shortened};

use super::support::OUTSIDE;
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{CountedOnly, Outcome, Problem, ProblemKind, ReportFacts, Sink, TestCase};

/// Hands tests and problems to a sink and counts them.
pub(crate) struct Tally<'a> {
    source: &'a str,
    limits: &'a Limits,
    sink: &'a mut dyn Sink,
    listed: Listed,
    has_unknown_value: bool,
    timestamp: String,
    /// Suites, groups or files of tests, empty ones included.
    pub(crate) suites: u64,
}

/// Tests that were handed on, by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) total: u64,
    pub(crate) passed: u64,
    pub(crate) skipped: u64,
    /// Failed and errored.
    pub(crate) bad: u64,
}

/// The report has more tests than [`Limits::tests`].
#[derive(Debug)]
pub(crate) struct TooMany(u64);

impl std::fmt::Display for TooMany {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the report has more than {} tests", self.0)
    }
}

impl<'a> Tally<'a> {
    pub(crate) fn new(source: &'a str, limits: &'a Limits, sink: &'a mut dyn Sink) -> Self {
        Tally {
            source,
            limits,
            sink,
            listed: Listed::default(),
            has_unknown_value: false,
            timestamp: String::new(),
            suites: 0,
        }
    }

    /// Hands a test on, with its texts cut to the limits.
    ///
    /// # Errors
    ///
    /// Fails when the report has more tests than it may.
    pub(crate) fn case(&mut self, case: &TestCase<'_>) -> Result<(), TooMany> {
        self.listed.total += 1;
        if self.listed.total > self.limits.tests {
            return Err(TooMany(self.limits.tests));
        }
        match case.outcome {
            Outcome::Passed => self.listed.passed += 1,
            Outcome::Skipped => self.listed.skipped += 1,
            Outcome::Failed | Outcome::Errored => self.listed.bad += 1,
        }
        let name = |text| shortened(text, self.limits.name);
        self.sink.case(&TestCase {
            name: &name(case.name),
            class_name: &name(case.class_name),
            suite: &name(case.suite),
            file: cut(case.file, self.limits.name),
            message: cut(case.message.trim(), self.limits.message),
            timestamp: cut(case.timestamp, 64),
            ..*case
        });
        Ok(())
    }

    /// Hands on tests that the report counts but does not list. They are not part of [`Tally::listed`].
    pub(crate) fn counted_only(&mut self, total: u64, bad: Bad, skipped: u64) {
        let (failed, errored) = match bad {
            Bad::Failed(count) => (count, 0),
            Bad::Errored(count) => (0, count),
        };
        if total > 0 {
            self.sink.counted_only(&CountedOnly { suite: "", total, failed, errored, skipped, duration: None });
        }
    }

    pub(crate) fn problem(&mut self, kind: ProblemKind, message: impl Into<String>) {
        let message = cut(&message.into(), self.limits.message).to_owned();
        self.sink.problem(Problem { source: self.source.to_owned(), kind, message });
    }

    /// Reports that something failed outside of any test: a problem, and an errored test beside those that are listed,
    /// so that nobody who looks at the totals only takes the report for a good one. It is not part of
    /// [`Tally::listed`], because the counters of reports do not count it.
    pub(crate) fn suite_failed(&mut self, message: &str) {
        let message = cut(message, self.limits.message);
        self.sink.case(&TestCase { message, ..TestCase::new(OUTSIDE, Outcome::Errored) });
        self.problem(ProblemKind::SuiteFailed, message);
    }

    /// Reports a value that the format does not know; only the first one of a report, because a writer that does so once
    /// does so in every test.
    pub(crate) fn unknown_value(&mut self, what: &str, value: &str, test: &str) {
        if !std::mem::replace(&mut self.has_unknown_value, true) {
            let value = cut(value, 60).escape_debug();
            let test = cut(test, 200);
            self.problem(ProblemKind::UnknownValue, format!("test {test}: the {what} \"{value}\" is not known"));
        }
    }

    pub(crate) fn listed(&self) -> Listed {
        self.listed
    }

    pub(crate) fn limits(&self) -> &'a Limits {
        self.limits
    }

    /// Notes a time stamp, if it is the first.
    pub(crate) fn note_timestamp(&mut self, timestamp: &str) {
        if self.timestamp.is_empty() {
            self.timestamp.push_str(cut(timestamp, 64));
        }
    }

    /// The kind of an error that ended the reading while this was filled.
    pub(crate) fn explain(&self, error: ReportError) -> ReportError {
        if self.listed.total > self.limits.tests {
            return ReportError::new(self.source, None, ErrorKind::Limit, TooMany(self.limits.tests).to_string());
        }
        error
    }

    pub(crate) fn finish(self, format: Format, bytes: u64) -> ReportFacts {
        ReportFacts { format, bytes, cases: self.listed.total, suites: self.suites, timestamp: self.timestamp }
    }
}

/// How tests that are only counted went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bad {
    Failed(u64),
    Errored(u64),
}

/// Counters of a header; `None` where the report does not state them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Claimed {
    pub(crate) tests: Option<u64>,
    pub(crate) bad: Option<u64>,
}

impl Claimed {
    /// How the counters claim more than is listed. Claiming less hides nothing, so it is no disagreement.
    pub(crate) fn disagreement(self, listed: Listed) -> Option<String> {
        let (tests, bad) = (self.tests.unwrap_or(0), self.bad.unwrap_or(0));
        if tests > listed.total {
            Some(format!("the report counts {tests} tests, but lists {}", listed.total))
        } else if bad > listed.bad {
            Some(format!("the report counts {bad} failed tests, but lists {}", listed.bad))
        } else {
            None
        }
    }
}

const CENTURY_SECONDS: f64 = 100.0 * 366.0 * 86_400.0;

/// A duration in seconds, unless it is negative, no number, or over a century.
pub(crate) fn seconds(seconds: f64) -> Option<Duration> {
    if seconds < CENTURY_SECONDS { Duration::try_from_secs_f64(seconds).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_kept_only_if_they_can_be_right() {
        for (number, expected) in
            [(1.5, Some(1500)), (0.0, Some(0)), (-1.0, None), (f64::NAN, None), (f64::INFINITY, None), (1e300, None)]
        {
            assert_eq!(seconds(number), expected.map(Duration::from_millis), "{number}");
        }
    }
}
