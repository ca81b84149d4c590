//! The life of a pipeline execution: its start, its way from stage to stage, its end.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Engine;
use super::model::{Execution, ExecutionRef, Pipeline, Place, StageRun};
use super::status::{ExecutionStatus, StageStatus};
use crate::declaration::{ExecutionMode, PipelineDeclaration};
use crate::error::ApiError;
use crate::events::{Change, ExecutionChange, State};

/// The most executions of a QUEUED or PARALLEL pipeline at the same time (AWS CodePipeline guide, quotas).
const CONCURRENT_EXECUTIONS: usize = 50;

/// What StartPipelineExecution is asked for.
#[derive(Default)]
pub(crate) struct StartRequest {
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) client_request_token: Option<String>,
    /// Revisions by the name of the source action.
    pub(crate) source_revisions: Vec<(String, String)>,
    /// Type and detail.
    pub(crate) trigger: (String, String),
}

impl Engine {
    /// Starts an execution and gives its id; for a client request token that was seen before, the id of then.
    pub(crate) fn start_execution(
        &mut self,
        now: Timestamp,
        name: &str,
        request: StartRequest,
    ) -> Result<String, ApiError> {
        let pipeline = self.pipeline(name)?;
        if let Some(known) = request.client_request_token.as_ref().and_then(|token| pipeline.request_tokens.get(token))
        {
            return Ok(known.clone());
        }
        let declaration = pipeline.declaration().clone();
        let variables = resolve_pipeline_variables(&declaration, &request.variables)?;
        let requested_revisions = check_source_revisions(&declaration, request.source_revisions)?;
        check_concurrency(pipeline, declaration.execution_mode)?;

        let id = self.ids.uuid();
        let execution = Execution {
            id: id.clone(),
            version: declaration.version,
            mode: declaration.execution_mode,
            status: ExecutionStatus::InProgress,
            status_summary: None,
            started: now,
            updated: now,
            trigger: request.trigger,
            attempt: 1,
            attempt_started: now,
            stop: None,
            place: Place::Ended,
            rollback_to: None,
            variables,
            requested_revisions,
            stages: declaration.stages.iter().map(|declared| StageRun::new(declared.actions.len(), now)).collect(),
            actions: Vec::new(),
            artifacts: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            declaration,
        };
        let pipeline = self.pipeline_mut(name)?;
        let at = ExecutionRef { pipeline: name.to_owned(), index: pipeline.executions.len() };
        pipeline.executions.push(execution);
        if let Some(token) = request.client_request_token {
            pipeline.request_tokens.insert(token, id.clone());
        }
        self.emit_execution(now, &at, State::Started);
        self.arrive(now, &at, 0);
        Ok(id)
    }

    /// Ends an execution: its status, its event, its place.
    pub(super) fn end_execution(&mut self, now: Timestamp, at: &ExecutionRef, status: ExecutionStatus) {
        let execution = self.execution_mut(at);
        execution.status = status;
        execution.updated = now;
        execution.place = Place::Ended;
        let state = match status {
            ExecutionStatus::Succeeded => State::Succeeded,
            ExecutionStatus::Failed => State::Failed,
            ExecutionStatus::Superseded => State::Superseded,
            ExecutionStatus::Cancelled => State::Canceled,
            ExecutionStatus::Stopped => State::Stopped,
            ExecutionStatus::InProgress | ExecutionStatus::Stopping => unreachable!("an end has a final status"),
        };
        self.emit_execution(now, at, state);
    }

    /// Ends an execution because its pipeline was changed or deleted. No other execution moves up: all end together.
    pub(super) fn cancel_execution(&mut self, now: Timestamp, at: &ExecutionRef) {
        if let Place::In(stage) = self.execution(at).place {
            self.abandon_actions(now, at, State::Canceled);
            self.set_stage_status(now, at, stage, StageStatus::Cancelled);
        }
        let summary = "the pipeline was changed before the execution could be completed";
        self.execution_mut(at).status_summary = Some(summary.to_owned());
        self.end_execution(now, at, ExecutionStatus::Cancelled);
    }

    /// Ends every action and rule of an execution that runs.
    pub(super) fn abandon_actions(&mut self, now: Timestamp, at: &ExecutionRef, state: State) {
        let running = self.execution(at).actions.iter().enumerate().filter(|(_, action)| action.is_running());
        for index in running.map(|(index, _)| index).collect::<Vec<_>>() {
            self.abandon(now, &super::ActionRef { execution: at.clone(), index }, state);
        }
    }

    pub(super) fn emit_execution(&mut self, now: Timestamp, at: &ExecutionRef, state: State) {
        let execution = self.execution(at);
        let stop_reason = execution.stop.as_ref().and_then(|stop| stop.reason.clone());
        let change = ExecutionChange {
            state,
            start_time: execution.started,
            trigger: execution.trigger.clone(),
            stop_reason: stop_reason.filter(|_| state == State::Stopping),
        };
        self.emit(now, at, Change::Execution(change));
    }
}

fn resolve_pipeline_variables(
    declaration: &PipelineDeclaration,
    given: &[(String, String)],
) -> Result<BTreeMap<String, String>, ApiError> {
    let declared = |name: &str| declaration.variables.iter().any(|variable| variable.name == name);
    let mut values = BTreeMap::new();
    for (name, value) in given {
        if !declared(name) {
            return Err(ApiError::validation(format!("pipeline {} declares no variable {name}", declaration.name)));
        }
        if values.insert(name.clone(), value.clone()).is_some() {
            return Err(ApiError::validation(format!("the variable {name} is given twice")));
        }
    }
    for variable in &declaration.variables {
        if values.contains_key(&variable.name) {
            continue;
        }
        let Some(default) = &variable.default_value else {
            let message = format!("the variable {} has no default value and must be given", variable.name);
            return Err(ApiError::validation(message));
        };
        values.insert(variable.name.clone(), default.clone());
    }
    Ok(values)
}

fn check_source_revisions(
    declaration: &PipelineDeclaration,
    given: Vec<(String, String)>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut revisions = BTreeMap::new();
    for (action, revision) in given {
        if !declaration.stages[0].actions.iter().any(|source| source.name == action) {
            let message = format!("pipeline {} has no source action {action}", declaration.name);
            return Err(ApiError::validation(message));
        }
        if revisions.insert(action.clone(), revision).is_some() {
            return Err(ApiError::validation(format!("the source action {action} is given two revisions")));
        }
    }
    Ok(revisions)
}

/// QUEUED and PARALLEL executions are counted; SUPERSEDED ones cannot pile up.
pub(super) fn check_concurrency(pipeline: &Pipeline, mode: ExecutionMode) -> Result<(), ApiError> {
    let active = pipeline.executions.iter().filter(|execution| !execution.status.is_final()).count();
    if mode == ExecutionMode::Superseded || active < CONCURRENT_EXECUTIONS {
        return Ok(());
    }
    let message = "the pipeline has 50 executions in progress, which is the most; wait until one has ended";
    Err(ApiError::new("ConcurrentPipelineExecutionsLimitExceededException", message))
}
