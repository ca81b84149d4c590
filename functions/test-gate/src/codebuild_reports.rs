//! What CodeBuild's report groups hold of one build.

use stagegate_verdict::TestCounts;

/// The test reports of one build.
#[derive(Clone, Debug)]
pub struct BuildReports {
    /// The build's id, for messages.
    pub build: String,
    /// Its test reports.
    pub reports: Vec<BuildReport>,
    /// The sum of their summaries, which count the cases that CodeBuild does not keep as well.
    pub counts: TestCounts,
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
