//! The way through the stages: waiting in front of one, entering it, running its groups, leaving it.

use jiff::Timestamp;

use super::Engine;
use super::condition::{Outcome, outcome};
use super::model::{ConditionRun, Execution, ExecutionRef, Phase, Place, StageRun};
use super::status::{ActionStatus, ConditionStatus, ExecutionStatus, StageStatus};
use crate::declaration::{ConditionResult, ExecutionMode, Moment, RetryMode};
use crate::events::{Change, StageChange, State};

/// The most actions of one PARALLEL execution at the same time (AWS CodePipeline guide, quotas).
const PARALLEL_ACTIONS: usize = 5;

/// What a stage does next.
enum Step {
    /// Nothing until an action or a rule has ended.
    Wait,
    /// Start the actions of these indices.
    Start(Vec<usize>),
    /// Go on with the next phase.
    Go(Phase),
    /// Start the rules of a condition.
    Evaluate(Moment),
    /// Say what the rules of a condition have come to.
    Conclude(Moment),
    /// Begin once more.
    Retry,
    /// End.
    End(StageStatus),
    /// Fail, and go back to the last execution that succeeded in the stage.
    RollBack,
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
        let locked = self.is_locked(pipeline, stage);
        self.waiting(pipeline, stage).into_iter().find(|at| {
            let execution = self.execution(at);
            (execution.mode == ExecutionMode::Parallel || !locked) && self.transition_is_enabled(execution, stage)
        })
    }

    /// Whether an execution is in a stage. Those of the PARALLEL mode do not count.
    pub(super) fn is_locked(&self, pipeline: &str, stage: usize) -> bool {
        let executions = self.pipelines.get(pipeline).into_iter().flat_map(|pipeline| &pipeline.executions);
        executions
            .into_iter()
            .any(|execution| execution.mode != ExecutionMode::Parallel && execution.place == Place::In(stage))
    }

    pub(super) fn enter(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize) {
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
                Step::Go(phase) => self.execution_mut(at).stages[stage].phase = phase,
                Step::Evaluate(moment) => self.evaluate(now, at, stage, moment),
                Step::Conclude(moment) => self.conclude(now, at, stage, moment),
                Step::Retry => self.retry_automatically(now, at, stage),
                Step::End(status) => return self.leave(now, at, stage, status, false),
                Step::RollBack => return self.leave(now, at, stage, StageStatus::Failed, true),
            }
        }
    }

    /// Ends a stage, moves its execution on, and lets the next one in.
    fn leave(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, status: StageStatus, roll_back: bool) {
        self.set_stage_status(now, at, stage, status);
        let execution = self.execution(at);
        // An execution that rolls a stage back is about that stage only.
        let last = stage + 1 == execution.stages.len() || execution.rollback_to.is_some();
        match status {
            StageStatus::Succeeded | StageStatus::Skipped if last => {
                self.end_execution(now, at, ExecutionStatus::Succeeded);
            }
            StageStatus::Succeeded | StageStatus::Skipped => self.arrive(now, at, stage + 1),
            StageStatus::Stopped => self.end_execution(now, at, ExecutionStatus::Stopped),
            _ => self.end_execution(now, at, ExecutionStatus::Failed),
        }
        if roll_back {
            self.roll_back_automatically(now, at, stage);
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
            StageStatus::Skipped => State::Skipped,
        };
        match status {
            StageStatus::Stopped => self.end_conditions(now, at, stage, ConditionStatus::Abandoned),
            StageStatus::Cancelled => self.end_conditions(now, at, stage, ConditionStatus::Cancelled),
            _ => {}
        }
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
    let of_stage = execution.actions.iter().filter(|action| action.stage == stage && action.is_running());
    // Actions and rules that run beside a request to stop may finish.
    if execution.stop.is_some() {
        return if of_stage.count() > 0 { Step::Wait } else { Step::End(StageStatus::Stopped) };
    }
    let run = &execution.stages[stage];
    let result = |moment| execution.declaration.stages[stage].condition(moment).and_then(|condition| condition.result);
    match run.phase {
        Phase::Entry => match outcome(execution, stage, Moment::BeforeEntry) {
            Outcome::Met => Step::Go(Phase::Actions),
            Outcome::NotMet if result(Moment::BeforeEntry) == Some(ConditionResult::Skip) => {
                Step::End(StageStatus::Skipped)
            }
            Outcome::NotMet => Step::End(StageStatus::Failed),
            other => look(other, Moment::BeforeEntry),
        },
        Phase::Actions => next_actions(execution, run, stage),
        Phase::Success => match outcome(execution, stage, Moment::OnSuccess) {
            Outcome::Met => Step::End(StageStatus::Succeeded),
            Outcome::NotMet if result(Moment::OnSuccess) == Some(ConditionResult::Rollback) => Step::RollBack,
            Outcome::NotMet => Step::End(StageStatus::Failed),
            other => look(other, Moment::OnSuccess),
        },
        Phase::Failure => after_failure(execution, run, stage),
    }
}

/// What a condition that is not decided needs.
fn look(outcome: Outcome, moment: Moment) -> Step {
    match outcome {
        Outcome::Unknown => Step::Evaluate(moment),
        Outcome::Complete => Step::Conclude(moment),
        _ => Step::Wait,
    }
}

fn next_actions(execution: &Execution, run: &StageRun, stage: usize) -> Step {
    let declared = &execution.declaration.stages[stage].actions;
    let status = |current: &Option<usize>| current.map(|index| execution.actions[index].status);
    let statuses: Vec<_> = run.current.iter().map(status).collect();
    let count = |wanted: ActionStatus| statuses.iter().filter(|status| **status == Some(wanted)).count();
    let running = count(ActionStatus::InProgress);
    // Actions that run beside a failed one may finish.
    if count(ActionStatus::Failed) + count(ActionStatus::Abandoned) > 0 {
        return if running > 0 { Step::Wait } else { Step::Go(Phase::Failure) };
    }
    let unfinished = declared.iter().zip(&statuses).filter(|(_, status)| **status != Some(ActionStatus::Succeeded));
    let Some(group) = unfinished.map(|(action, _)| action.run_order).min() else {
        return Step::Go(Phase::Success);
    };
    let limit = if execution.mode == ExecutionMode::Parallel { PARALLEL_ACTIONS } else { usize::MAX };
    let ready = declared.iter().zip(&statuses).enumerate();
    let ready = ready.filter(|(_, (action, status))| action.run_order == group && status.is_none());
    let ready: Vec<_> = ready.map(|(index, _)| index).take(limit.saturating_sub(running)).collect();
    if ready.is_empty() { Step::Wait } else { Step::Start(ready) }
}

/// What becomes of a stage whose action has failed. An execution that rolls back is not rolled back or retried.
fn after_failure(execution: &Execution, run: &StageRun, stage: usize) -> Step {
    let declared = execution.declaration.stages[stage].on_failure.as_ref();
    let Some(failure) = declared.filter(|_| execution.rollback_to.is_none()) else {
        return Step::End(StageStatus::Failed);
    };
    let result = match failure.conditions.first() {
        None => failure.result,
        // The result engages when the rules succeed.
        Some(condition) => match outcome(execution, stage, Moment::OnFailure) {
            Outcome::Met => condition.result,
            Outcome::NotMet => Some(ConditionResult::Fail),
            other => return look(other, Moment::OnFailure),
        },
    };
    match result {
        Some(ConditionResult::Retry) if run.automatic_retries == 0 => Step::Retry,
        Some(ConditionResult::Rollback) => Step::RollBack,
        _ => Step::End(StageStatus::Failed),
    }
}

/// Which actions an automatic retry runs.
pub(super) fn retry_mode(execution: &Execution, stage: usize) -> RetryMode {
    let failure = execution.declaration.stages[stage].on_failure.as_ref();
    let configured = failure.and_then(|failure| failure.retry_configuration.as_ref()?.retry_mode);
    configured.unwrap_or(RetryMode::FailedActions)
}

impl Execution {
    /// Forgets what a stage's actions have come to, as far as a retry runs them again, and the conditions after them.
    pub(super) fn begin_again(&mut self, stage: usize, mode: RetryMode) {
        let succeeded = |index: usize| self.actions[index].status == ActionStatus::Succeeded;
        let kept = |current: &Option<usize>| mode == RetryMode::FailedActions && current.is_some_and(succeeded);
        let current: Vec<_> =
            self.stages[stage].current.iter().map(|current| current.filter(|_| kept(current))).collect();
        let run = &mut self.stages[stage];
        run.current = current;
        let entered = matches!(
            run.condition(Moment::BeforeEntry).status,
            None | Some(ConditionStatus::Succeeded | ConditionStatus::Overridden)
        );
        if mode == RetryMode::AllActions || !entered {
            *run.condition_mut(Moment::BeforeEntry) = ConditionRun::default();
        }
        for moment in [Moment::OnSuccess, Moment::OnFailure] {
            *run.condition_mut(moment) = ConditionRun::default();
        }
        run.phase = Phase::Entry;
    }

    /// The execution of a rule in the present evaluation of its condition.
    pub(crate) fn rule(&self, stage: usize, moment: Moment, name: &str) -> Option<&super::ActionExecution> {
        let rules = self.stages[stage].condition(moment).rules.iter().map(|&index| &self.actions[index]);
        rules.into_iter().find(|execution| execution.name == name)
    }
}
