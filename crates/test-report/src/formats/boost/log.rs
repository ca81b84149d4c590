//! The log: what happened in each test.
//!
//! A test with an `Error` has failed. One with a `FatalError` or an `Exception` was aborted by it and is errored, as it
//! is in the report of the same run. An entry outside of tests (a fixture of a suite, or a log level that lists no tests)
//! is a problem. A suite that was skipped does not say how many tests are in it, and none are counted.

use std::time::Duration;

use super::Boost;
use crate::limits::cut;
use crate::model::{Outcome, ProblemKind, TestCase};
use crate::xml::{Fault, Tag};

/// What an entry of the log means for its test.
pub(super) fn bad(name: &str) -> Option<Outcome> {
    match name {
        "Error" => Some(Outcome::Failed),
        "FatalError" | "Exception" | "SystemError" => Some(Outcome::Errored),
        _ => None,
    }
}

/// Whether an element may stand right inside the root.
pub(super) fn is_known(name: &str) -> bool {
    matches!(name, "TestSuite" | "TestCase" | "BuildInfo" | "Info" | "Message" | "Warning") || bad(name).is_some()
}

impl Boost<'_> {
    pub(super) fn start_log_suite(&mut self, tag: &Tag<'_>) {
        self.begin(tag);
        self.enter_suite();
    }

    pub(super) fn start_log_case(&mut self, tag: &Tag<'_>) {
        self.begin(tag);
        self.outcome = if is_skipped(tag) { Outcome::Skipped } else { Outcome::Passed };
    }

    pub(super) fn end_log_case(&mut self) -> Result<(), Fault> {
        let case = self.scratch.as_case(self.outcome, self.path.as_str(), self.reporter.suites);
        self.reporter.case(&TestCase { file: &self.file, ..case })
    }

    /// Something was wrong in the open test.
    pub(super) fn end_bad(&mut self, outcome: Outcome, text: &str) {
        if outcome > self.outcome {
            self.outcome = outcome;
            self.scratch.message.clear();
            self.scratch.message.push_str(cut(text, self.reporter.limits.message));
        }
    }

    /// Something was wrong outside of tests.
    pub(super) fn end_loose(&mut self, text: &str) {
        let message = format!("{}an error outside of any test: {}", self.place(), cut(text, 500));
        self.reporter.problem(ProblemKind::SuiteFailed, message);
    }

    /// Microseconds (since Boost 1.34; the timer's resolution before).
    pub(super) fn testing_time(&mut self, text: &str) {
        self.scratch.duration = text.parse().ok().map(Duration::from_micros);
    }
}

fn is_skipped(tag: &Tag<'_>) -> bool {
    tag.get("skipped").is_some_and(|skipped| skipped == "yes")
}
