//! What a passing verdict leaves for the next execution to be compared with.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stagegate_verdict::{Share, TestCounts};

use crate::evidence::{Digests, Names, TestEvidence};

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
    /// Digests of those that failed and were allowed to.
    pub(crate) failing: Digests,
    /// All of them.
    pub(crate) names: Names,
}

impl TestsBaseline {
    pub(crate) fn of(evidence: &TestEvidence, counts: &TestCounts, names: Option<Names>) -> Option<Self> {
        let names = names?;
        Some(Self { skipped: counts.skipped, failing: evidence.watch.failing_digests(), names })
    }
}
