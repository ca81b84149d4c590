//! Reports in the report groups of a CodeBuild build.

use std::collections::HashMap;

use aws_sdk_codebuild::Client;
use aws_sdk_codebuild::types::{Report, ReportStatusType, ReportType, TestCase};
use codepipeline_job::{Failure, FailureCause};
use stagegate_config::{CodeBuildReports, UserParameters};
use stagegate_verdict::TestCounts;

use crate::codebuild_reports::{BuildCase, BuildReport, BuildReports, CaseOutcome, ReportState};

/// The most report ARNs of one BatchGetReports, and the most cases of one page (AWS model).
const PAGE: usize = 100;
/// The most cases that are asked for of one report; CodeBuild keeps 500 (AWS CodeBuild guide, test reports).
const MAX_CASES: usize = 2_000;

/// What became of asking.
pub(crate) enum Gathered {
    /// All reports are there.
    Ready(BuildReports),
    /// CodeBuild is still making this report.
    Generating(String),
}

/// Reads the test reports of the build that the policy or the parameters name.
///
/// # Errors
///
/// If no build is named, if it is none of the project, or if CodeBuild does not answer.
pub(crate) async fn gather(
    client: &Client,
    wanted: &CodeBuildReports,
    parameters: &UserParameters,
) -> Result<Gathered, Failure> {
    let build = wanted.build.as_deref().or(parameters.build.as_deref()).ok_or_else(|| {
        Failure::configuration(
            "failed to find the reports in CodeBuild: nothing names the build; add \"build\":\"#{Build.CODEBUILD_BUILD_ID}\" to \
             UserParameters and CODEBUILD_BUILD_ID to the exported variables of the buildspec",
        )
    })?;
    let (build, arn, reports) = reports_of(client, &wanted.project, build).await?;
    let mut gathered = BuildReports { build, ..BuildReports::default() };
    for chunk in reports.chunks(PAGE) {
        let answer = client.batch_get_reports().set_report_arns(Some(chunk.to_vec())).send().await.map_err(aws)?;
        for report in answer.reports().iter().filter(|report| report.r#type() == Some(&ReportType::Test)) {
            if report.status() == Some(&ReportStatusType::Generating) {
                return Ok(Gathered::Generating(report.name().unwrap_or("a report").to_owned()));
            }
            add(client, &mut gathered, report, &arn).await?;
        }
        for missing in answer.reports_not_found() {
            gathered.reports.push(unusable(missing, "is gone; reports are kept for 30 days"));
        }
    }
    Ok(Gathered::Ready(gathered))
}

/// The id and ARN of a build, and the ARNs of its reports.
async fn reports_of(client: &Client, project: &str, id: &str) -> Result<(String, String, Vec<String>), Failure> {
    // BatchGetBuilds takes ids and ARNs.
    let answer = client.batch_get_builds().ids(id).send().await.map_err(aws)?;
    let Some(build) = answer.builds().first() else {
        let message = format!("failed to find the build {id} in CodeBuild; is it of this account and Region?");
        return Err(Failure::configuration(message));
    };
    let of = build.project_name().unwrap_or_default();
    if of != project {
        return Err(Failure::configuration(format!(
            "failed to take the reports of the build {id}: it is of the project {of:?}, the policy names {project:?}"
        )));
    }
    let arn = build.arn().unwrap_or_default().to_owned();
    Ok((build.id().unwrap_or(id).to_owned(), arn, build.report_arns().to_vec()))
}

async fn add(client: &Client, gathered: &mut BuildReports, report: &Report, build: &str) -> Result<(), Failure> {
    let name = report.name().or(report.arn()).unwrap_or("a report");
    let (state, counts) = state(report, build);
    gathered.reports.push(BuildReport { name: name.to_owned(), state });
    let Some(counts) = counts else { return Ok(()) };
    gathered.counts.total += counts.total;
    gathered.counts.passed += counts.passed;
    gathered.counts.failed += counts.failed;
    gathered.counts.errored += counts.errored;
    gathered.counts.skipped += counts.skipped;
    gathered.counts.duration_ms += counts.duration_ms;
    cases(client, gathered, report.arn().unwrap_or_default()).await
}

fn unusable(name: &str, reason: &'static str) -> BuildReport {
    BuildReport { name: name.to_owned(), state: ReportState::Unusable(reason) }
}

/// Whether a report can be judged, and its figures.
fn state(report: &Report, build: &str) -> (ReportState, Option<TestCounts>) {
    let bad = |reason| (ReportState::Unusable(reason), None);
    if report.execution_id() != Some(build) {
        return bad("is of another build");
    }
    match report.status() {
        Some(ReportStatusType::Succeeded | ReportStatusType::Failed) => {}
        Some(ReportStatusType::Incomplete) => return bad("is INCOMPLETE: CodeBuild could not read all of its files"),
        Some(ReportStatusType::Deleting) => return bad("is being deleted"),
        _ => return bad("has a status that is not known"),
    }
    let Some(summary) = report.test_summary() else { return bad("has no test summary") };
    let states: HashMap<&str, u64> =
        summary.status_counts().iter().map(|(state, count)| (state.as_str(), natural(*count))).collect();
    let of = |state: &str| states.get(state).copied().unwrap_or_default();
    let counts = TestCounts {
        total: natural(summary.total()),
        passed: of("SUCCEEDED"),
        failed: of("FAILED"),
        // What ended in no known way did not pass.
        errored: of("ERROR") + of("UNKNOWN"),
        skipped: of("SKIPPED"),
        flaky: 0,
        duration_ms: u64::try_from(summary.duration_in_nano_seconds()).unwrap_or_default() / 1_000_000,
    };
    if counts.total != counts.passed + counts.broken() + counts.skipped {
        return bad("counts other tests than it gives states for");
    }
    (ReportState::Complete, Some(counts))
}

fn natural(count: i32) -> u64 {
    u64::try_from(count).unwrap_or_default()
}

/// The cases that CodeBuild keeps, for their names. The figures come from the summary, which counts all.
async fn cases(client: &Client, gathered: &mut BuildReports, report: &str) -> Result<(), Failure> {
    let mut pages = client
        .describe_test_cases()
        .report_arn(report)
        .max_results(i32::try_from(PAGE).unwrap_or(100))
        .into_paginator()
        .send();
    let mut left = MAX_CASES;
    while let Some(page) = pages.next().await {
        for case in page.map_err(aws)?.test_cases().iter().take(left) {
            left -= 1;
            gathered.cases.push(build_case(case));
        }
        if left == 0 {
            break;
        }
    }
    Ok(())
}

fn build_case(case: &TestCase) -> BuildCase {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    BuildCase {
        suite: text(case.test_suite_name()),
        class_name: text(case.prefix()),
        name: text(case.name()),
        outcome: match case.status() {
            Some("SUCCEEDED") => CaseOutcome::Passed,
            Some("FAILED") => CaseOutcome::Failed,
            Some("SKIPPED") => CaseOutcome::Skipped,
            _ => CaseOutcome::Errored,
        },
        message: text(case.message()),
    }
}

fn aws<E>(error: aws_sdk_codebuild::error::SdkError<E, aws_sdk_codebuild::config::http::HttpResponse>) -> Failure
where
    E: aws_sdk_codebuild::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    let message = format!("failed to read the reports in CodeBuild: {}", error.failure_message());
    Failure::new(error.failure_kind(), message)
}
