//! From a folder with a buildspec to the cases of its reports.

use std::path::Path;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_codepipeline::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_codepipeline::types::{ActionExecutionDetail, ActionExecutionStatus};
use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, Call, LOCAL_ACCESS_KEY, LocalAws, Options};

const TEMPLATE: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  State:
    Type: AWS::S3::Bucket
";

const BUILDSPEC: &str = r#"version: 0.2
phases:
  build:
    commands:
      - mkdir -p reports
      - printf '<testsuite name="web"><testcase classname="web.Login" name="accepts"/><testcase classname="web.Login" name="rejects"><failure message="expected 401"/></testcase></testsuite>' >reports/TEST-web.xml
      - printf '<coverage lines-covered="1" lines-valid="2" line-rate="0.5" version="1" timestamp="1"><packages><package name="p"><classes><class name="A" filename="src/a.rs"><lines><line number="1" hits="1"/><line number="2" hits="0"/></lines></class></classes></package></packages></coverage>' >reports/cobertura.xml
reports:
  unit: {base-directory: reports, files: ['TEST-*.xml']}
  lines: {base-directory: reports, files: [cobertura.xml], file-format: COBERTURAXML}
artifacts:
  files: ['reports/*']
"#;

fn definition() -> Value {
    let kind = |category: &str, provider: &str| json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
    let source = json!({
        "name": "Source", "actionTypeId": kind("Source", "S3"), "outputArtifacts": [{"name": "Code"}],
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"},
    });
    let build = json!({
        "name": "Build", "actionTypeId": kind("Build", "CodeBuild"), "configuration": {"ProjectName": "web-build"},
        "inputArtifacts": [{"name": "Code"}], "outputArtifacts": [{"name": "Reports"}],
    });
    json!({"pipeline": {
        "name": "web", "roleArn": "arn:aws:iam::111122223333:role/pipeline", "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Build", "actions": [build]}],
    }})
}

async fn start(folder: &Path) -> (LocalAws, SdkConfig) {
    let (source, template) = (folder.join("source"), folder.join("template.yaml"));
    std::fs::create_dir(&source).unwrap();
    std::fs::write(source.join("buildspec.yml"), BUILDSPEC).unwrap();
    std::fs::write(&template, TEMPLATE).unwrap();
    let nothing = Bootstraps::Folder(folder.to_owned());
    let mut options = Options::new(folder.join("data"), template, nothing);
    options.source = Some(source);
    let aws = LocalAws::start(options).await.unwrap();
    let credentials = Credentials::new(LOCAL_ACCESS_KEY, LOCAL_ACCESS_KEY, None, None, "test");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region().to_owned()))
        .endpoint_url(aws.endpoint_url())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    (aws, sdk)
}

/// Waits until the build action has ended.
async fn build_action(sdk: &SdkConfig) -> ActionExecutionDetail {
    let codepipeline = aws_sdk_codepipeline::Client::new(sdk);
    loop {
        let actions = codepipeline.list_action_executions().pipeline_name("web").send().await.unwrap();
        let build = actions.action_execution_details().iter().find(|action| action.action_name() == Some("Build"));
        match build {
            Some(build) if build.status() != Some(&ActionExecutionStatus::InProgress) => return build.clone(),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

#[tokio::test]
async fn reports_of_a_build_are_found_from_its_action() {
    let folder = tempfile::tempdir().unwrap();
    let (aws, sdk) = start(folder.path()).await;
    aws.put_pipeline(&definition()).await.unwrap();
    let start = json!({"name": "web"});
    let _ = aws.codepipeline().call("StartPipelineExecution", start).await.unwrap();
    let action = build_action(&sdk).await;
    assert_eq!(action.status(), Some(&ActionExecutionStatus::Succeeded), "{action:?}");
    let result = action.output().and_then(|output| output.execution_result()).unwrap();

    let codebuild = aws_sdk_codebuild::Client::new(&sdk);
    let builds = codebuild.batch_get_builds().ids(result.external_execution_id().unwrap()).send().await.unwrap();
    let build = &builds.builds()[0];
    assert_eq!((build.project_name(), build.initiator()), (Some("web-build"), Some("codepipeline/web")));
    let arns = build.report_arns();
    let reports = codebuild.batch_get_reports().set_report_arns(Some(arns.to_vec())).send().await.unwrap();
    let summaries: Vec<_> = reports
        .reports()
        .iter()
        .map(|report| {
            let tests = report.test_summary().map(|summary| (summary.total(), summary.status_counts()["FAILED"]));
            let lines = report.code_coverage_summary().and_then(|summary| summary.lines_covered());
            (report.name().unwrap(), report.status().unwrap().as_str(), tests, lines)
        })
        .collect();
    let expected = [("web-build-lines", "SUCCEEDED", None, Some(1)), ("web-build-unit", "FAILED", Some((2, 1)), None)];
    assert_eq!(summaries, expected);
    let cases = codebuild.describe_test_cases().report_arn(&arns[1]).send().await.unwrap();
    let names: Vec<_> = cases.test_cases().iter().map(|case| (case.name().unwrap(), case.status().unwrap())).collect();
    assert_eq!(names, [("accepts", "SUCCEEDED"), ("rejects", "FAILED")]);
    let files = codebuild.describe_code_coverages().report_arn(&arns[0]).send().await.unwrap();
    assert_eq!(files.code_coverages()[0].file_path(), Some("src/a.rs"));

    // The same endpoint serves the artifacts, and every call is counted for its service.
    let objects = aws_sdk_s3::Client::new(&sdk).list_objects_v2().bucket("artifacts").send().await.unwrap();
    assert!(objects.contents().iter().any(|object| object.key().is_some_and(|key| key.starts_with("web/Reports"))));
    let call = Call { service: "codebuild", operation: "BatchGetReports".to_owned(), function: None };
    assert_eq!(aws.calls().get(&call), Some(&1));
    aws.shutdown().await;
}
