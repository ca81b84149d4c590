//! The way through the stages: waiting in front of one, entering it, running its groups, leaving it.

use jiff::Timestamp;

use super::Engine;
use super::model::{Execution, ExecutionRef, Place};
use super::status::{ActionStatus, ExecutionStatus, StageStatus};
use crate::declaration::ExecutionMode;
use crate::events::{Change, StageChange, State};

/// The most actions of one PARALLEL execution at the same time (AWS CodePipeline guide, quotas).
const PARALLEL_ACTIONS: usize = 5;

/// What a stage does next.
enum Step {
    /// Nothing until an action has ended.
    Wait,
    /// Start the actions of these indices.
    Start(Vec<usize>),
    /// End.
    End(StageStatus),
}

impl Engine {
    /// Puts an execution in front of a stage, and into it where it may enter.
    pub(super) fn arrive(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize) {
        let ticket = self.next_sequence();
        self.execution_mut(at).place = Place::Waiting { stage, ticket };
        self.admit(now, &at.pipeline, stage);
        self.supersede(now, at, stage);
    }

    /// Of the SUPERSEDED executions that still wait in front of a stage, only the one started last goes on waiting.
    fn supersede(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize) {
        let superseding = |execution: &Execution| execution.mode == ExecutionMode::Superseded;
        let waiting = self.waiting(&at.pipeline, stage);
        let mut waiting: Vec<_> = waiting.into_iter().filter(|other| superseding(self.execution(other))).collect();
        waiting.sort_by_key(|other| other.index);
        let Some(newest) = waiting.pop() else { return };
        let id = self.execution(&newest).id.clone();
        for older in waiting {
            self.execution_mut(&older).status_summary = Some(format!("superseded by the execution {id}"));
            self.end_execution(now, &older, ExecutionStatus::Superseded);
        }
    }

    /// The executions in front of a stage in the order of their arrival.
    pub(crate) fn waiting(&self, pipeline: &str, stage: usize) -> Vec<ExecutionRef> {
        let Some(found) = self.pipelines.get(pipeline) else { return Vec::new() };
        let mut waiting: Vec<_> = found
            .executions
            .iter()
            .enumerate()
            .filter_map(|(index, execution)| match execution.place {
                Place::Waiting { stage: place, ticket } if place == stage => Some((ticket, index)),
                _ => None,
            })
            .collect();
        waiting.sort_unstable();
        waiting.into_iter().map(|(_, index)| ExecutionRef { pipeline: pipeline.to_owned(), index }).collect()
    }

    /// Lets executions into a stage as long as there is one that may enter.
    pub(super) fn admit(&mut self, now: Timestamp, pipeline: &str, stage: usize) {
        while let Some(next) = self.next_admitted(pipeline, stage) {
            self.enter(now, &next, stage);
        }
    }

    fn next_admitted(&self, pipeline: &str, stage: usize) -> Option<ExecutionRef> {
        let locked = self
            .pipelines
            .get(pipeline)?
            .executions
            .iter()
            .any(|execution| execution.mode != ExecutionMode::Parallel && execution.place == Place::In(stage));
        self.waiting(pipeline, stage).into_iter().find(|at| {
            let execution = self.execution(at);
            (execution.mode == ExecutionMode::Parallel || !locked) && self.transition_is_enabled(execution, stage)
        })
    }

    fn enter(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize) {
        let execution = self.execution_mut(at);
        execution.place = Place::In(stage);
        execution.updated = now;
        execution.stages[stage].started = now;
        if execution.mode != ExecutionMode::Parallel {
            let name = execution.declaration.stages[stage].name.clone();
            let pipeline = self.pipelines.get_mut(&at.pipeline).expect("an execution has its pipeline");
            pipeline.latest.insert(name, at.index);
        }
        self.set_stage_status(now, at, stage, StageStatus::InProgress);
        self.advance(now, at);
    }

    /// Goes on with the stage that an execution is in, as far as it goes without waiting.
    pub(super) fn advance(&mut self, now: Timestamp, at: &ExecutionRef) {
        while let Place::In(stage) = self.execution(at).place {
            match next_step(self.execution(at), stage) {
                Step::Wait => return,
                Step::Start(actions) => {
                    for action in actions {
                        self.start_action(now, at, stage, action);
                    }
                }
                Step::End(status) => return self.leave(now, at, stage, status),
            }
        }
    }

    /// Ends a stage, moves its execution on, and lets the next one in.
    pub(super) fn leave(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, status: StageStatus) {
        self.set_stage_status(now, at, stage, status);
        let last = stage + 1 == self.execution(at).stages.len();
        match status {
            StageStatus::Succeeded if last => self.end_execution(now, at, ExecutionStatus::Succeeded),
            StageStatus::Succeeded => self.arrive(now, at, stage + 1),
            StageStatus::Stopped => self.end_execution(now, at, ExecutionStatus::Stopped),
            _ => self.end_execution(now, at, ExecutionStatus::Failed),
        }
        self.admit(now, &at.pipeline, stage);
    }

    pub(super) fn set_stage_status(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, status: StageStatus) {
        let state = match status {
            StageStatus::InProgress => State::Started,
            StageStatus::Stopping => State::Stopping,
            StageStatus::Stopped => State::Stopped,
            StageStatus::Succeeded => State::Succeeded,
            StageStatus::Failed => State::Failed,
            StageStatus::Cancelled => State::Canceled,
        };
        let execution = self.execution_mut(at);
        execution.stages[stage].status = Some(status);
        execution.updated = now;
        self.emit_stage(now, at, stage, state);
    }

    pub(super) fn emit_stage(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, state: State) {
        let execution = self.execution(at);
        let run = &execution.stages[stage];
        let change = StageChange {
            stage: execution.declaration.stages[stage].name.clone(),
            state,
            start_time: run.started,
            last_retry: run.last_retry,
        };
        self.emit(now, at, Change::Stage(change));
    }
}

fn next_step(execution: &Execution, stage: usize) -> Step {
    let declared = &execution.declaration.stages[stage].actions;
    let status = |current: &Option<usize>| current.map(|index| execution.actions[index].status);
    let statuses: Vec<_> = execution.stages[stage].current.iter().map(status).collect();
    let count = |wanted: ActionStatus| statuses.iter().filter(|status| **status == Some(wanted)).count();
    let running = count(ActionStatus::InProgress);
    // Actions that run beside a failed one, or beside a request to stop, may finish.
    if execution.stop.is_some() {
        return if running > 0 { Step::Wait } else { Step::End(StageStatus::Stopped) };
    }
    if count(ActionStatus::Failed) + count(ActionStatus::Abandoned) > 0 {
        return if running > 0 { Step::Wait } else { Step::End(StageStatus::Failed) };
    }
    let unfinished = declared.iter().zip(&statuses).filter(|(_, status)| **status != Some(ActionStatus::Succeeded));
    let Some(group) = unfinished.map(|(action, _)| action.run_order).min() else {
        return Step::End(StageStatus::Succeeded);
    };
    let limit = if execution.mode == ExecutionMode::Parallel { PARALLEL_ACTIONS } else { usize::MAX };
    let ready = declared.iter().zip(&statuses).enumerate();
    let ready = ready.filter(|(_, (action, status))| action.run_order == group && status.is_none());
    let ready: Vec<_> = ready.map(|(index, _)| index).take(limit.saturating_sub(running)).collect();
    if ready.is_empty() { Step::Wait } else { Step::Start(ready) }
}
