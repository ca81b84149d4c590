//! Rolling a stage back: a new execution that runs the stage as an earlier one did (AWS CodePipeline guide,
//! "Configuring stage rollback").

use jiff::Timestamp;

use super::Engine;
use super::model::{Execution, ExecutionRef, Pipeline, Place, StageRun};
use super::status::{ExecutionStatus, StageStatus};
use crate::declaration::ExecutionMode;
use crate::error::ApiError;
use crate::events::State;

impl Engine {
    /// RollbackStage; gives the id of the new execution.
    pub(crate) fn rollback_stage(
        &mut self,
        now: Timestamp,
        name: &str,
        stage: &str,
        target: &str,
    ) -> Result<String, ApiError> {
        let pipeline = self.pipeline(name)?;
        let stages = &pipeline.declaration().stages;
        let Some(place) = stages.iter().position(|declared| declared.name == stage) else {
            return Err(ApiError::stage_not_found(name, stage));
        };
        let Some((index, execution)) = pipeline.execution(target) else {
            let message = format!("pipeline {name} has no execution {target}");
            return Err(ApiError::new("PipelineExecutionNotFoundException", message));
        };
        if pipeline.declaration().execution_mode == ExecutionMode::Parallel {
            return Err(unable("a pipeline in the PARALLEL mode has no rollback".to_owned()));
        }
        if execution.version != pipeline.version {
            let (then, now) = (execution.version, pipeline.version);
            let message = format!("execution {target} ran version {then} of the pipeline, which is now {now}");
            return Err(ApiError::new("PipelineExecutionOutdatedException", message));
        }
        if place == 0 {
            return Err(unable(format!("{stage} is the source stage")));
        }
        if execution.rollback_to.is_some() {
            return Err(unable(format!("execution {target} was a rollback itself")));
        }
        if execution.stages[place].status != Some(StageStatus::Succeeded) {
            return Err(unable(format!("execution {target} did not succeed in stage {stage}")));
        }
        if self.is_locked(name, place) {
            return Err(unable(format!("stage {stage} is running; wait until it has ended")));
        }
        let at = ExecutionRef { pipeline: name.to_owned(), index };
        let trigger = ("ManualRollback".to_owned(), self.settings.caller_arn.clone());
        Ok(self.start_rollback(now, &at, place, trigger))
    }

    /// Goes back to the last execution that succeeded in a stage, after the one at `failed` has failed in it.
    pub(super) fn roll_back_automatically(&mut self, now: Timestamp, failed: &ExecutionRef, stage: usize) {
        let execution = self.execution(failed);
        let name = &execution.declaration.stages[stage].name;
        let target = self.pipelines.get(&failed.pipeline).and_then(|pipeline| last_good(pipeline, failed.index, stage));
        let Some(index) = target else {
            let message =
                format!("stage {name} could not be rolled back: no execution of this version has succeeded in it");
            self.execution_mut(failed).status_summary = Some(message);
            return;
        };
        let trigger = ("AutomatedRollback".to_owned(), execution.id.clone());
        let target = ExecutionRef { pipeline: failed.pipeline.clone(), index };
        let id = self.start_rollback(now, &target, stage, trigger);
        self.execution_mut(failed).status_summary = Some(format!("rolled back by the execution {id}"));
    }

    /// Starts an execution that runs a stage with the artifacts and variables of `target`. It enters at once: nobody is
    /// in the stage, and those that wait in front of it have waited for the one that failed.
    fn start_rollback(
        &mut self,
        now: Timestamp,
        target: &ExecutionRef,
        stage: usize,
        trigger: (String, String),
    ) -> String {
        let id = self.ids.uuid();
        let good = self.execution(target);
        let execution = Execution {
            id: id.clone(),
            version: good.version,
            mode: good.mode,
            status: ExecutionStatus::InProgress,
            status_summary: None,
            started: now,
            updated: now,
            trigger,
            attempt: 1,
            attempt_started: now,
            stop: None,
            place: Place::Ended,
            rollback_to: Some(good.id.clone()),
            variables: good.variables.clone(),
            requested_revisions: good.requested_revisions.clone(),
            stages: good.declaration.stages.iter().map(|declared| StageRun::new(declared.actions.len(), now)).collect(),
            actions: Vec::new(),
            artifacts: good.artifacts.clone(),
            namespaces: good.namespaces.clone(),
            declaration: good.declaration.clone(),
        };
        let Some(pipeline) = self.pipelines.get_mut(&target.pipeline) else { return id };
        let at = ExecutionRef { pipeline: target.pipeline.clone(), index: pipeline.executions.len() };
        pipeline.executions.push(execution);
        self.emit_execution(now, &at, State::Started);
        self.enter(now, &at, stage);
        id
    }
}

/// The execution that succeeded in a stage last: no rollback, of the version at hand, and not the one that failed.
fn last_good(pipeline: &Pipeline, failed: usize, stage: usize) -> Option<usize> {
    let good = |(index, execution): &(usize, &Execution)| {
        *index != failed
            && execution.rollback_to.is_none()
            && execution.version == pipeline.version
            && execution.mode != ExecutionMode::Parallel
            && execution.stages[stage].status == Some(StageStatus::Succeeded)
    };
    pipeline.executions.iter().enumerate().rev().find(good).map(|(index, _)| index)
}

fn unable(why: String) -> ApiError {
    ApiError::new("UnableToRollbackStageException", format!("the stage cannot be rolled back: {why}"))
}
