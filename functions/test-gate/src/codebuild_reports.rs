//! What CodeBuild's report groups hold of one build.

use stagegate_verdict::TestCounts;

/// The test reports of one build.
#[derive(Clone, Debug, Default)]
pub struct BuildReports {
    /// The build's id, for messages.
    pub build: String,
    /// Its test reports.
    pub reports: Vec<BuildReport>,
    /// The sum of their summaries, which count the cases that CodeBuild does not keep as well.
    pub counts: TestCounts,
    /// The cases that CodeBuild keeps: at most 500 of a report, failed ones first.
    pub cases: Vec<BuildCase>,
}

/// One report of a report group.
#[derive(Clone, Debug)]
pub struct BuildReport {
    /// The report's name.
    pub name: String,
    /// Whether it can be judged.
    pub state: ReportState,
}

/// Whether a report can be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportState {
    /// It is complete.
    Complete,
    /// It is not, for this reason.
    Unusable(&'static str),
}

/// One test of a report.
#[derive(Clone, Debug)]
pub struct BuildCase {
    /// The suite's name.
    pub suite: String,
    /// What CodeBuild calls the prefix: the class or module.
    pub class_name: String,
    /// The test's name.
    pub name: String,
    /// How it ended.
    pub outcome: CaseOutcome,
    /// Why it failed.
    pub message: String,
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// It ended in an error, or nobody knows how.
    Errored,
    /// It did not run.
    Skipped,
}
