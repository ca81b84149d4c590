//! Reports.

use std::time::Duration;

use coverage_report::Coverage;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use stagegate_local_actions::{BuildStatus, ReportRecord};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page, without_nulls};

use crate::contents::{Contents, Tests, is_coverage};
use crate::{CodeBuild, SERVICE, found_and_missing, invalid_input, is_ascending, not_found, text, texts};

/// A report expires 30 days after it was made (AWS CodeBuild guide, "Working with reports").
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A report and the build that made it.
pub(crate) struct Report {
    pub(crate) record: ReportRecord,
    build_arn: String,
    pub(crate) build_status: BuildStatus,
}

impl Report {
    pub(crate) fn expired(&self) -> Timestamp {
        self.record.created.saturating_add(KEPT_FOR).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn is_coverage(&self) -> bool {
        is_coverage(&self.record.file_format)
    }
}

/// `ReportType` of the AWS model.
pub(crate) fn report_type(record: &ReportRecord) -> &'static str {
    if is_coverage(&record.file_format) { "CODE_COVERAGE" } else { "TEST" }
}

impl CodeBuild {
    /// All reports, in the order in which they were made.
    fn reports(&self) -> Vec<Report> {
        let of_build = |build: stagegate_local_actions::BuildRecord| {
            let (build_arn, build_status) = (build.arn, build.status);
            build.reports.into_iter().map(move |record| Report { record, build_arn: build_arn.clone(), build_status })
        };
        let mut reports: Vec<_> = self.builds.list().into_iter().flat_map(of_build).collect();
        reports.sort_by_key(|report| report.record.created);
        reports
    }

    /// The report of this ARN.
    ///
    /// # Errors
    ///
    /// If the text is no report's ARN.
    pub(crate) fn report(&self, arn: &str) -> Result<Option<Report>, ApiError> {
        check_arn(arn, "report")?;
        Ok(self.reports().into_iter().find(|report| report.record.arn == arn))
    }

    pub(crate) fn batch_get_reports(&self, input: &Value) -> Result<Value, ApiError> {
        texts(input, "reportArns").try_for_each(|arn| check_arn(arn, "report"))?;
        let reports = self.reports();
        let find = |arn: &str| reports.iter().find(|report| report.record.arn == arn);
        let (found, missing) =
            found_and_missing(texts(input, "reportArns"), |arn| find(arn).map(|report| self.describe(report)));
        Ok(json!({"reports": found, "reportsNotFound": missing}))
    }

    pub(crate) fn list_reports(&self, input: &Value) -> Result<Value, ApiError> {
        self.list("ListReports", self.reports(), input)
    }

    pub(crate) fn list_reports_for_report_group(&self, input: &Value) -> Result<Value, ApiError> {
        let group = text(input, "reportGroupArn");
        check_arn(group, "report-group")?;
        let mut reports = self.reports();
        reports.retain(|report| report.record.report_group_arn == group);
        if reports.is_empty() {
            return Err(not_found("report group", group));
        }
        self.list("ListReportsForReportGroup", reports, input)
    }

    fn list(&self, operation: &'static str, mut reports: Vec<Report>, input: &Value) -> Result<Value, ApiError> {
        if !is_ascending(input, false) {
            reports.reverse();
        }
        if let Some(status) = input["filter"]["status"].as_str() {
            reports.retain(|report| self.status(report) == status);
        }
        let arns = reports.into_iter().map(|report| (report.record.arn.clone(), report.record.arn.into()));
        page(&SERVICE, &Page { operation, output: "reports", default_size: 100 }, input, arns)
    }

    fn status(&self, report: &Report) -> &'static str {
        self.contents(report).map_or("GENERATING", |contents| contents.status())
    }

    /// A `Report` of the AWS model.
    fn describe(&self, report: &Report) -> Value {
        let contents = self.contents(report);
        let (tests, coverage) = match contents.as_deref() {
            Some(Contents::Tests(tests)) => (Some(test_summary(tests)), None),
            Some(Contents::Coverage(merged)) => (None, Some(Value::Object(figures(merged.coverage())))),
            Some(Contents::Unusable) | None => (None, None),
        };
        let truncated = matches!(contents.as_deref(), Some(Contents::Tests(tests)) if tests.is_truncated());
        without_nulls(json!({
            "arn": report.record.arn,
            "type": report_type(&report.record),
            "name": report.record.report_group,
            "reportGroupArn": report.record.report_group_arn,
            "executionId": report.build_arn,
            "status": contents.as_deref().map_or("GENERATING", Contents::status),
            "created": epoch_seconds(report.record.created),
            "expired": epoch_seconds(report.expired()),
            "exportConfig": {"exportConfigType": "NO_EXPORT"},
            "truncated": truncated,
            "testSummary": tests,
            "codeCoverageSummary": coverage,
        }))
    }
}

fn test_summary(tests: &Tests) -> Value {
    let counts: Map<_, _> = tests.counts().map(|(status, count)| (status.to_owned(), count.into())).collect();
    json!({
        "total": tests.total(),
        "statusCounts": counts,
        "durationInNanoSeconds": nanoseconds(tests.duration()),
    })
}

/// A duration as the `long` of the AWS model.
pub(crate) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// The figures of lines and branches. Nothing to cover has no percentage.
pub(crate) fn figures(coverage: Coverage) -> Map<String, Value> {
    let mut figures = Map::new();
    for (one, many, count) in [("line", "lines", coverage.line), ("branch", "branches", coverage.branch)] {
        if let Some(percent) = count.percent() {
            figures.insert(format!("{one}CoveragePercentage"), (f64::from(percent.hundredths()) / 100.0).into());
        }
        figures.insert(format!("{many}Covered"), count.covered.into());
        figures.insert(format!("{many}Missed"), count.total.saturating_sub(count.covered).into());
    }
    figures
}

/// Checks that a text is the ARN of a resource of a kind.
pub(crate) fn check_arn(arn: &str, resource: &str) -> Result<(), ApiError> {
    let mut parts = arn.splitn(6, ':');
    let is_codebuild = parts.next() == Some("arn") && parts.nth(1) == Some("codebuild");
    let name = parts.nth(2).and_then(|rest| rest.strip_prefix(resource)?.strip_prefix('/'));
    if is_codebuild && name.is_some_and(|name| !name.is_empty()) {
        return Ok(());
    }
    let form = format!("arn:aws:codebuild:<region>:<account>:{resource}/<name>");
    Err(invalid_input(format!("{arn:?} is no ARN of a {resource}; it has the form {form}")))
}
