//! A gate that judges reports.

use serde::Deserialize;

use crate::gate::Fault;
use crate::{CoveragePolicy, Length, SarifPolicy, TestsPolicy};

/// What the reports of an execution must show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestGate {
    /// What test reports must show.
    pub tests: Option<TestsPolicy>,
    /// What coverage reports must show.
    pub coverage: Option<CoveragePolicy>,
    /// What static analysis may find.
    pub sarif: Option<SarifPolicy>,
    /// How old the evidence may be.
    pub provenance: Option<Provenance>,
    /// What a rule that compares with the baseline says where there is none yet.
    pub without_baseline: WithoutBaseline,
}

/// How old the evidence may be, by the times that the reports state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::provenance))]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Reports must be younger than the start of the pipeline execution. The action's UserParameters must name
    /// `pipeline` and `execution`.
    #[serde(default)]
    pub since_execution: bool,
    /// Reports must not be older than this.
    #[serde(default)]
    pub max_age: Option<Length>,
}

/// What a rule that compares with the baseline says where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WithoutBaseline {
    /// It passes; the execution is recorded, and the next one is judged by it.
    #[default]
    Pass,
    /// It fails.
    Fail,
    /// It asks a person.
    Inconclusive,
}

impl TestGate {
    /// What is wrong with the gate as a whole, if anything; its parts are checked while they are read.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let fault = |path: &[&str], what: &str| Some(Fault::new(path, what));
        if self.tests.is_none() && self.coverage.is_none() && self.sarif.is_none() {
            let what = "has no rule, so it could pass without looking at anything; add `tests`, `coverage` or `sarif`";
            return fault(&[], what);
        }
        if self.tests.as_ref().is_some_and(|tests| tests.reports.is_empty() && tests.codebuild.is_none()) {
            let what = "has `tests` that name no report; add `reports` such as [\"**/TEST-*.xml\"], or `codebuild`";
            return fault(&["tests"], what);
        }
        if self.provenance.is_some_and(|provenance| !provenance.since_execution && provenance.max_age.is_none()) {
            let what = "has a `provenance` that asks for nothing; add `since_execution: true` or `max_age`";
            return fault(&["provenance"], what);
        }
        let reads_files = |tests: &TestsPolicy| !tests.reports.is_empty();
        let has_files = self.tests.as_ref().is_some_and(reads_files) || self.coverage.is_some() || self.sarif.is_some();
        if self.provenance.is_some() && !has_files {
            let what = "has a `provenance`, which looks at report files, and reads none; the report groups of `codebuild` are those of the build that the action names";
            return fault(&["provenance"], what);
        }
        None
    }

    /// Whether a rule compares with the baseline.
    pub fn compares(&self) -> bool {
        let drop = self.coverage.as_ref().is_some_and(|coverage| coverage.max_drop.is_some());
        drop || self.tests.as_ref().is_some_and(TestsPolicy::compares)
    }
}
