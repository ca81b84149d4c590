//! The verdict: findings, figures and where they came from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{BaselineRef, CheckCounts, Coverage, Finding, Outcome, SarifCounts, TestCounts};

/// The version of the document that this crate writes.
const VERSION: u32 = 1;

/// What a gate found about one execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Document", into = "Document")]
pub struct Verdict {
    document: Document,
}

/// The execution that was judged, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Execution {
    /// The pipeline's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pipeline: Option<String>,
    /// The stage's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// The pipeline execution's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution: Option<String>,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Where it came from, for example `Reports:reports/TEST-login.xml`.
    pub source: String,
    /// Its digest, for example `crc32:8d2f1a40` (the ZIP's own check sum) or `sha256:...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// The stored form. Its `outcome` is what was written; [`Verdict`] trusts its findings more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    gate: String,
    outcome: Outcome,
    summary: String,
    findings: Vec<Finding>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tests: Option<TestCounts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sarif: Option<SarifCounts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checks: Option<CheckCounts>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<Evidence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    baseline: Option<BaselineRef>,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pipeline: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stage: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    execution: Option<String>,
}

/// Why a stored document is no verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A later Stagegate wrote it.
    #[error("read the verdict: it has version {0}, this Stagegate knows {VERSION}; upgrade the function that reads it")]
    Version(u32),
}

impl TryFrom<Document> for Verdict {
    type Error = DocumentError;

    fn try_from(mut document: Document) -> Result<Self, Self::Error> {
        if document.version != VERSION {
            return Err(DocumentError::Version(document.version));
        }
        document.outcome = document.outcome.max(weigh(&document.findings));
        Ok(Self { document })
    }
}

impl From<Verdict> for Document {
    fn from(verdict: Verdict) -> Self {
        verdict.document
    }
}

/// The worst of the findings that decide. Where none decides, nothing was judged, and that is not passed.
fn weigh(findings: &[Finding]) -> Outcome {
    findings.iter().filter(|finding| !finding.shadow).map(|finding| finding.outcome).max().unwrap_or(Outcome::Failed)
}

/// Collects what a gate finds.
#[derive(Clone, Debug)]
pub struct VerdictBuilder {
    gate: String,
    execution: Execution,
    findings: Vec<Finding>,
    tests: Option<TestCounts>,
    coverage: Option<Coverage>,
    sarif: Option<SarifCounts>,
    checks: Option<CheckCounts>,
    evidence: Vec<Evidence>,
    baseline: Option<BaselineRef>,
}

impl VerdictBuilder {
    /// Begins the verdict of the gate named `gate` about `execution`.
    pub fn new(gate: impl Into<String>, execution: Execution) -> Self {
        Self {
            gate: gate.into(),
            execution,
            findings: Vec::new(),
            tests: None,
            coverage: None,
            sarif: None,
            checks: None,
            evidence: Vec::new(),
            baseline: None,
        }
    }

    /// Adds a finding.
    pub fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Sets the figures of the test reports.
    pub fn tests(&mut self, tests: TestCounts) {
        self.tests = Some(tests);
    }

    /// Sets the figures of the coverage reports.
    pub fn coverage(&mut self, coverage: Coverage) {
        self.coverage = Some(coverage);
    }

    /// Sets the figures of static analysis.
    pub fn sarif(&mut self, sarif: SarifCounts) {
        self.sarif = Some(sarif);
    }

    /// Sets the figures of the smoke tests.
    pub fn checks(&mut self, checks: CheckCounts) {
        self.checks = Some(checks);
    }

    /// Sets what the evidence was compared with.
    pub fn baseline(&mut self, baseline: BaselineRef) {
        self.baseline = Some(baseline);
    }

    /// Adds something that was looked at.
    pub fn evidence(&mut self, evidence: Evidence) {
        self.evidence.push(evidence);
    }

    /// The verdict, given at the time `at`. Without a single finding that decides, it is failed.
    pub fn build(mut self, at: Timestamp) -> Verdict {
        if self.findings.iter().all(|finding| finding.shadow) {
            let message = "nothing was judged: no rule that decides applies";
            self.findings.push(Finding::new("gate", Outcome::Failed, message));
        }
        let outcome = weigh(&self.findings);
        let summary = self.summarise(outcome);
        let Execution { pipeline, stage, execution } = self.execution;
        let document = Document {
            version: VERSION,
            gate: self.gate,
            outcome,
            summary,
            findings: self.findings,
            tests: self.tests,
            coverage: self.coverage,
            sarif: self.sarif,
            checks: self.checks,
            evidence: self.evidence,
            baseline: self.baseline,
            at,
            pipeline,
            stage,
            execution,
        };
        Verdict { document }
    }

    /// The message of the worst findings, in the order in which they were found; the figures where all is well.
    fn summarise(&self, outcome: Outcome) -> String {
        if outcome != Outcome::Passed {
            let worst = self.findings.iter().filter(|finding| finding.weight() == outcome);
            return worst.map(|finding| finding.message.as_str()).collect::<Vec<_>>().join("; ");
        }
        let tests = self.tests.as_ref().map(crate::render::tests_line);
        let coverage = self.coverage.as_ref().map(crate::render::coverage_line);
        let sarif = self.sarif.as_ref().map(crate::render::sarif_line);
        let checks = self.checks.as_ref().map(crate::render::checks_line);
        let figures: Vec<_> = [tests, coverage, sarif, checks].into_iter().flatten().collect();
        if !figures.is_empty() {
            return figures.join("; ");
        }
        // One rule speaks for itself.
        let deciding: Vec<_> = self.findings.iter().filter(|finding| !finding.shadow).collect();
        match deciding.as_slice() {
            [one] => one.message.clone(),
            several => format!("{} rules passed", several.len()),
        }
    }
}

impl Verdict {
    /// The gate's name.
    pub fn gate(&self) -> &str {
        &self.document.gate
    }

    /// The outcome: never better than the worst finding that decides.
    pub fn outcome(&self) -> Outcome {
        self.document.outcome
    }

    /// One line for people.
    pub fn summary(&self) -> &str {
        &self.document.summary
    }

    /// The findings, in the order of the rules.
    pub fn findings(&self) -> &[Finding] {
        &self.document.findings
    }

    /// The figures of the test reports, where there were any.
    pub fn tests(&self) -> Option<&TestCounts> {
        self.document.tests.as_ref()
    }

    /// The figures of the coverage reports, where there were any.
    pub fn coverage(&self) -> Option<&Coverage> {
        self.document.coverage.as_ref()
    }

    /// The figures of static analysis, where there were any.
    pub fn sarif(&self) -> Option<&SarifCounts> {
        self.document.sarif.as_ref()
    }

    /// The figures of the smoke tests, where there were any.
    pub fn checks(&self) -> Option<&CheckCounts> {
        self.document.checks.as_ref()
    }

    /// What the evidence was compared with, where it was.
    pub fn baseline(&self) -> Option<&BaselineRef> {
        self.document.baseline.as_ref()
    }

    /// What was looked at.
    pub fn evidence(&self) -> &[Evidence] {
        &self.document.evidence
    }

    /// When it was given.
    pub fn at(&self) -> Timestamp {
        self.document.at
    }

    /// The pipeline's name, where known.
    pub fn pipeline(&self) -> Option<&str> {
        self.document.pipeline.as_deref()
    }

    /// The pipeline execution's id, where known.
    pub fn execution(&self) -> Option<&str> {
        self.document.execution.as_deref()
    }

    /// The output variables of the action: `outcome`, `summary`, `gate` and the figures.
    pub fn output_variables(&self) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from([
            ("outcome".to_owned(), self.outcome().to_string()),
            ("summary".to_owned(), self.summary_line()),
            ("gate".to_owned(), self.gate().to_owned()),
        ]);
        if let Some(tests) = self.tests() {
            let figures = [
                ("total", tests.total),
                ("passed", tests.passed),
                ("failed", tests.failed),
                ("errored", tests.errored),
                ("skipped", tests.skipped),
                ("flaky", tests.flaky),
            ];
            variables.extend(figures.map(|(name, figure)| (format!("tests_{name}"), figure.to_string())));
        }
        if let Some(Coverage { line, branch }) = self.coverage() {
            let figures = [("line", line), ("branch", branch)];
            variables.extend(figures.map(|(name, share)| (format!("coverage_{name}"), share.percent.clone())));
        }
        if let Some(sarif) = self.sarif() {
            let figures = [("error", sarif.error), ("warning", sarif.warning), ("note", sarif.note)];
            variables.extend(figures.map(|(name, figure)| (format!("sarif_{name}"), figure.to_string())));
        }
        if let Some(checks) = self.checks() {
            let figures = [
                ("total", checks.total),
                ("passed", checks.passed),
                ("degraded", checks.degraded),
                ("failed", checks.failed),
                ("requests", checks.requests),
            ];
            variables.extend(figures.map(|(name, figure)| (format!("checks_{name}"), figure.to_string())));
        }
        variables
    }
}
