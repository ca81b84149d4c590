//! The figures of reports.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::percent;

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

/// A part of a whole, such as covered lines of coverable ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The part.
    pub covered: u64,
    /// The whole.
    pub total: u64,
    /// The part in percent of the whole, rounded down to two digits; `0` of nothing.
    pub percent: String,
}

impl Share {
    /// `covered` of `total`.
    pub fn new(covered: u64, total: u64) -> Self {
        Self { covered, total, percent: percent(covered, total) }
    }
}

/// Code coverage over all reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Lines.
    pub line: Share,
    /// Branches; a total of 0 where no report counts them.
    pub branch: Share,
}

/// Results of static analysis that count, by level.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SarifCounts {
    /// Level `error`.
    pub error: u64,
    /// Level `warning`.
    pub warning: u64,
    /// Level `note`.
    pub note: u64,
}

/// How many smoke tests there were and how they ended. `total` is `passed + degraded + failed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckCounts {
    /// Files and checks.
    pub total: u64,
    /// Those that passed.
    pub passed: u64,
    /// Those that kept all limits but the ones of `degraded`.
    pub degraded: u64,
    /// Those that failed or could not be run.
    pub failed: u64,
    /// The requests that were sent, redirects and repetitions included; a check without HTTP counts as none.
    #[serde(default)]
    pub requests: u64,
    /// How long all took together, in milliseconds.
    #[serde(default)]
    pub duration_ms: u64,
}

/// The earlier verdict that this one was compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaselineRef {
    /// The pipeline execution that it is of, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
    /// When it was given.
    pub at: Timestamp,
}
