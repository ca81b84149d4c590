//! Stopping an execution: after the actions that run, or at once.

use jiff::Timestamp;

use super::Engine;
use super::model::{ExecutionRef, Place, Stop};
use super::status::{ExecutionStatus, StageStatus};
use crate::error::ApiError;
use crate::events::State;

impl Engine {
    /// StopPipelineExecution. With `abandon` the actions that run are given up, else they are waited for.
    pub(crate) fn stop_execution(
        &mut self,
        now: Timestamp,
        name: &str,
        id: &str,
        abandon: bool,
        reason: Option<String>,
    ) -> Result<(), ApiError> {
        let not_stoppable =
            |why: String| ApiError::new("PipelineExecutionNotStoppableException", format!("execution {id} {why}"));
        let Some((index, execution)) = self.pipeline(name)?.execution(id) else {
            return Err(not_stoppable(format!("does not exist in pipeline {name}")));
        };
        if execution.status.is_final() {
            return Err(not_stoppable(format!("has ended already, as {}", execution.status.as_str())));
        }
        let already = execution.stop.as_ref().map(|stop| stop.abandon);
        if already.is_some_and(|abandoned| abandoned || !abandon) {
            let message = format!(
                "execution {id} is stopping already and waits for its actions; stop it with abandon to give them up"
            );
            return Err(ApiError::new("DuplicatedStopRequestException", message));
        }
        let at = ExecutionRef { pipeline: name.to_owned(), index };
        let execution = self.execution_mut(&at);
        let reason = reason.or_else(|| execution.stop.take().and_then(|stop| stop.reason));
        execution.stop = Some(Stop { reason: reason.clone(), abandon });
        execution.status = ExecutionStatus::Stopping;
        execution.status_summary = reason;
        execution.updated = now;
        let place = execution.place;
        if already.is_none() {
            self.emit_execution(now, &at, State::Stopping);
        }
        let Place::In(stage) = place else {
            self.end_execution(now, &at, ExecutionStatus::Stopped);
            return Ok(());
        };
        if already.is_none() {
            self.set_stage_status(now, &at, stage, StageStatus::Stopping);
        }
        if abandon {
            self.abandon_actions(now, &at, State::Abandoned);
        }
        self.advance(now, &at);
        Ok(())
    }
}
