//! Stage conditions, override and rollback with the official client of AWS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types as aws;
use serde_json::json;
use stagegate_local_codepipeline::{AlarmError, AlarmState, Alarms};

use crate::harness::{NAME, pipeline, with_condition};
use crate::shell::{create, start};
use crate::wire::{Endpoint, code, endpoint, endpoint_with};

async fn stage(client: &Client, number: usize) -> aws::StageState {
    let state = client.get_pipeline_state().name(NAME).send().await.unwrap();
    state.stage_states()[number].clone()
}

/// Waits until an execution has ended.
async fn ends(endpoint: &Endpoint, id: &str) -> aws::PipelineExecution {
    let waiting = endpoint.codepipeline.wait_for_execution(NAME, id);
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("the execution ends").unwrap();
    let found = endpoint.client.get_pipeline_execution().pipeline_name(NAME).pipeline_execution_id(id).send().await;
    found.unwrap().pipeline_execution.unwrap()
}

#[tokio::test]
async fn a_condition_fails_and_is_overridden_and_a_stage_is_rolled_back() {
    let mut endpoint = endpoint().await;
    let client = endpoint.client.clone();
    let declaration = pipeline("SUPERSEDED Source: Source | Prod: Ship*deploy | After: Tell");
    let declaration = with_condition(declaration, 1, "beforeEntry", "FAIL", "Gate*lambda");
    create(&endpoint.codepipeline, &declaration).await;
    // The client reads and writes the declaration as it is.
    let found = client.get_pipeline().name(NAME).send().await.unwrap().pipeline.unwrap();
    let entry = found.stages()[1].before_entry().unwrap();
    assert_eq!(entry.conditions()[0].result, Some(aws::Result::Fail));
    assert_eq!(entry.conditions()[0].rules()[0].rule_type_id.as_ref().unwrap().provider, "LambdaInvoke");
    let updated = client.update_pipeline().pipeline(found.clone()).send().await.unwrap().pipeline.unwrap();
    assert_eq!(updated.stages(), found.stages());

    let first = start(&endpoint.codepipeline).await;
    let job = endpoint.job().await;
    let put = client.put_job_success_result().job_id(job["id"].as_str().unwrap());
    put.send().await.unwrap();
    assert_eq!(ends(&endpoint, &first).await.status, Some(aws::PipelineExecutionStatus::Succeeded));

    let second = start(&endpoint.codepipeline).await;
    let job = endpoint.job().await;
    let failure = aws::FailureDetails::builder().r#type(aws::FailureType::JobFailed).message("a freeze");
    let put = client.put_job_failure_result().job_id(job["id"].as_str().unwrap());
    put.failure_details(failure.build().unwrap()).send().await.unwrap();
    assert_eq!(ends(&endpoint, &second).await.status, Some(aws::PipelineExecutionStatus::Failed));
    let state = stage(&client, 1).await;
    let condition = state.before_entry_condition_state.as_ref().unwrap();
    let latest = condition.latest_execution.as_ref().unwrap();
    assert_eq!(latest.status, Some(aws::ConditionExecutionStatus::Failed));
    assert_eq!(latest.summary.as_deref(), Some("rule Gate failed: a freeze"));
    let rule = condition.condition_states()[0].rule_states()[0].latest_execution.as_ref().unwrap();
    assert_eq!(rule.status, Some(aws::RuleExecutionStatus::Failed));
    let rules = client.list_rule_executions().pipeline_name(NAME).send().await.unwrap();
    assert_eq!(rules.rule_execution_details().len(), 2);
    assert_eq!(rules.rule_execution_details()[0].rule_name.as_deref(), Some("Gate"));
    assert_eq!(client.list_rule_types().send().await.unwrap().rule_types().len(), 5);

    let override_of = |id: &str| {
        let call = client.override_stage_condition().pipeline_name(NAME).stage_name("Prod").pipeline_execution_id(id);
        call.condition_type(aws::ConditionType::BeforeEntry)
    };
    assert_eq!(code(override_of(&first).send().await), "NotLatestPipelineExecutionException");
    override_of(&second).send().await.unwrap();
    let error = override_of(&second).send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_condition_not_overridable_exception(), "{error:?}");
    assert_eq!(ends(&endpoint, &second).await.status, Some(aws::PipelineExecutionStatus::Succeeded));

    let rollback = |id: &str, stage: &str| {
        let call = client.rollback_stage().pipeline_name(NAME).stage_name(stage);
        call.target_pipeline_execution_id(id).send()
    };
    let error = rollback(&first, "Source").await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_unable_to_rollback_stage_exception(), "{error:?}");
    let rolled_back = rollback(&first, "Prod").await.unwrap();
    let execution = ends(&endpoint, &rolled_back.pipeline_execution_id).await;
    assert_eq!(execution.status, Some(aws::PipelineExecutionStatus::Succeeded));
    assert_eq!(execution.execution_type, Some(aws::ExecutionType::Rollback));
    assert_eq!(execution.trigger.unwrap().trigger_type, Some(aws::TriggerType::ManualRollback));
    let metadata = execution.rollback_metadata.unwrap();
    assert_eq!(metadata.rollback_target_pipeline_execution_id, Some(first));
    let latest = stage(&client, 1).await.latest_execution.unwrap();
    assert_eq!(
        (latest.r#type, latest.status),
        (Some(aws::ExecutionType::Rollback), aws::StageExecutionStatus::Succeeded)
    );
}

/// CloudWatch with one alarm, which is never quiet.
struct Loud;

#[async_trait]
impl Alarms for Loud {
    async fn state(&self, alarm_name: &str) -> Result<AlarmState, AlarmError> {
        if alarm_name == "web-5xx" {
            return Ok(AlarmState::Alarm);
        }
        Err(AlarmError::NotFound { name: alarm_name.to_owned(), known: vec!["web-5xx".to_owned()] })
    }
}

#[tokio::test]
async fn rules_reach_cloudwatch_and_commands() {
    let rule_error = |with_alarms: bool, rules: &'static str| async move {
        let endpoint = match with_alarms {
            true => endpoint_with(|builder| builder.alarms(Arc::new(Loud))).await,
            false => endpoint().await,
        };
        let mut declaration = pipeline("SUPERSEDED Source: Source | Prod: Ship*deploy");
        declaration = with_condition(declaration, 1, "beforeEntry", "FAIL", rules);
        let rule = &mut declaration["stages"][1]["beforeEntry"]["conditions"][0]["rules"][0];
        if rule["configuration"].get("WaitTime").is_some() {
            rule["configuration"]["WaitTime"] = json!("0");
        }
        create(&endpoint.codepipeline, &declaration).await;
        let id = start(&endpoint.codepipeline).await;
        ends(&endpoint, &id).await;
        let rules = endpoint.client.list_rule_executions().pipeline_name(NAME).send().await.unwrap();
        let result = rules.rule_execution_details()[0].output.clone().unwrap().execution_result.unwrap();
        result.error_details.map(|error| format!("{}: {}", error.code.unwrap(), error.message.unwrap()))
    };
    let loud = "JobFailed: the alarm web-5xx is ALARM; the rule wants OK or INSUFFICIENT_DATA";
    assert_eq!(rule_error(true, "Alarm*alarm").await.as_deref(), Some(loud));
    let none =
        "ConfigurationError: the local CodePipeline has no CloudWatch to ask; start it with one, or leave the rule out";
    assert_eq!(rule_error(false, "Alarm*alarm").await.as_deref(), Some(none));
    // The provider of these tests does what the first word of a name says.
    assert_eq!(rule_error(true, "fail-1*commands").await.as_deref(), Some("JobFailed: it broke"));
    assert_eq!(rule_error(true, "pass-1*commands").await, None);
}
