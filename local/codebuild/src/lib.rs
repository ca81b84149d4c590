//! The CodeBuild API of the local AWS: builds, and the reports that their buildspecs declare.
//!
//! [`CodeBuild`] answers from the [`Builds`] that the CodeBuild actions of the local CodePipeline leave behind, and starts
//! others. Report files are read when they are first asked for.
//!
//! | operation | notes |
//! |---|---|
//! | StartBuild | without a source, or with a ZIP file in S3, which `sourceTypeOverride` says; other overrides than those of source, buildspec and variables are not looked at |
//! | BatchGetBuilds, ListBuildsForProject | a project is known once it has a build |
//! | BatchGetReports, ListReports, ListReportsForReportGroup | |
//! | BatchGetReportGroups, ListReportGroups | a report group is known once it has a report |
//! | DescribeTestCases | at most 500 test cases of a report are kept, failed ones first |
//! | DescribeCodeCoverages | one entry for each source file |
//!
//! # The status of a report
//!
//! `GENERATING` while the build runs. A test report is `SUCCEEDED` when no test failed or errored, else `FAILED`; a
//! coverage report that could be read is `SUCCEEDED` whatever it shows. `INCOMPLETE` stands for everything that leaves a
//! report without meaning: no file was found, a file cannot be read to its end in the declared format, it holds no test
//! or no source file at all, its counters and its content disagree, or the build was stopped or timed out. (The AWS
//! guide, "Test report statuses", names configuration and builds that did not complete as reasons for `INCOMPLETE`, and
//! leaves open what becomes of a file that cannot be read.) A report of which a file cannot be read has no summary and no
//! test cases, so that no part is taken for the whole.

mod builds;
mod cases;
mod contents;
mod coverages;
mod groups;
mod reports;
mod start;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Router;
use serde_json::{Value, json};
use stagegate_local_actions::{BuildStatus, Builds, CodeBuildProvider};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{self, Model, Service};

use contents::Contents;
use reports::Report;
use start::Started;

static SERVICE: Service = Service {
    name: "CodeBuild",
    target_prefix: "CodeBuild_20161006.",
    violation: INVALID_INPUT,
    invalid_token: INVALID_INPUT,
};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(&SERVICE, include_str!("shapes.txt")));

const INVALID_INPUT: &str = "InvalidInputException";

/// How many reports are remembered once they were read.
const READ_REPORTS: usize = 200;

/// The API over the builds of one local AWS. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct CodeBuild {
    provider: Arc<CodeBuildProvider>,
    region: String,
    started: Started,
    builds: Builds,
    /// What was read of reports, by their ARN: their files do not change.
    read: Arc<Mutex<HashMap<String, Arc<Contents>>>>,
}

impl CodeBuild {
    /// The API over the builds of a provider. Those that it starts are in this Region.
    pub fn new(provider: Arc<CodeBuildProvider>, region: impl Into<String>) -> Self {
        let builds = provider.builds();
        Self { provider, region: region.into(), started: Started::default(), builds, read: Arc::default() }
    }

    /// Carries out an operation as AWS does, without HTTP.
    ///
    /// # Errors
    ///
    /// `InvalidInputException` and `ResourceNotFoundException` as in the AWS model, `SerializationException` for a value
    /// of another type, and `UnknownOperationException` for an operation that this local CodeBuild does not have.
    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        if operation == "StartBuild" {
            return self.start_build(&MODEL.check(operation, &input)?).await;
        }
        let (codebuild, operation) = (self.clone(), operation.to_owned());
        // Reading reports is work for the processor and the disk.
        let done = tokio::task::spawn_blocking(move || codebuild.carry_out(&operation, &input));
        done.await.unwrap_or_else(|error| Err(ApiError::new("InternalFailure", error.to_string())))
    }

    fn carry_out(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        let input = MODEL.check(operation, input)?;
        match operation {
            "BatchGetBuilds" => self.batch_get_builds(&input),
            "ListBuildsForProject" => self.list_builds_for_project(&input),
            "BatchGetReports" => self.batch_get_reports(&input),
            "ListReports" => self.list_reports(&input),
            "ListReportsForReportGroup" => self.list_reports_for_report_group(&input),
            "BatchGetReportGroups" => self.batch_get_report_groups(&input),
            "ListReportGroups" => self.list_report_groups(&input),
            "DescribeTestCases" => self.describe_test_cases(&input),
            "DescribeCodeCoverages" => self.describe_code_coverages(&input),
            _ => Err(MODEL.unknown_operation(operation)),
        }
    }

    /// Ends all builds that this API has started, and returns when they have ended.
    pub async fn shutdown(&self) {
        self.started.end().await;
    }

    /// What a report's files hold; `None` while its build runs.
    fn contents(&self, report: &Report) -> Option<Arc<Contents>> {
        match report.build_status {
            BuildStatus::InProgress => return None,
            BuildStatus::Stopped | BuildStatus::TimedOut => return Some(Arc::new(Contents::Unusable)),
            BuildStatus::Succeeded | BuildStatus::Failed => {}
        }
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&report.record.arn).cloned();
        Some(known.unwrap_or_else(|| {
            let contents = Arc::new(Contents::read(&report.record));
            let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            if read.len() >= READ_REPORTS {
                read.clear();
            }
            read.insert(report.record.arn.clone(), Arc::clone(&contents));
            contents
        }))
    }
}

/// Serves the API at `/`, as the AWS SDKs and `aws --endpoint-url` call it. Signatures are not checked.
pub fn router(codebuild: CodeBuild) -> Router {
    aws_json::router(&SERVICE, move |operation, input| {
        let codebuild = codebuild.clone();
        async move { codebuild.call(&operation, input).await }
    })
}

/// A text member of an input that was checked.
fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}

/// A list of texts in an input that was checked.
fn texts<'a>(input: &'a Value, member: &str) -> impl Iterator<Item = &'a str> {
    input[member].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Whether the order asked for is `ASCENDING`; `otherwise` where none is asked for.
fn is_ascending(input: &Value, otherwise: bool) -> bool {
    input["sortOrder"].as_str().map_or(otherwise, |order| order == "ASCENDING")
}

fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID_INPUT, message)
}

fn not_found(what: &str, name: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("the {what} {name} does not exist"))
}

/// Splits what was asked for into what was found and the names of what was not.
fn found_and_missing<'a>(
    names: impl Iterator<Item = &'a str>,
    find: impl Fn(&str) -> Option<Value>,
) -> (Vec<Value>, Vec<Value>) {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for name in names {
        match find(name) {
            Some(value) => found.push(value),
            None => missing.push(json!(name)),
        }
    }
    (found, missing)
}
