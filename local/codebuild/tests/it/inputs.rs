//! What is refused, and how.

use aws_sdk_codebuild::types::{ReportFilter, ReportStatusType};
use serde_json::json;

use crate::support::{ACCOUNT, Local, code, junit};

const INVALID: &str = "InvalidInputException";
const NOT_FOUND: &str = "ResourceNotFoundException";

#[tokio::test]
async fn inputs_outside_the_model_are_refused() {
    let local = Local::start().await;
    let client = &local.client;
    assert_eq!(code(client.batch_get_builds().set_ids(Some(Vec::new())).send().await), INVALID);
    assert_eq!(code(client.batch_get_builds().set_ids(Some(vec!["web:1".to_owned(); 101])).send().await), INVALID);
    assert_eq!(code(client.batch_get_builds().ids("web").send().await), INVALID);
    assert_eq!(code(client.batch_get_reports().report_arns("web-unit").send().await), INVALID);
    assert_eq!(code(client.batch_get_reports().report_arns(format!("{ACCOUNT}:report-group/x")).send().await), INVALID);
    assert_eq!(code(client.batch_get_report_groups().report_group_arns("web-unit").send().await), INVALID);
    assert_eq!(code(client.list_reports().max_results(101).send().await), INVALID);
    assert_eq!(code(client.list_reports().next_token("made up").send().await), INVALID);
    assert_eq!(code(client.list_report_groups().max_results(0).send().await), INVALID);
    let filter = ReportFilter::builder().status(ReportStatusType::from("GREEN")).build();
    assert_eq!(code(client.list_reports().filter(filter).send().await), INVALID);
    let coverages = client.describe_code_coverages().report_arn(format!("{ACCOUNT}:report/x:1"));
    assert_eq!(code(coverages.clone().min_line_coverage_percentage(100.1).send().await), INVALID);
}

#[tokio::test]
async fn what_is_not_there_is_said_as_the_model_has_it() {
    let local = Local::start().await;
    let client = &local.client;
    let report = format!("{ACCOUNT}:report/web-unit:1");
    assert_eq!(code(client.describe_test_cases().report_arn(&report).send().await), NOT_FOUND);
    assert_eq!(code(client.describe_code_coverages().report_arn(&report).send().await), INVALID);
    let group = format!("{ACCOUNT}:report-group/web-unit");
    assert_eq!(code(client.list_reports_for_report_group().report_group_arn(group).send().await), NOT_FOUND);
    assert_eq!(code(client.list_builds_for_project().project_name("web").send().await), NOT_FOUND);
    assert_eq!(code(client.list_projects().send().await), "UnknownOperationException");
    assert!(client.list_reports().send().await.unwrap().reports().is_empty());
    assert!(client.list_report_groups().send().await.unwrap().report_groups().is_empty());
}

#[tokio::test]
async fn each_kind_of_report_has_its_operation() {
    let local = Local::start().await;
    let passing = junit(["one"]);
    let declared = "lines: {files: [c.xml], file-format: CLOVERXML}, unit: {files: [a.xml]}";
    let build = local.build("web", declared, &[("a.xml", &passing), ("c.xml", "<coverage/>")]).await;
    let [lines, unit] = [0, 1].map(|index| build.reports[index].arn.as_str());
    assert_eq!(code(local.client.describe_test_cases().report_arn(lines).send().await), INVALID);
    assert_eq!(code(local.client.describe_code_coverages().report_arn(unit).send().await), INVALID);
}

#[tokio::test]
async fn the_same_is_there_without_http() {
    let local = Local::start().await;
    let build = local.build("web", "", &[]).await;
    let answer = local.codebuild.call("BatchGetBuilds", json!({"ids": [build.id]})).await.unwrap();
    assert_eq!(answer["builds"][0]["projectName"], "web");
    let error = local.codebuild.call("BatchGetBuilds", json!({"ids": "web:1"})).await.unwrap_err();
    assert_eq!(error.code, "SerializationException");
}
