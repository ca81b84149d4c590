//! The judgement: policy and evidence in, verdict out. Nothing here reads, waits or answers.

mod codebuild;
mod comparison;
mod coverage;
mod files;
mod provenance;
mod sarif;
mod tests;
mod words;

use jiff::Timestamp;
use stagegate_config::TestGate;
use stagegate_verdict::{BaselineRef, Evidence as Source, Execution, Finding, Verdict, VerdictBuilder};

use crate::baseline::{Baseline, TestsBaseline};
use crate::codebuild_reports::BuildReports;
use crate::evidence::Evidence;

/// How many subjects a finding lists.
const LISTED: usize = 20;

/// The rules that a verdict of this gate may hold.
pub const RULES: [&str; 34] = [
    "tests.reports",
    "tests.min_files",
    "tests.readable",
    "tests.consistent",
    "tests.codebuild",
    "tests.allow_empty",
    "tests.min_total",
    "tests.infrastructure_failure_above",
    "tests.max_failed",
    "tests.min_pass_rate",
    "tests.max_skipped",
    "tests.max_flaky",
    "tests.max_duration",
    "tests.required",
    "tests.quarantine",
    "tests.max_newly_failed",
    "tests.max_vanished",
    "tests.max_skipped_growth",
    "coverage.reports",
    "coverage.min_files",
    "coverage.readable",
    "coverage.consistent",
    "coverage.min_line",
    "coverage.min_branch",
    "coverage.max_drop",
    "sarif.reports",
    "sarif.min_files",
    "sarif.readable",
    "sarif.consistent",
    "sarif.max_error",
    "sarif.max_warning",
    "sarif.max_note",
    "sarif.max_security_severity",
    "provenance",
];

/// What one execution is judged by, beside the reports.
#[derive(Debug, Default)]
pub struct Circumstances<'a> {
    /// The execution.
    pub execution: Execution,
    /// When it began, where the policy asks for it.
    pub started: Option<Timestamp>,
    /// The last passing verdict of the same pipeline and gate.
    pub baseline: Option<&'a Baseline>,
    /// The reports of a CodeBuild build, where the policy names a project.
    pub build: Option<BuildReports>,
}

/// A verdict, and what it leaves for the next execution to be compared with.
#[derive(Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// The baseline, if the verdict has passed.
    pub baseline: Baseline,
}

/// Judges the evidence of one execution by the policy of the gate named `gate`.
pub fn judge(
    gate: &str,
    policy: &TestGate,
    mut evidence: Evidence,
    around: Circumstances<'_>,
    at: Timestamp,
) -> Judged {
    let mut verdict = VerdictBuilder::new(gate, around.execution.clone());
    let mut baseline = Baseline { execution: around.execution.execution.clone(), at, tests: None, coverage: None };
    for file in evidence.files() {
        verdict.evidence(Source { source: file.source.clone(), digest: file.digest.clone() });
    }
    let comparing = comparison::Comparing { baseline: around.baseline, otherwise: policy.without_baseline, at };
    if policy.compares()
        && let Some(known) = around.baseline
    {
        verdict.baseline(BaselineRef { execution: known.execution.clone(), at: known.at });
    }
    let names = evidence.tests.as_mut().and_then(|tests| tests.watch.take_names());
    let mut findings = Vec::new();
    if let (Some(provenance), false) = (&policy.provenance, evidence.files().next().is_none()) {
        findings.push(provenance::judge(provenance, &evidence, around.started, at));
    }
    if let (Some(rules), Some(tests)) = (&policy.tests, &evidence.tests) {
        let judged = tests::judge(rules, tests, around.build.as_ref(), &evidence.places, &comparing, names.as_ref());
        if let Some(counts) = judged.counts {
            verdict.tests(counts);
        }
        baseline.tests = TestsBaseline::of(tests, &judged.counts.unwrap_or_default(), names);
        findings.extend(judged.findings);
    }
    if let (Some(rules), Some(coverage)) = (&policy.coverage, evidence.coverage) {
        let judged = coverage::judge(rules, coverage, &evidence.places, &comparing);
        if let Some(figures) = judged.figures {
            baseline.coverage = Some(figures.line.clone());
            verdict.coverage(figures);
        }
        findings.extend(judged.findings);
    }
    if let (Some(rules), Some(sarif)) = (&policy.sarif, &evidence.sarif) {
        let judged = sarif::judge(rules, sarif, &evidence.places);
        if let Some(counts) = judged.counts {
            verdict.sarif(counts);
        }
        findings.extend(judged.findings);
    }
    debug_assert!(findings.iter().all(|finding: &Finding| RULES.contains(&finding.rule.as_str())), "{findings:?}");
    findings.into_iter().for_each(|finding| verdict.finding(finding));
    Judged { verdict: verdict.build(at), baseline }
}
