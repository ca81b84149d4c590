//! The figures of test reports.

use serde::{Deserialize, Serialize};

/// How many tests there were and how they ended. `total` is `passed + failed + errored + skipped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCounts {
    /// All tests.
    pub total: u64,
    /// Tests that passed, the flaky ones included.
    pub passed: u64,
    /// Tests whose assertion did not hold.
    pub failed: u64,
    /// Tests that ended in an error of another kind.
    pub errored: u64,
    /// Tests that did not run.
    pub skipped: u64,
    /// Tests that failed and then passed on a rerun.
    pub flaky: u64,
    /// The time of all tests by the reports, in milliseconds.
    #[serde(default)]
    pub duration_ms: u64,
}

impl TestCounts {
    /// Tests that failed or ended in an error.
    pub fn broken(&self) -> u64 {
        self.failed.saturating_add(self.errored)
    }

    /// Tests that ran: all but the skipped ones.
    pub fn ran(&self) -> u64 {
        self.total.saturating_sub(self.skipped)
    }
}
