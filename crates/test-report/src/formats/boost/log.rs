//! The log: what happened in each test.
//!
//! A test that runs a framework of its own logs suites and tests inside itself; each counts.
//!
//! A test with an `Error` has failed. One with a `FatalError` or an `Exception` was aborted by it and is errored, as it
//! is in the report of the same run. An entry outside of tests (a fixture of a suite, or a log level that lists no tests)
//! is a problem. A suite that was skipped does not say how many tests are in it, and none are counted.

use std::time::Duration;

use report_input::cut;
use report_input::xml::Tag;

use super::Boost;
use crate::model::Outcome;

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
    pub(super) fn start_log_case(&mut self, tag: &Tag<'_>) {
        let is_skipped = tag.get("skipped").is_some_and(|skipped| skipped == "yes");
        self.begin_case(tag, if is_skipped { Outcome::Skipped } else { Outcome::Passed });
    }

    /// Something was wrong in the open test.
    pub(super) fn end_bad(&mut self, outcome: Outcome, text: &str) {
        let Some(case) = self.cases.last_mut() else { return };
        if outcome > case.outcome {
            case.outcome = outcome;
            case.scratch.message.clear();
            case.scratch.message.push_str(cut(text, self.reporter.limits.message));
        }
    }

    /// Something was wrong outside of tests.
    pub(super) fn end_loose(&mut self, text: &str) {
        let message = format!("{}an error outside of any test: {}", self.place(), cut(text, 500));
        self.reporter.suite_failed(self.path.as_str(), text, message);
    }

    /// Microseconds.
    pub(super) fn testing_time(&mut self, text: &str) {
        if let Some(case) = self.cases.last_mut() {
            case.scratch.duration = text.parse().ok().map(Duration::from_micros);
        }
    }
}
