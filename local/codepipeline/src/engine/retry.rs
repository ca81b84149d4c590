//! Running a failed stage again.

use jiff::Timestamp;

use super::Engine;
use super::execution::check_concurrency;
use super::model::{Execution, ExecutionRef, Pipeline, Place};
use super::stage::retry_mode;
use super::status::{ExecutionStatus, StageStatus};
use crate::declaration::{ExecutionMode, RetryMode};
use crate::error::ApiError;
use crate::events::State;

impl Engine {
    /// RetryStageExecution. The execution keeps its id and goes on in the stage.
    pub(crate) fn retry_stage(
        &mut self,
        now: Timestamp,
        name: &str,
        stage: &str,
        id: &str,
        mode: RetryMode,
    ) -> Result<(), ApiError> {
        let pipeline = self.pipeline(name)?;
        if !pipeline.declaration().stages.iter().any(|declared| declared.name == stage) {
            return Err(ApiError::stage_not_found(name, stage));
        }
        let Some((index, execution)) = pipeline.execution(id) else {
            return Err(not_retryable(format!("pipeline {name} has no execution {id}")));
        };
        let place = check_retryable(pipeline, (index, execution), stage)?;
        check_concurrency(pipeline, execution.mode)?;

        let at = ExecutionRef { pipeline: name.to_owned(), index };
        let execution = self.execution_mut(&at);
        execution.begin_again(place, mode);
        let run = &mut execution.stages[place];
        run.status = Some(StageStatus::InProgress);
        run.last_retry = Some(now);
        run.manual_retries += 1;
        run.last_retry_automatic = false;
        execution.place = Place::In(place);
        execution.status = ExecutionStatus::InProgress;
        execution.status_summary = None;
        execution.stop = None;
        execution.attempt += 1;
        execution.attempt_started = now;
        execution.updated = now;
        self.emit_execution(now, &at, State::Resumed);
        self.emit_stage(now, &at, place, State::Resumed);
        self.advance(now, &at);
        Ok(())
    }

    /// The one retry that a stage does by itself. The execution stays in the stage, which fails and is resumed.
    pub(super) fn retry_automatically(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize) {
        self.set_stage_status(now, at, stage, StageStatus::Failed);
        let execution = self.execution_mut(at);
        let mode = retry_mode(execution, stage);
        execution.begin_again(stage, mode);
        execution.attempt += 1;
        execution.attempt_started = now;
        let run = &mut execution.stages[stage];
        run.status = Some(StageStatus::InProgress);
        run.last_retry = Some(now);
        run.automatic_retries += 1;
        run.last_retry_automatic = true;
        self.emit_stage(now, at, stage, State::Resumed);
    }
}

/// The index of the stage, where it may be retried.
fn check_retryable(pipeline: &Pipeline, found: (usize, &Execution), stage: &str) -> Result<usize, ApiError> {
    let (index, execution) = found;
    if !execution.status.is_final() {
        return Err(ApiError::new(
            "ConflictException",
            format!("execution {} is in progress; wait until it has ended", execution.id),
        ));
    }
    if execution.version != pipeline.version {
        let (then, now) = (execution.version, pipeline.version);
        return Err(not_retryable(format!("the execution ran version {then} of the pipeline, which is now {now}")));
    }
    let place = execution.declaration.stages.iter().position(|declared| declared.name == stage);
    let place = place.ok_or_else(|| not_retryable(format!("the execution has no stage {stage}")))?;
    match execution.stages[place].status {
        Some(StageStatus::Failed | StageStatus::Stopped) => {}
        Some(status) => return Err(not_retryable(format!("stage {stage} is {}", status.as_str()))),
        None => return Err(not_retryable(format!("the execution did not reach stage {stage}"))),
    }
    if execution.mode != ExecutionMode::Parallel && pipeline.latest.get(stage) != Some(&index) {
        let message = format!("a later execution has run in stage {stage}; retry that one, or start a new one");
        return Err(ApiError::new("NotLatestPipelineExecutionException", message));
    }
    Ok(place)
}

fn not_retryable(why: String) -> ApiError {
    ApiError::new("StageNotRetryableException", format!("the stage cannot be retried: {why}"))
}
