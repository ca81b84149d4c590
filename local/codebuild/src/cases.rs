//! The test cases of a report.

use serde_json::{Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page, without_nulls};

use crate::contents::{Case, Contents};
use crate::reports::{Report, nanoseconds};
use crate::{CodeBuild, SERVICE, invalid_input, not_found, text};

impl CodeBuild {
    pub(crate) fn describe_test_cases(&self, input: &Value) -> Result<Value, ApiError> {
        let arn = text(input, "reportArn");
        let report = self.report(arn)?.ok_or_else(|| not_found("report", arn))?;
        if report.is_coverage() {
            return Err(invalid_input(format!("{arn} is a code coverage report; ask for DescribeCodeCoverages")));
        }
        let contents = self.contents(&report);
        let cases = match contents.as_deref() {
            Some(Contents::Tests(tests)) => tests.cases(),
            _ => Vec::new(),
        };
        let filter = &input["filter"];
        let (status, keyword) = (filter["status"].as_str(), filter["keyword"].as_str());
        let is_wanted = |case: &Case| {
            status.is_none_or(|status| case.status.as_str() == status)
                && keyword.is_none_or(|keyword| case.name.contains(keyword) || case.prefix.contains(keyword))
        };
        let wanted = cases.into_iter().enumerate().filter(|(_, case)| is_wanted(case));
        let entries = wanted.map(|(place, case)| (place.to_string(), describe(&report, case)));
        let request = Page { operation: "DescribeTestCases", output: "testCases", default_size: 100 };
        page(&SERVICE, &request, input, entries)
    }
}

/// A `TestCase` of the AWS model.
fn describe(report: &Report, case: &Case) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    without_nulls(json!({
        "reportArn": report.record.arn,
        "testRawDataPath": case.file,
        "prefix": some(&case.prefix),
        "name": case.name,
        "status": case.status.as_str(),
        "durationInNanoSeconds": nanoseconds(case.duration),
        "message": some(&case.message),
        "expired": epoch_seconds(report.expired()),
        "testSuiteName": some(&case.suite),
    }))
}
