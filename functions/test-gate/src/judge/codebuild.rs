//! What CodeBuild's report groups say, and whether the files agree with them.

use stagegate_config::CodeBuildReports;
use stagegate_verdict::{Finding, Outcome, TestCounts, grouped};

use super::LISTED;
use super::words::{first, plural};
use crate::codebuild_reports::{BuildReports, ReportState};

const NAME: &str = "tests.codebuild";

/// Evidence that the policy asks for and that nobody looked at says nothing about the release.
pub(super) fn not_read(wanted: &CodeBuildReports) -> Finding {
    let message = format!(
        "the report groups of the project {:?} were not read, so nothing tells what they say; the function in a \
         pipeline reads them",
        wanted.project
    );
    Finding::new(NAME, Outcome::Inconclusive, message)
}

/// `counted` are the figures of everything: of the files where there are files, else of the report groups.
pub(super) fn judge(build: &BuildReports, counted: &TestCounts, has_files: bool) -> Finding {
    let place = format!("build {}", build.build);
    if build.reports.is_empty() {
        let message = format!("{place} has no test report; declare one under `reports` in its buildspec");
        return Finding::new(NAME, Outcome::Failed, message);
    }
    let unusable = build.reports.iter().filter_map(|report| match report.state {
        ReportState::Complete => None,
        ReportState::Unusable(reason) => Some(format!("{} {reason}", report.name)),
    });
    let unusable: Vec<_> = unusable.collect();
    let (bad, all) = (unusable.len() as u64, plural(build.reports.len() as u64, "report"));
    if bad > 0 {
        let message = format!("{} of {all} of {place} cannot be used: {}", grouped(bad), first(&unusable, bad));
        return Finding::new(NAME, Outcome::Failed, message).about(unusable.into_iter().take(LISTED));
    }
    let figures = |counts: &TestCounts| {
        format!(
            "{}, {} failed, {} skipped",
            plural(counts.total, "test"),
            grouped(counts.broken()),
            grouped(counts.skipped)
        )
    };
    let same = |counts: &TestCounts| (counts.total, counts.broken(), counts.skipped);
    if has_files && same(&build.counts) != same(counted) {
        let message = format!(
            "the report groups of {place} and the report files disagree: {} there, {} in the files",
            figures(&build.counts),
            figures(counted)
        );
        return Finding::new(NAME, Outcome::Failed, message);
    }
    let agree = if has_files { ", as the report files say" } else { "" };
    Finding::new(NAME, Outcome::Passed, format!("{all} of {place}: {}{agree}", figures(&build.counts)))
}
