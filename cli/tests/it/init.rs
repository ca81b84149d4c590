//! `stagegate init`: what it writes is right, and nothing is lost by it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{run, stagegate};

/// A pipeline without gates, as a team has it that begins.
fn ungated() -> Value {
    let action = |name: &str, category: &str, provider: &str, outputs: &[&str]| {
        let outputs: Vec<Value> = outputs.iter().map(|name| json!({"name": name})).collect();
        json!({
            "name": name,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
            "outputArtifacts": outputs,
        })
    };
    let stage = |name: &str, action: Value| json!({"name": name, "actions": [action]});
    json!({
        "pipeline": {
            "name": "web",
            "stages": [
                stage("Source", action("Source", "Source", "CodeStarSourceConnection", &["SourceCode"])),
                stage("Build", action("Build", "Build", "CodeBuild", &["SiteBundle", "TestReports"])),
                stage("Staging", action("Deploy", "Deploy", "CodeDeploy", &[])),
                stage("Approve", action("Approve", "Approval", "Manual", &[])),
                stage("Production", action("Deploy", "Deploy", "CodeDeploy", &[])),
            ],
        },
        "metadata": {"pipelineArn": "arn:aws:codepipeline:eu-west-1:111122223333:web"},
    })
}

fn init(folder: &Path, pipeline: &Path, more: &[&str]) -> (i32, String) {
    run(stagegate().arg("init").arg(pipeline).arg("--out").arg(folder).args(more))
}

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for (below, name) in
        [("", folder.to_owned()), ("snippets/", folder.join("snippets")), ("smoke/", folder.join("smoke"))]
    {
        let entries = fs::read_dir(name).into_iter().flatten().flatten();
        let entries = entries.filter(|entry| entry.path().is_file());
        found.extend(entries.map(|entry| format!("{below}{}", entry.file_name().to_str().unwrap())));
    }
    found.sort();
    found
}

/// `stagegate check` has nothing to say but that the file is not at its place yet.
fn check(out: &Path, pipeline: Option<&Path>) {
    let mut check = stagegate();
    check.args(["check", "--config"]).arg(out.join("stagegate.yaml")).arg("--source").arg(out).args(pipeline);
    let (code, text) = run(&mut check);
    assert_eq!(code, 0, "{text}");
    let mut warnings = text.lines().filter(|line| line.starts_with("warning: "));
    assert!(warnings.all(|line| line.contains("is deployed with infra/config/stagegate.yaml")), "{text}");
}

#[test]
fn what_is_written_for_a_definition_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, out) = (folder.path().join("web.json"), folder.path().join("out"));
    fs::write(&pipeline, ungated().to_string()).unwrap();
    let (code, text) = init(&out, &pipeline, &[]);
    assert_eq!(code, 0, "{text}");
    for place in [
        "web-tests: after the stage Build, whose action Build runs the tests",
        "web-smoke: after the stage Staging, which deploys",
        "web-release: before the stage Production, which deploys to production",
    ] {
        assert!(text.contains(place), "{place}\n{text}");
    }
    let expected = [
        "pipeline-with-gates.json",
        "smoke/home.hurl",
        "snippets/README.md",
        "snippets/web-release.custom-action.json",
        "snippets/web-release.lambda-action.json",
        "snippets/web-release.rule.json",
        "snippets/web-smoke.custom-action.json",
        "snippets/web-smoke.lambda-action.json",
        "snippets/web-smoke.rule.json",
        "snippets/web-tests.custom-action.json",
        "snippets/web-tests.lambda-action.json",
        "snippets/web-tests.rule.json",
        "stagegate.yaml",
    ];
    assert_eq!(files(&out), expected);
    let template = fs::read_to_string(crate::root().join("infra/template.yaml")).unwrap();
    for file in expected.iter().filter(|file| file.ends_with(".custom-action.json")) {
        let action: Value = serde_json::from_str(&fs::read_to_string(out.join(file)).unwrap()).unwrap();
        let of = |name: &str| action["actionTypeId"][name].as_str().unwrap();
        let type_of_template = format!("Category: {}\n      Provider: {}\n", of("category"), of("provider"));
        assert!(template.contains(&type_of_template), "{file}: {type_of_template}");
    }
    let with_gates = out.join("pipeline-with-gates.json");
    check(&out, Some(&with_gates));

    let definition: Value = serde_json::from_str(&fs::read_to_string(with_gates).unwrap()).unwrap();
    assert!(definition.get("metadata").is_none(), "update-pipeline would refuse it");
    let stages = definition["pipeline"]["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Source", "Build", "TestGate", "Staging", "SmokeTest", "Approve", "ReleaseGate", "Production"]);
    assert_eq!(stages[2]["actions"][0]["inputArtifacts"], json!([{"name": "TestReports"}]));
    assert_eq!(stages[4]["actions"][0]["inputArtifacts"], json!([{"name": "SourceCode"}]));
}

#[test]
fn nothing_is_written_over_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, out) = (folder.path().join("web.json"), folder.path().join("out"));
    fs::write(&pipeline, ungated().to_string()).unwrap();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("stagegate.yaml"), "mine").unwrap();
    let (code, text) = init(&out, &pipeline, &[]);
    assert_eq!(code, 64, "{text}");
    assert!(text.contains("failed to write over") && text.contains("stagegate.yaml: use --force"), "{text}");
    assert_eq!(files(&out), ["stagegate.yaml"], "nothing else is written either");
    assert_eq!(fs::read_to_string(out.join("stagegate.yaml")).unwrap(), "mine");
    assert_eq!(init(&out, &pipeline, &["--force"]).0, 0);
    assert!(fs::read_to_string(out.join("stagegate.yaml")).unwrap().contains("web-tests"));
}

const TEMPLATE: &str = r#"
Parameters:
  Branch: {Type: String}
Resources:
  ShopPipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: !Sub "${AWS::StackName}-shop"
      RoleArn: arn:aws:iam::111122223333:role/shop
      ArtifactStore: {Type: S3, Location: artifacts}
      Stages:
        - Name: Source
          Actions:
            - Name: Source
              ActionTypeId: {Category: Source, Owner: AWS, Provider: S3, Version: "1"}
              Configuration: {S3Bucket: b, S3ObjectKey: !Ref Branch}
              OutputArtifacts: [{Name: Code}]
        - Name: Build
          Actions:
            - Name: Package
              ActionTypeId: {Category: Build, Owner: AWS, Provider: CodeBuild, Version: "1"}
              OutputArtifacts: [{Name: App}]
            - Name: UnitTests
              ActionTypeId: {Category: Test, Owner: AWS, Provider: CodeBuild, Version: "1"}
        - Name: Live
          Actions:
            - Name: Deploy
              ActionTypeId: {Category: Deploy, Owner: AWS, Provider: CloudFormation, Version: "1"}
"#;

#[test]
fn snippets_for_a_template_are_written_as_a_template_is() {
    let folder = tempfile::tempdir().unwrap();
    let (pipeline, out) = (folder.path().join("shop.yaml"), folder.path().join("out"));
    fs::write(&pipeline, TEMPLATE).unwrap();
    let (code, text) = init(&out, &pipeline, &[]);
    assert_eq!(code, 65, "{text}");
    assert!(text.contains("the parameter `Branch` has no default; give it a value"), "{text}");
    let (code, text) = init(&out, &pipeline, &["--parameter", "Branch=main", "--prefix", "team"]);
    assert_eq!(code, 0, "{text}");
    for note in [
        "the action UnitTests hands no artifact on",
        "no manual approval was found",
        "the pipeline's name is an expression: write it where \"ShopPipeline\" stands",
    ] {
        assert!(text.contains(note), "{note}\n{text}");
    }
    let snippet = fs::read_to_string(out.join("snippets/shoppipeline-smoke.lambda-action.yaml")).unwrap();
    let expected = r##"- Name: SmokeTest
  ActionTypeId:
    Category: Invoke
    Owner: AWS
    Provider: Lambda
    Version: "1"
  Configuration:
    FunctionName: team-smoke-test
    UserParameters: "{\"gate\":\"shoppipeline-smoke\",\"pipeline\":\"ShopPipeline\",\"stage\":\"SmokeTest\",\"execution\":\"#{codepipeline.PipelineExecutionId}\"}"
  InputArtifacts: [{Name: Code}]
  Namespace: SmokeTest
"##;
    assert_eq!(snippet, expected);
    let config = out.join("stagegate.yaml");
    check(&out, None);
    assert!(!files(&out).contains(&"pipeline-with-gates.json".to_owned()));
    // One deployment only: the smoke test looks at it afterwards, so that the release gate cannot wait for it.
    assert!(
        !fs::read_to_string(config).unwrap().contains("verdicts: [\"shoppipeline-tests\", \"shoppipeline-smoke\"]")
    );
}

#[test]
fn what_is_no_pipeline_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content, expected) in [
        ("a.json", "{\"pipeline\": {\"stages\": []}}", "a.json: the pipeline has no action"),
        (
            "a.yaml",
            "Resources: {A: {Type: \"AWS::S3::Bucket\"}}",
            "there is no AWS::CodePipeline::Pipeline in the template",
        ),
        (
            "b.yaml",
            "stages: []",
            "a pipeline is the JSON of `aws codepipeline get-pipeline`, or a CloudFormation template",
        ),
        ("missing.json", "", "missing.json: "),
    ] {
        let file = folder.path().join(name);
        if !content.is_empty() {
            fs::write(&file, content).unwrap();
        }
        let (code, text) = init(&folder.path().join("out"), &file, &[]);
        assert_eq!(code, 65, "{name}: {text}");
        assert!(text.contains("failed to read") && text.contains(expected), "{name}: {text}");
    }
    assert!(!folder.path().join("out").exists());
}
