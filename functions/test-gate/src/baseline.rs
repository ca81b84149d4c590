//! What a passing verdict leaves for the next execution to be compared with.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stagegate_verdict::{Share, TestCounts};

use crate::evidence::{Names, TestEvidence};

/// The evidence of the last passing verdict of a pipeline and gate, as far as it is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The pipeline execution that it is of, where known.
    pub execution: Option<String>,
    /// When its verdict was given.
    pub at: Timestamp,
    /// Its tests, where the policy judged any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestsBaseline>,
    /// Its lines, where the policy judged coverage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Share>,
}

/// The tests of a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestsBaseline {
    /// How many were skipped.
    pub skipped: u64,
    /// Digests of those that failed and were allowed to, in hexadecimal.
    failing: Vec<String>,
    /// All of them.
    pub(crate) names: Names,
}

impl TestsBaseline {
    pub(crate) fn of(evidence: &TestEvidence, counts: &TestCounts) -> Option<Self> {
        let names = evidence.watch.names()?;
        let (failing, _) = evidence.watch.failing_digests();
        let mut failing: Vec<_> = failing.into_iter().map(|digest| format!("{digest:016x}")).collect();
        failing.sort_unstable();
        Some(Self { skipped: counts.skipped, failing, names })
    }

    pub(crate) fn failing_digests(&self) -> HashSet<u64> {
        self.failing.iter().filter_map(|digest| u64::from_str_radix(digest, 16).ok()).collect()
    }
}
