//! The model into which every format is read.

use std::fmt;
use std::time::Duration;

use crate::format::Format;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It ran and everything it checked was right.
    Passed,
    /// It was not run, or not to its end, and that was intended: skipped, disabled, ignored, pending.
    Skipped,
    /// It ran and something it checked was wrong.
    Failed,
    /// It could not be run properly: setup, teardown, crash, timeout.
    Errored,
}

impl Outcome {
    /// Whether the test failed or errored.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Outcome::Failed | Outcome::Errored)
    }

    /// The worse of two outcomes of the same execution: errored, failed, skipped, passed.
    #[must_use]
    pub fn worse(self, other: Outcome) -> Outcome {
        self.max(other)
    }
}

/// One execution of a test, lent to a [`Sink`] for the time of one call.
///
/// Texts are decoded, and cut to [`Limits`](crate::Limits); what a format does not say is empty or `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestCase<'a> {
    /// The name of the test.
    pub name: &'a str,
    /// The class, module or file that the report names as its owner (`classname` in JUnit).
    pub class_name: &'a str,
    /// The names of the enclosing suites, outermost first, joined by ` > `; unnamed suites are left out.
    pub suite: &'a str,
    /// A number that is the same for two tests exactly if they stand in the same suite of the same report. Suites that
    /// share a name have different numbers. Numbers rise in the order in which suites begin.
    pub suite_number: u64,
    /// Whether an equal name in the same suite may be another attempt of the same test. Only for formats whose writers
    /// list each attempt as a test; elsewhere equal names are different tests.
    pub may_be_attempt: bool,
    /// The source file.
    pub file: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took.
    pub duration: Option<Duration>,
    /// Why it failed or was skipped.
    pub message: &'a str,
    /// How many earlier attempts of the same execution failed, where the report says so itself
    /// (Surefire's `flakyFailure` and `rerunFailure`, for example).
    pub failed_attempts: u32,
    /// When it started, as the report writes it.
    pub timestamp: &'a str,
}

impl<'a> TestCase<'a> {
    /// A test with nothing known but its name and outcome.
    #[must_use]
    pub fn new(name: &'a str, outcome: Outcome) -> Self {
        TestCase {
            name,
            class_name: "",
            suite: "",
            suite_number: 0,
            may_be_attempt: false,
            file: "",
            outcome,
            duration: None,
            message: "",
            failed_attempts: 0,
            timestamp: "",
        }
    }

    /// Whether it passed after failed attempts.
    #[must_use]
    pub fn is_flaky(&self) -> bool {
        self.outcome == Outcome::Passed && self.failed_attempts > 0
    }

    /// What people call the test: `class::name`, else `suite::name`, else the name.
    #[must_use]
    pub fn id(&self) -> String {
        let mut id = String::new();
        self.write_id(&mut id);
        id
    }

    /// Writes [`id`](Self::id) in place of what `id` holds, for callers that look at the ids of many tests.
    pub fn write_id(&self, id: &mut String) {
        let owner = if self.class_name.is_empty() { self.suite } else { self.class_name };
        let name = if self.name.is_empty() { "(unnamed)" } else { self.name };
        // Some writers put the class into the name as well.
        let repeated = name.strip_prefix(owner).is_some_and(|rest| rest.starts_with(['.', ':', ' ', '#', '/']));
        id.clear();
        if !owner.is_empty() && !repeated {
            id.push_str(owner);
            id.push_str("::");
        }
        id.push_str(name);
    }
}

/// Tests that a suite counts but does not list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedOnly<'a> {
    /// The suite, written as in [`TestCase::suite`].
    pub suite: &'a str,
    /// All tests, the skipped ones included.
    pub total: u64,
    /// Failed tests.
    pub failed: u64,
    /// Errored tests.
    pub errored: u64,
    /// Skipped tests.
    pub skipped: u64,
    /// How long the suite took.
    pub duration: Option<Duration>,
}

/// Something in a readable report that does not add up, or that no test accounts for.
///
/// A report with a problem must not pass: some evidence of failure is missing from its tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The report.
    pub source: String,
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// What is wrong, for people, without the report's name.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

/// What sort of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The report's own counters claim more tests, failures or errors than its tests show.
    CountersDisagree,
    /// A suite, fixture or run failed outside of any test.
    SuiteFailed,
    /// The report says that the run was not finished, was aborted, or some tests have no result.
    Incomplete,
    /// A value that decides about an outcome is not one that the format knows.
    UnknownValue,
}

/// What is known about a report after it was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFacts {
    /// The format in which it was read.
    pub format: Format,
    /// Bytes read.
    pub bytes: u64,
    /// Executions listed.
    pub cases: u64,
    /// Suites, groups or files of tests, empty ones included.
    pub suites: u64,
    /// The first time stamp in the report, as written; empty if there is none.
    pub timestamp: String,
}

/// Receives what a reader finds, in the order of the report.
pub trait Sink {
    /// A report begins. Everything up to the next call belongs to it.
    fn report(&mut self, source: &str, format: Format) {
        let _ = (source, format);
    }

    /// One execution of a test.
    fn case(&mut self, case: &TestCase<'_>);

    /// Tests that are counted but not listed: the counters are all the evidence there is.
    fn counted_only(&mut self, counted: &CountedOnly<'_>);

    /// When a suite began, as the report writes it. So far the reader of JUnit tells it of each suite, because such
    /// reports are put together from others.
    fn suite_timestamp(&mut self, timestamp: &str) {
        let _ = timestamp;
    }

    /// Something that must keep the report from passing.
    fn problem(&mut self, problem: Problem);
}
