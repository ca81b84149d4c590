//! The source files of a code coverage report.

use coverage_report::{FileCoverage, Percent};
use serde_json::{Map, Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page};

use crate::contents::Contents;
use crate::reports::{Report, figures};
use crate::{CodeBuild, SERVICE, invalid_input, is_ascending, text};

impl CodeBuild {
    pub(crate) fn describe_code_coverages(&self, input: &Value) -> Result<Value, ApiError> {
        let arn = text(input, "reportArn");
        // The AWS model knows no ResourceNotFoundException here.
        let report = self.report(arn)?.ok_or_else(|| invalid_input(format!("the report {arn} does not exist")))?;
        if !report.is_coverage() {
            return Err(invalid_input(format!("{arn} is a test report; ask for DescribeTestCases")));
        }
        let contents = self.contents(&report);
        // Totals that no file accounts for have an empty path.
        let mut files: Vec<_> = match contents.as_deref() {
            Some(Contents::Coverage(merged)) => merged.files().filter(|file| !file.path().is_empty()).collect(),
            _ => Vec::new(),
        };
        files.retain(|file| is_within(file, input));
        if input["sortBy"] == "LINE_COVERAGE_PERCENTAGE" {
            files.sort_by_key(percent);
        }
        if !is_ascending(input, true) {
            files.reverse();
        }
        let entries = files.into_iter().map(|file| (file.path().to_owned(), describe(&report, &file)));
        let request = Page { operation: "DescribeCodeCoverages", output: "codeCoverages", default_size: 100 };
        page(&SERVICE, &request, input, entries)
    }
}

fn percent(file: &FileCoverage<'_>) -> Option<Percent> {
    file.coverage().line.percent()
}

/// Whether a file's line coverage is within the bounds asked for. A file without lines is within no bounds.
fn is_within(file: &FileCoverage<'_>, input: &Value) -> bool {
    let bound = |member: &str| input[member].as_f64();
    let (least, most) = (bound("minLineCoveragePercentage"), bound("maxLineCoveragePercentage"));
    if least.is_none() && most.is_none() {
        return true;
    }
    percent(file).is_some_and(|percent| {
        let percent = f64::from(percent.hundredths()) / 100.0;
        least.is_none_or(|least| percent >= least) && most.is_none_or(|most| percent <= most)
    })
}

/// A `CodeCoverage` of the AWS model, which writes `reportARN` here.
fn describe(report: &Report, file: &FileCoverage<'_>) -> Value {
    let mut coverage = Map::from_iter([
        ("id".to_owned(), format!("{}/{}", report.record.arn, file.path()).into()),
        ("reportARN".to_owned(), json!(report.record.arn)),
        ("filePath".to_owned(), json!(file.path())),
        ("expired".to_owned(), epoch_seconds(report.expired())),
    ]);
    coverage.extend(figures(file.coverage()));
    Value::Object(coverage)
}
