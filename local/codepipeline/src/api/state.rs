//! GetPipelineState: every stage with the execution that entered it last and those that wait in front of it.

use serde_json::{Value, json};

use super::conditions::condition_state;
use super::executions::execution_type;
use super::text;
use crate::aws_json::{epoch_seconds, without_nulls};
use crate::declaration::{ActionDeclaration, ExecutionMode, Moment, StageDeclaration};
use crate::engine::{ActionExecution, Engine, Execution, Pipeline, StageRun, Work};
use crate::error::ApiError;

impl Engine {
    pub(super) fn api_get_state(&self, input: &Value) -> Result<Value, ApiError> {
        let name = text(input, "name");
        let pipeline = self.pipeline(name)?;
        let stages = (0..pipeline.declaration().stages.len()).map(|index| self.stage_state(name, pipeline, index));
        Ok(json!({
            "pipelineName": name,
            "pipelineVersion": pipeline.version,
            "stageStates": stages.collect::<Vec<_>>(),
            "created": epoch_seconds(pipeline.created),
            "updated": epoch_seconds(pipeline.updated),
        }))
    }

    fn stage_state(&self, name: &str, pipeline: &Pipeline, index: usize) -> Value {
        let declaration = pipeline.declaration();
        let stage = &declaration.stages[index];
        // A pipeline in the PARALLEL mode has no state.
        let latest = pipeline.latest.get(&stage.name).filter(|_| declaration.execution_mode != ExecutionMode::Parallel);
        let latest = latest.map(|&latest| &pipeline.executions[latest]);
        let place = latest.and_then(|execution| place_of(execution, &stage.name));
        let run = latest.zip(place).map(|(execution, place)| (execution, place, &execution.stages[place]));
        let actions = stage.actions.iter().map(|action| {
            let execution = run.and_then(|(execution, place, _)| latest_action(execution, place, &action.name));
            self.action_state(action, execution)
        });
        let inbound: Vec<_> = self
            .waiting(name, index)
            .into_iter()
            .map(|at| self.execution(&at))
            .filter(|execution| execution.mode != ExecutionMode::Parallel)
            .map(|execution| stage_execution(execution, "InProgress"))
            .collect();
        let latest_execution =
            run.and_then(|(execution, _, run)| Some(stage_execution(execution, run.status?.as_str())));
        let condition = |moment| condition_state(stage, run.map(|(execution, place, _)| (execution, place)), moment);
        without_nulls(json!({
            "stageName": stage.name,
            "inboundExecution": inbound.last(),
            "inboundExecutions": inbound,
            "inboundTransitionState": self.transition_state(name, index, stage),
            "actionStates": actions.collect::<Vec<_>>(),
            "latestExecution": latest_execution,
            "beforeEntryConditionState": condition(Moment::BeforeEntry),
            "onSuccessConditionState": condition(Moment::OnSuccess),
            "onFailureConditionState": condition(Moment::OnFailure),
            "retryStageMetadata": run.and_then(|(_, _, run)| retry_metadata(run)),
        }))
    }

    fn transition_state(&self, name: &str, index: usize, stage: &StageDeclaration) -> Value {
        let Ok(pipeline) = self.pipeline(name) else { return json!({"enabled": true}) };
        let before = index.checked_sub(1).map(|before| pipeline.declaration().stages[before].name.as_str());
        let disabled = self.disabled_transition(name, &stage.name, before);
        let shown = disabled.or_else(|| pipeline.transitions.get(&stage.name).map(|both| &both.inbound));
        let changed = shown.and_then(|transition| transition.changed.as_ref());
        without_nulls(json!({
            "enabled": disabled.is_none(),
            "lastChangedBy": changed.map(|(_, by)| by),
            "lastChangedAt": changed.map(|(at, _)| epoch_seconds(*at)),
            "disabledReason": disabled.and_then(|transition| transition.disabled_reason.as_ref()),
        }))
    }

    fn action_state(&self, declared: &ActionDeclaration, latest: Option<&ActionExecution>) -> Value {
        let revision = latest.and_then(|action| Some((action, action.revision.as_ref()?)));
        let current_revision = revision.map(|(action, revision)| {
            let change_id = revision.id.chars().take(100).collect::<String>();
            json!({"revisionId": revision.id, "revisionChangeId": change_id, "created": epoch_seconds(action.updated)})
        });
        let revision_url = revision.and_then(|(_, revision)| revision.url.clone());
        let custom = self.types().once_custom(&declared.action_type_id);
        let links =
            custom.map(|custom| (custom, latest.map_or(&declared.configuration, |action| &action.configuration)));
        without_nulls(json!({
            "actionName": declared.name,
            "currentRevision": current_revision,
            "latestExecution": latest.map(action_execution),
            "entityUrl": links.and_then(|(custom, configuration)| custom.entity_url(configuration)),
            "revisionUrl": revision_url.or_else(|| links.and_then(|(custom, configuration)| custom.revision_url(configuration))),
        }))
    }
}

/// The index that a stage has in the version that an execution ran.
fn place_of(execution: &Execution, stage: &str) -> Option<usize> {
    execution.declaration.stages.iter().position(|declared| declared.name == stage)
}

/// The latest execution of the action in this attempt at the stage.
fn latest_action<'a>(execution: &'a Execution, stage: usize, name: &str) -> Option<&'a ActionExecution> {
    let action = execution.declaration.stages[stage].actions.iter().position(|declared| declared.name == name)?;
    Some(&execution.actions[execution.stages[stage].current[action]?])
}

fn retry_metadata(run: &StageRun) -> Option<Value> {
    let attempts = |attempts: u32| (attempts > 0).then_some(attempts);
    let (automatic, manual) = (attempts(run.automatic_retries), attempts(run.manual_retries));
    automatic.or(manual)?;
    let trigger = if run.last_retry_automatic { "AutomatedStageRetry" } else { "ManualStageRetry" };
    Some(without_nulls(json!({
        "autoStageRetryAttempt": automatic,
        "manualStageRetryAttempt": manual,
        "latestRetryTrigger": trigger,
    })))
}

fn stage_execution(execution: &Execution, status: &str) -> Value {
    json!({"pipelineExecutionId": execution.id, "status": status, "type": execution_type(execution)})
}

fn action_execution(action: &ActionExecution) -> Value {
    let waits = matches!(action.work, Work::Approval { .. });
    let token = action.approval_token.as_ref().filter(|_| waits).map(|token| token.expose());
    let error = action.error.as_ref().map(|error| json!({"code": error.code, "message": error.message}));
    without_nulls(json!({
        "actionExecutionId": action.id,
        "status": action.status.as_str(),
        "summary": action.summary,
        "lastStatusChange": epoch_seconds(if action.is_running() { action.started } else { action.updated }),
        "token": token,
        "lastUpdatedBy": action.updated_by,
        "externalExecutionId": action.external_execution_id,
        "externalExecutionUrl": action.external_execution_url,
        "percentComplete": action.percent_complete,
        "errorDetails": error,
    }))
}
