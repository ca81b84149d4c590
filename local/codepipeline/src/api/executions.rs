//! Operations on executions of pipelines and their actions.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{SERVICE, optional_text, owned_text, text};
use crate::aws_json::{Page, epoch_seconds, page, without_nulls};
use crate::declaration::RetryMode;
use crate::engine::{ActionExecution, ActionStatus, Direction, Engine, Execution, Pipeline, StageStatus, StartRequest};
use crate::error::ApiError;
use crate::provider::Artifact;

impl Engine {
    pub(super) fn api_start_execution(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let request = StartRequest {
            variables: pairs(&input["variables"], "name", "value"),
            client_request_token: owned_text(input, "clientRequestToken"),
            source_revisions: pairs(&input["sourceRevisions"], "actionName", "revisionValue"),
            trigger: ("StartPipelineExecution".to_owned(), self.settings().caller_arn.clone()),
        };
        let id = self.start_execution(now, text(input, "name"), request)?;
        Ok(json!({"pipelineExecutionId": id}))
    }

    pub(super) fn api_stop_execution(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let id = text(input, "pipelineExecutionId");
        let abandon = input["abandon"].as_bool().unwrap_or(false);
        self.stop_execution(now, text(input, "pipelineName"), id, abandon, owned_text(input, "reason"))?;
        Ok(json!({"pipelineExecutionId": id}))
    }

    pub(super) fn api_retry_stage(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let id = text(input, "pipelineExecutionId");
        let mode = match text(input, "retryMode") {
            "ALL_ACTIONS" => RetryMode::AllActions,
            _ => RetryMode::FailedActions,
        };
        self.retry_stage(now, text(input, "pipelineName"), text(input, "stageName"), id, mode)?;
        Ok(json!({"pipelineExecutionId": id}))
    }

    pub(super) fn api_set_transition(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let direction = match text(input, "transitionType") {
            "Outbound" => Direction::Outbound,
            _ => Direction::Inbound,
        };
        // Only DisableStageTransition has a reason, and it must have one.
        let reason = owned_text(input, "reason");
        self.set_transition(now, text(input, "pipelineName"), text(input, "stageName"), direction, reason)?;
        Ok(json!({}))
    }

    pub(super) fn api_get_execution(&self, input: &Value) -> Result<Value, ApiError> {
        let name = text(input, "pipelineName");
        let id = text(input, "pipelineExecutionId");
        let pipeline = self.pipeline(name)?;
        let (_, execution) = pipeline.execution(id).ok_or_else(|| execution_not_found(name, id))?;
        let declared = &execution.declaration.variables;
        let variables: Vec<_> = declared
            .iter()
            .filter_map(|variable| Some((&variable.name, execution.variables.get(&variable.name)?)))
            .map(|(name, value)| json!({"name": name, "resolvedValue": value}))
            .collect();
        let output = json!({
            "pipelineName": name,
            "pipelineVersion": execution.version,
            "pipelineExecutionId": id,
            "status": execution.status.as_str(),
            "statusSummary": execution.status_summary,
            "artifactRevisions": artifact_revisions(pipeline, execution),
            "variables": variables,
            "trigger": trigger(execution),
            "executionMode": execution.mode,
            "executionType": execution_type(execution),
            "rollbackMetadata": rollback_metadata(execution),
        });
        Ok(json!({"pipelineExecution": without_nulls(output)}))
    }

    pub(super) fn api_list_executions(&self, input: &Value) -> Result<Value, ApiError> {
        let pipeline = self.pipeline(text(input, "pipelineName"))?;
        let stage = input.pointer("/filter/succeededInStage/stageName").and_then(Value::as_str);
        let succeeded = |execution: &Execution| {
            stage.is_none_or(|stage| {
                let stages = execution.declaration.stages.iter().zip(&execution.stages);
                stages
                    .into_iter()
                    .any(|(declared, run)| declared.name == stage && run.status == Some(StageStatus::Succeeded))
            })
        };
        let newest_first = pipeline.executions.iter().enumerate().rev();
        let found = newest_first.filter(|(_, execution)| succeeded(execution));
        let entries = found.map(|(index, execution)| (index.to_string(), execution_summary(pipeline, execution)));
        let request =
            Page { operation: "ListPipelineExecutions", output: "pipelineExecutionSummaries", default_size: 100 };
        page(&SERVICE, &request, input, entries)
    }

    pub(super) fn api_list_action_executions(&self, input: &Value) -> Result<Value, ApiError> {
        let name = text(input, "pipelineName");
        let pipeline = self.pipeline(name)?;
        let found = Wanted::read(name, pipeline, input)?.of(pipeline, Execution::action_executions);
        let entries =
            found.into_iter().map(|(execution, action)| (action.id.clone(), self.action_detail(execution, action)));
        let request = Page { operation: "ListActionExecutions", output: "actionExecutionDetails", default_size: 100 };
        page(&SERVICE, &request, input, entries)
    }

    fn action_detail(&self, execution: &Execution, action: &ActionExecution) -> Value {
        let stage = &execution.declaration.stages[action.stage];
        let declared = execution.declared(action);
        let shown = |configuration| self.types().masked_configuration(&action.type_id, configuration);
        let error = action.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
        // The approval token stands in the place of an external id: the one way to it in the PARALLEL mode.
        let token = action.approval_token.as_ref().map(|token| token.expose().to_owned());
        let result = without_nulls(json!({
            "externalExecutionId": token.or_else(|| action.external_execution_id.clone()),
            "externalExecutionSummary": action.summary,
            "externalExecutionUrl": action.external_execution_url,
            "errorDetails": error,
        }));
        let succeeded = action.status == ActionStatus::Succeeded;
        let outputs: &[Artifact] = if succeeded { &action.output_artifacts } else { &[] };
        without_nulls(json!({
            "pipelineExecutionId": execution.id,
            "actionExecutionId": action.id,
            "pipelineVersion": execution.version,
            "stageName": stage.name,
            "actionName": action.name,
            "startTime": epoch_seconds(action.started),
            "lastUpdateTime": epoch_seconds(action.updated),
            "updatedBy": action.updated_by,
            "status": action.status.as_str(),
            "input": without_nulls(json!({
                "actionTypeId": action.type_id,
                "configuration": declared.map(|declared| shown(&declared.configuration)),
                "resolvedConfiguration": shown(&action.configuration),
                "roleArn": declared.and_then(|declared| declared.role_arn.as_ref()),
                "region": action.region,
                "inputArtifacts": artifact_details(&action.input_artifacts),
                "namespace": declared.and_then(|declared| declared.namespace.as_ref()),
            })),
            "output": {
                "outputArtifacts": artifact_details(outputs),
                "executionResult": result,
                "outputVariables": action.output_variables,
            },
        }))
    }
}

/// What a list of action or rule executions is asked for.
pub(super) struct Wanted<'a> {
    execution: Option<&'a str>,
    /// Only the latest of each action or rule: `All` of them, or with `Latest` those that started since the execution
    /// was last retried.
    range: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// Reads the filter of ListActionExecutions or ListRuleExecutions.
    pub(super) fn read(name: &str, pipeline: &Pipeline, input: &'a Value) -> Result<Self, ApiError> {
        let filter = &input["filter"];
        let latest = filter.get("latestInPipelineExecution");
        let of_execution = optional_text(filter, "pipelineExecutionId");
        let of_latest = latest.and_then(|latest| optional_text(latest, "pipelineExecutionId"));
        if of_execution.is_some() && of_latest.is_some() {
            let message = "the filter has pipelineExecutionId and latestInPipelineExecution; keep one";
            return Err(ApiError::validation(message));
        }
        let execution = of_execution.or(of_latest);
        if let Some(id) = execution {
            pipeline.execution(id).ok_or_else(|| execution_not_found(name, id))?;
        }
        Ok(Self { execution, range: latest.and_then(|latest| optional_text(latest, "startTimeRange")) })
    }

    /// What is wanted of `all`, the newest first.
    pub(super) fn of<'p, I>(
        &self,
        pipeline: &'p Pipeline,
        all: impl Fn(&'p Execution) -> I,
    ) -> Vec<(&'p Execution, &'p ActionExecution)>
    where
        I: Iterator<Item = &'p ActionExecution>,
    {
        let executions = pipeline.executions.iter();
        let executions = executions.filter(|execution| self.execution.is_none_or(|id| execution.id == id));
        let found = executions.flat_map(|execution| all(execution).map(move |action| (execution, action)));
        let is_latest = |execution: &Execution, action: &ActionExecution| {
            let same = |other: &&ActionExecution| (other.stage, other.part) == (action.stage, action.part);
            execution.actions.iter().rfind(same).is_some_and(|last| last.id == action.id)
        };
        let mut found: Vec<_> = found
            .filter(|(execution, action)| match self.range {
                None => true,
                Some("Latest") => is_latest(execution, action) && action.started >= execution.attempt_started,
                Some(_) => is_latest(execution, action),
            })
            .collect();
        found.sort_by_key(|(_, action)| std::cmp::Reverse(action.sequence));
        found
    }
}

fn execution_summary(pipeline: &Pipeline, execution: &Execution) -> Value {
    let stop = execution.stop.as_ref().map(|stop| without_nulls(json!({"reason": stop.reason})));
    without_nulls(json!({
        "pipelineExecutionId": execution.id,
        "status": execution.status.as_str(),
        "statusSummary": execution.status_summary,
        "startTime": epoch_seconds(execution.started),
        "lastUpdateTime": epoch_seconds(execution.updated),
        "sourceRevisions": source_revisions(pipeline, execution),
        "trigger": trigger(execution),
        "stopTrigger": stop,
        "executionMode": execution.mode,
        "executionType": execution_type(execution),
        "rollbackMetadata": rollback_metadata(execution),
    }))
}

fn trigger(execution: &Execution) -> Value {
    json!({"triggerType": execution.trigger.0, "triggerDetail": execution.trigger.1})
}

/// `STANDARD`, or `ROLLBACK` for an execution that rolls a stage back.
pub(super) fn execution_type(execution: &Execution) -> &'static str {
    if execution.rollback_to.is_some() { "ROLLBACK" } else { "STANDARD" }
}

fn rollback_metadata(execution: &Execution) -> Option<Value> {
    execution.rollback_to.as_ref().map(|target| json!({"rollbackTargetPipelineExecutionId": target}))
}

/// The source actions with the revision that each took last; a rollback has those of the execution it goes back to.
fn taken_revisions<'a>(pipeline: &'a Pipeline, execution: &'a Execution) -> impl Iterator<Item = &'a ActionExecution> {
    let target = execution.rollback_to.as_ref().and_then(|target| pipeline.execution(target));
    let execution = target.map_or(execution, |(_, target)| target);
    let sources = execution.stages.first().map(|stage| stage.current.iter().flatten());
    let sources = sources.into_iter().flatten().map(|&index| &execution.actions[index]);
    sources.filter(|action| action.revision.is_some())
}

fn source_revisions(pipeline: &Pipeline, execution: &Execution) -> Value {
    let revisions = taken_revisions(pipeline, execution).map(|action| {
        let revision = action.revision.as_ref();
        without_nulls(json!({
            "actionName": action.name,
            "revisionId": revision.map(|revision| &revision.id),
            "revisionSummary": revision.map(|revision| &revision.summary).filter(|summary| !summary.is_empty()),
            "revisionUrl": revision.and_then(|revision| revision.url.as_ref()),
        }))
    });
    revisions.collect()
}

fn artifact_revisions(pipeline: &Pipeline, execution: &Execution) -> Value {
    let revisions = taken_revisions(pipeline, execution).flat_map(|action| {
        let revision = action.revision.as_ref();
        action.output_artifacts.iter().map(move |artifact| {
            without_nulls(json!({
                "name": artifact.name,
                "revisionId": revision.map(|revision| &revision.id),
                "revisionSummary": revision.map(|revision| &revision.summary).filter(|summary| !summary.is_empty()),
                "created": epoch_seconds(action.updated),
                "revisionUrl": revision.and_then(|revision| revision.url.as_ref()),
            }))
        })
    });
    revisions.collect()
}

pub(super) fn artifact_details(artifacts: &[Artifact]) -> Value {
    let list = artifacts
        .iter()
        .map(|artifact| json!({"name": artifact.name, "s3location": {"bucket": artifact.bucket, "key": artifact.key}}));
    list.collect()
}

fn execution_not_found(pipeline: &str, id: &str) -> ApiError {
    ApiError::new("PipelineExecutionNotFoundException", format!("pipeline {pipeline} has no execution {id}"))
}

fn pairs(list: &Value, first: &str, second: &str) -> Vec<(String, String)> {
    let entries = list.as_array().into_iter().flatten();
    entries.map(|entry| (text(entry, first).to_owned(), text(entry, second).to_owned())).collect()
}
