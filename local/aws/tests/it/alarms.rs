//! A rule of the type CloudWatchAlarm asks the local CloudWatch.

use serde_json::{Value, json};
use stagegate_local_aws::LocalAws;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;

use crate::world::World;

const FUNCTION: &str = "  Recorder: {RECORDER {FunctionName: stagegate-recorder}}\n";

/// Source, then a stage that is entered only while the alarm is in the state OK.
fn definition(alarm: &str) -> Value {
    let kind = |category: &str, provider: &str| json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"});
    let source = json!({
        "name": "Source", "actionTypeId": kind("Source", "S3"), "outputArtifacts": [{"name": "Code"}],
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"},
    });
    let deploy = json!({
        "name": "Deploy", "actionTypeId": kind("Compute", "Commands"), "commands": ["true"],
        "inputArtifacts": [{"name": "Code"}],
    });
    let rule = json!({
        "name": "Alarm", "ruleTypeId": kind("Rule", "CloudWatchAlarm"),
        "configuration": {"AlarmName": alarm, "AlarmStates": "OK", "WaitTime": "1"},
    });
    json!({
        "name": "web", "roleArn": "arn:aws:iam::111122223333:role/pipeline", "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "stages": [
            {"name": "Source", "actions": [source]},
            {"name": "Deploy", "actions": [deploy], "beforeEntry": {"conditions": [{"result": "FAIL", "rules": [rule]}]}},
        ],
    })
}

fn set(aws: &LocalAws, alarm: &str, state: &str) {
    let made = json!({
        "AlarmName": alarm, "Namespace": "Web", "MetricName": "5xx", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
    });
    aws.cloudwatch().call("PutMetricAlarm", &made).unwrap();
    let state = json!({"AlarmName": alarm, "StateValue": state, "StateReason": "the test says so"});
    aws.cloudwatch().call("SetAlarmState", &state).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_is_entered_only_while_its_alarm_is_as_the_rule_says() {
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("README"), "a source is never empty").unwrap();
    for (alarm, state, status, code) in [
        ("web-5xx", Some("OK"), ExecutionStatus::Succeeded, Value::Null),
        ("web-5xx", Some("ALARM"), ExecutionStatus::Failed, json!("JobFailed")),
        ("gone", Some("OK"), ExecutionStatus::Failed, json!("ConfigurationError")),
    ] {
        let world = World::new(FUNCTION, |options| {
            options.source = Some(source.path().to_owned());
            options.clock = Clock::scaled(100.0);
        });
        let world = world.await;
        if let Some(state) = state {
            set(&world.aws, "web-5xx", state);
        }
        let codepipeline = world.aws.codepipeline();
        world.aws.put_pipeline(&definition(alarm)).await.unwrap();
        let started = codepipeline.call("StartPipelineExecution", json!({"name": "web"})).await.unwrap();
        let execution = started["pipelineExecutionId"].as_str().unwrap();
        let ended = codepipeline.wait_for_execution("web", execution).await.unwrap();
        let rules = codepipeline.call("ListRuleExecutions", json!({"pipelineName": "web"})).await.unwrap();
        assert_eq!(ended, status, "{alarm} {state:?}: {rules:#}");
        let rule = &rules["ruleExecutionDetails"][0];
        assert_eq!(rule["output"]["executionResult"]["errorDetails"]["code"], code, "{alarm} {state:?}: {rule:#}");
        if alarm == "gone" {
            let message = rule["output"]["executionResult"]["errorDetails"]["message"].as_str().unwrap();
            assert!(message.contains("there is no alarm gone (there are: web-5xx)"), "{message}");
        }
        world.aws.shutdown().await;
    }
}
