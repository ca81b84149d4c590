//! Operations on stage conditions and their rules, and on what they bring about.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::executions::{Wanted, artifact_details};
use super::{SERVICE, optional_text, text};
use crate::aws_json::{Page, epoch_seconds, page, without_nulls};
use crate::declaration::{Moment, RuleType, StageDeclaration};
use crate::engine::{ActionExecution, Engine, Execution};
use crate::error::ApiError;

impl Engine {
    pub(super) fn api_rollback_stage(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let target = text(input, "targetPipelineExecutionId");
        let id = self.rollback_stage(now, text(input, "pipelineName"), text(input, "stageName"), target)?;
        Ok(json!({"pipelineExecutionId": id}))
    }

    pub(super) fn api_override_condition(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let moment = match text(input, "conditionType") {
            "ON_SUCCESS" => Moment::OnSuccess,
            _ => Moment::BeforeEntry,
        };
        let place = (text(input, "pipelineName"), text(input, "stageName"), text(input, "pipelineExecutionId"));
        self.override_condition(now, place, moment)?;
        Ok(json!({}))
    }

    pub(super) fn api_list_rule_executions(&self, input: &Value) -> Result<Value, ApiError> {
        let name = text(input, "pipelineName");
        let pipeline = self.pipeline(name)?;
        let found = Wanted::read(name, pipeline, input)?.of(pipeline, Execution::rule_executions);
        let entries = found.into_iter().map(|(execution, rule)| (rule.id.clone(), rule_detail(execution, rule)));
        let request = Page { operation: "ListRuleExecutions", output: "ruleExecutionDetails", default_size: 100 };
        page(&SERVICE, &request, input, entries)
    }

    pub(super) fn api_list_rule_types(&self, input: &Value) -> Value {
        let here = optional_text(input, "regionFilter").is_none_or(|region| region == self.settings().region);
        let types = RuleType::ALL.into_iter().filter(|_| here).map(rule_type);
        json!({"ruleTypes": types.collect::<Vec<_>>()})
    }
}

fn rule_type(rule: RuleType) -> Value {
    let property =
        |&(name, required): &(&str, bool)| json!({"name": name, "required": required, "key": true, "secret": false});
    json!({
        "id": {"category": "Rule", "owner": "AWS", "provider": rule.provider(), "version": "1"},
        "ruleConfigurationProperties": rule.keys().iter().map(property).collect::<Vec<_>>(),
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": rule.most_artifacts()},
    })
}

fn rule_detail(execution: &Execution, rule: &ActionExecution) -> Value {
    let declared = execution.declared_rule(rule);
    without_nulls(json!({
        "pipelineExecutionId": execution.id,
        "ruleExecutionId": rule.id,
        "pipelineVersion": execution.version,
        "stageName": execution.declaration.stages[rule.stage].name,
        "ruleName": rule.name,
        "startTime": epoch_seconds(rule.started),
        "lastUpdateTime": epoch_seconds(rule.updated),
        "updatedBy": rule.updated_by,
        "status": rule.status.as_str(),
        "input": without_nulls(json!({
            "ruleTypeId": rule.type_id,
            "configuration": declared.map(|declared| &declared.configuration),
            "resolvedConfiguration": rule.configuration,
            "roleArn": declared.and_then(|declared| declared.role_arn.as_ref()),
            "region": rule.region,
            "inputArtifacts": artifact_details(&rule.input_artifacts),
        })),
        "output": {"executionResult": without_nulls(json!({
            "externalExecutionId": rule.external_execution_id,
            "externalExecutionSummary": rule.summary,
            "externalExecutionUrl": rule.external_execution_url,
            "errorDetails": error_details(rule),
        }))},
    }))
}

fn error_details(rule: &ActionExecution) -> Option<Value> {
    rule.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}))
}

/// The state of a condition of a stage, where it has one; `run` is the execution that is or was in the stage.
pub(super) fn condition_state(
    stage: &StageDeclaration,
    run: Option<(&Execution, usize)>,
    moment: Moment,
) -> Option<Value> {
    let declared = stage.condition(moment)?;
    let condition = run.map(|(execution, place)| execution.stages[place].condition(moment));
    let status = condition.and_then(|condition| Some((condition.status?, condition)));
    let latest = status.map(|(status, condition)| {
        without_nulls(json!({
            "status": status.as_str(),
            "summary": condition.summary,
            "lastStatusChange": condition.changed.map(epoch_seconds),
        }))
    });
    let of_stage = status
        .map(|(status, condition)| without_nulls(json!({"status": status.as_str(), "summary": condition.summary})));
    let rules = declared.rules.iter().map(|rule| {
        let latest = run.and_then(|(execution, place)| execution.rule(place, moment, &rule.name));
        without_nulls(json!({"ruleName": rule.name, "latestExecution": latest.map(rule_execution)}))
    });
    let state = without_nulls(json!({"latestExecution": latest, "ruleStates": rules.collect::<Vec<_>>()}));
    Some(without_nulls(json!({"latestExecution": of_stage, "conditionStates": [state]})))
}

fn rule_execution(rule: &ActionExecution) -> Value {
    without_nulls(json!({
        "ruleExecutionId": rule.id,
        "status": rule.status.as_str(),
        "summary": rule.summary,
        "lastStatusChange": epoch_seconds(if rule.is_running() { rule.started } else { rule.updated }),
        "lastUpdatedBy": rule.updated_by,
        "externalExecutionId": rule.external_execution_id,
        "externalExecutionUrl": rule.external_execution_url,
        "errorDetails": error_details(rule),
    }))
}
