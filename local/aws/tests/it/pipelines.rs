//! What happens in a pipeline, on its way to the functions of the template.

use serde_json::{Value, json};
use stagegate_local_aws::{LocalAws, Options};

use crate::world::{World, eventually};

const FUNCTIONS: &str = r#"
  Pipelines: {RECORDER {Events: {All: {Type: EventBridgeRule, Properties: {
    Pattern: {source: [aws.codepipeline], detail-type: [CodePipeline Pipeline Execution State Change]}}}}}}
  Approvals: {RECORDER {Events: {
    Open: {Type: SNS, Properties: {Topic: !Ref Requests}},
    Any: {Type: EventBridgeRule, Properties: {Pattern: {detail: {type: {category: [Approval]}, state: [STARTED, FAILED]}}}}}}}
  Builds: {RECORDER {Events: {Ended: {Type: EventBridgeRule, Properties: {
    Pattern: {source: [aws.codebuild], detail: {build-status: [{anything-but: IN_PROGRESS}]}}}}}}}
  Requests: {Type: "AWS::SNS::Topic"}
"#;

fn definition(topic: &str) -> Value {
    let kind = |category: &str, provider: &str| json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
    let source = json!({
        "name": "Source", "actionTypeId": kind("Source", "S3"), "outputArtifacts": [{"name": "Code"}],
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"},
    });
    let build = json!({
        "name": "Build", "actionTypeId": kind("Build", "CodeBuild"), "configuration": {"ProjectName": "web-build"},
        "inputArtifacts": [{"name": "Code"}],
    });
    let approval = json!({
        "name": "Ask", "actionTypeId": kind("Approval", "Manual"),
        "configuration": {"NotificationArn": topic, "CustomData": "look at it"},
    });
    json!({
        "name": "web", "roleArn": "arn:aws:iam::111122223333:role/pipeline", "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [
            {"name": "Source", "actions": [source]}, {"name": "Build", "actions": [build]},
            {"name": "Approve", "actions": [approval]},
        ],
    })
}

async fn call(aws: &LocalAws, operation: &str, input: Value) -> Value {
    aws.codepipeline().call(operation, input).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_tells_functions_what_happens_in_it() {
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("buildspec.yml"), "version: 0.2\nphases: {build: {commands: ['true']}}\n")
        .unwrap();
    let world = World::new(FUNCTIONS, |options: &mut Options| options.source = Some(source.path().to_owned())).await;
    let topic = world.aws.bus().topics().remove(0);
    world.aws.put_pipeline(&definition(&topic)).await.unwrap();
    let started = call(&world.aws, "StartPipelineExecution", json!({"name": "web"})).await;
    let execution = started["pipelineExecutionId"].as_str().unwrap();

    let asked = || world.aws.bus().messages("Requests").unwrap();
    eventually("the approval is asked for", || !asked().is_empty()).await;
    let request: Value = serde_json::from_str(&asked()[0].message).unwrap();
    assert_eq!(request["approval"]["customData"], "look at it");
    let token = &request["approval"]["token"];
    let result = json!({"status": "Rejected", "summary": "no"});
    let answer =
        json!({"pipelineName": "web", "stageName": "Approve", "actionName": "Ask", "token": token, "result": result});
    call(&world.aws, "PutApprovalResult", answer).await;

    let built = world.events("Builds", 1).await.remove(0);
    assert_eq!(
        (&built["detail"]["build-status"], &built["detail"]["project-name"]),
        (&json!("SUCCEEDED"), &json!("web-build"))
    );
    assert_eq!((&built["region"], &built["account"]), (&json!("us-east-1"), &json!("111122223333")));
    let mut states: Vec<Value> = world.events("Pipelines", 2).await;
    states.sort_by_key(|event| event["detail"]["state"].to_string());
    assert_eq!((&states[0]["detail"]["state"], &states[1]["detail"]["state"]), (&json!("FAILED"), &json!("STARTED")));
    assert!(states.iter().all(|event| event["detail"]["execution-id"] == execution));
    let approvals = world.events("Approvals", 3).await;
    let message = approvals.iter().find_map(|event| event["Records"][0]["Sns"]["Message"].as_str()).unwrap();
    assert_eq!(&serde_json::from_str::<Value>(message).unwrap()["approval"]["token"], token);
    // Whoever is called is told the local time.
    assert!(world.records().iter().all(|record| record.now.is_some()));
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_for_a_topic_that_is_not_here_fails() {
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("buildspec.yml"), "version: 0.2\nphases: {build: {commands: ['true']}}\n")
        .unwrap();
    let world = World::new(FUNCTIONS, |options: &mut Options| options.source = Some(source.path().to_owned())).await;
    let elsewhere = "arn:aws:sns:us-east-1:111122223333:elsewhere";
    world.aws.put_pipeline(&definition(elsewhere)).await.unwrap();
    let started = call(&world.aws, "StartPipelineExecution", json!({"name": "web"})).await;
    let execution = started["pipelineExecutionId"].as_str().unwrap();
    world.aws.codepipeline().wait_for_execution("web", execution).await.unwrap();
    let actions = call(&world.aws, "ListActionExecutions", json!({"pipelineName": "web"})).await;
    let ask = actions["actionExecutionDetails"].as_array().unwrap().iter().find(|action| action["actionName"] == "Ask");
    let error = &ask.unwrap()["output"]["executionResult"]["errorDetails"];
    assert_eq!(error["code"], "ConfigurationError");
    assert!(error["message"].as_str().unwrap().contains(elsewhere), "{error}");
    world.aws.shutdown().await;
}
