//! Stage conditions: what their rules come to, and overriding them (AWS CodePipeline guide, "Configure conditions for
//! a stage").
//!
//! The rules of a condition run at the same time. All of them must succeed for the condition to be met.

use jiff::Timestamp;

use super::execution::check_concurrency;
use super::model::{ActionRef, ConditionRun, Execution, ExecutionRef, Phase, Place};
use super::status::{ActionStatus, ConditionStatus, ExecutionStatus, StageStatus};
use super::{Engine, JobState};
use crate::declaration::{ExecutionMode, Moment};
use crate::error::ApiError;
use crate::events::{Change, ConditionChange, State};

/// The longest summary of the AWS model, in characters.
const SUMMARY: usize = 2048;

/// What a condition has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was not looked at.
    Unknown,
    /// Its rules run.
    Running,
    /// Its rules have ended.
    Complete,
    /// Every rule has succeeded, it was overridden, or there is none.
    Met,
    /// A rule has failed.
    NotMet,
}

/// An execution that rolls a stage back has no conditions: it brings back what has met them.
pub(super) fn outcome(execution: &Execution, stage: usize, moment: Moment) -> Outcome {
    if execution.declaration.stages[stage].condition(moment).is_none() || execution.rollback_to.is_some() {
        return Outcome::Met;
    }
    let condition = execution.stages[stage].condition(moment);
    match condition.status {
        None => Outcome::Unknown,
        Some(ConditionStatus::InProgress) => {
            let runs = condition.rules.iter().any(|&rule| execution.actions[rule].is_running());
            if runs { Outcome::Running } else { Outcome::Complete }
        }
        Some(ConditionStatus::Succeeded | ConditionStatus::Overridden) => Outcome::Met,
        Some(ConditionStatus::Failed | ConditionStatus::Cancelled | ConditionStatus::Abandoned) => Outcome::NotMet,
    }
}

impl Engine {
    /// Starts the rules of a condition.
    pub(super) fn evaluate(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, moment: Moment) {
        let declaration = self.execution(at).declaration.clone();
        let rules = declaration.stages[stage].condition(moment).map_or(&[][..], |condition| &condition.rules);
        *self.execution_mut(at).stages[stage].condition_mut(moment) = ConditionRun::default();
        self.set_condition(now, at, (stage, moment), ConditionStatus::InProgress, None);
        for (index, rule) in rules.iter().enumerate() {
            self.start_rule(now, at, (stage, moment, index), rule);
        }
    }

    /// Says what the rules of a condition have come to.
    pub(super) fn conclude(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, moment: Moment) {
        let execution = self.execution(at);
        let rules = execution.stages[stage].condition(moment).rules.iter().map(|&index| &execution.actions[index]);
        let failed: Vec<_> = rules.filter(|rule| rule.status != ActionStatus::Succeeded).collect();
        let (status, summary) = if failed.is_empty() {
            (ConditionStatus::Succeeded, None)
        } else {
            let told = failed.iter().map(|rule| match &rule.error {
                Some(error) => format!("rule {} failed: {}", rule.name, error.message),
                None => format!("rule {} failed", rule.name),
            });
            (ConditionStatus::Failed, Some(told.collect::<Vec<_>>().join("; ")))
        };
        self.set_condition(now, at, (stage, moment), status, summary);
    }

    /// Ends the conditions that are still looked at when their stage ends.
    pub(super) fn end_conditions(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, status: ConditionStatus) {
        for moment in Moment::ALL {
            if self.execution(at).stages[stage].condition(moment).status == Some(ConditionStatus::InProgress) {
                self.set_condition(now, at, (stage, moment), status, None);
            }
        }
    }

    fn set_condition(
        &mut self,
        now: Timestamp,
        at: &ExecutionRef,
        (stage, moment): (usize, Moment),
        status: ConditionStatus,
        summary: Option<String>,
    ) {
        let execution = self.execution_mut(at);
        let condition = execution.stages[stage].condition_mut(moment);
        condition.status = Some(status);
        condition.changed = Some(now);
        condition.summary = summary.map(|summary| super::action::cut(&summary, SUMMARY).to_owned());
        let change = ConditionChange {
            moment,
            status,
            summary: condition.summary.clone(),
            stage: execution.declaration.stages[stage].name.clone(),
        };
        self.emit(now, at, Change::Condition(change));
    }

    /// OverrideStageCondition: a condition that is looked at or was not met counts as met.
    pub(crate) fn override_condition(
        &mut self,
        now: Timestamp,
        (name, stage, id): (&str, &str, &str),
        moment: Moment,
    ) -> Result<(), ApiError> {
        let pipeline = self.pipeline(name)?;
        if !pipeline.declaration().stages.iter().any(|declared| declared.name == stage) {
            return Err(ApiError::stage_not_found(name, stage));
        }
        let Some((index, execution)) = pipeline.execution(id) else {
            return Err(not_overridable(format!("pipeline {name} has no execution {id}")));
        };
        if execution.version != pipeline.version && execution.mode != ExecutionMode::Parallel {
            return Err(not_overridable(format!(
                "the execution ran version {} of the pipeline, which has changed",
                execution.version
            )));
        }
        let place = execution.declaration.stages.iter().position(|declared| declared.name == stage);
        let place = place.ok_or_else(|| not_overridable(format!("the execution has no stage {stage}")))?;
        if execution.mode != ExecutionMode::Parallel && pipeline.latest.get(stage) != Some(&index) {
            let message = format!("execution {id} is not the latest in stage {stage}");
            return Err(ApiError::new("NotLatestPipelineExecutionException", message));
        }
        let member = moment.member();
        match execution.stages[place].condition(moment).status {
            _ if execution.stop.is_some() && !execution.status.is_final() => {
                return Err(ApiError::new("ConflictException", format!("execution {id} is stopping")));
            }
            Some(ConditionStatus::InProgress) => {}
            Some(ConditionStatus::Failed) if execution.stages[place].status == Some(StageStatus::Failed) => {
                check_concurrency(pipeline, execution.mode)?;
            }
            Some(ConditionStatus::Failed) => {
                return Err(not_overridable(format!("stage {stage} was skipped by {member}")));
            }
            Some(status) => return Err(not_overridable(format!("{member} of stage {stage} is {}", status.as_str()))),
            None => {
                return Err(not_overridable(format!("{member} of stage {stage} was not looked at in this execution")));
            }
        }
        self.overridden(now, &ExecutionRef { pipeline: name.to_owned(), index }, (place, moment));
        Ok(())
    }

    fn overridden(&mut self, now: Timestamp, at: &ExecutionRef, (stage, moment): (usize, Moment)) {
        let execution = self.execution(at);
        let (resumes, caller) = (execution.status.is_final(), self.settings.caller_arn.clone());
        for index in execution.stages[stage].condition(moment).rules.clone() {
            let rule = ActionRef { execution: at.clone(), index };
            if self.action(&rule).is_running() {
                self.abandon(now, &rule, State::Abandoned);
            }
        }
        let summary = Some(format!("overridden by {caller}"));
        self.set_condition(now, at, (stage, moment), ConditionStatus::Overridden, summary);
        let execution = self.execution_mut(at);
        execution.updated = now;
        let run = &mut execution.stages[stage];
        run.phase = if moment == Moment::BeforeEntry { Phase::Entry } else { Phase::Success };
        if resumes {
            run.status = Some(StageStatus::InProgress);
            execution.place = Place::In(stage);
            execution.status = ExecutionStatus::InProgress;
            execution.status_summary = None;
            self.emit_execution(now, at, State::Resumed);
            self.emit_stage(now, at, stage, State::Resumed);
        }
        self.advance(now, at);
    }

    /// Takes an action or a rule from whoever works on it.
    pub(super) fn abandon(&mut self, now: Timestamp, at: &ActionRef, state: State) {
        self.release_work(at, JobState::Abandoned);
        let action = self.action_mut(at);
        action.status = ActionStatus::Abandoned;
        action.updated = now;
        self.emit_action(now, at, state);
    }
}

fn not_overridable(why: String) -> ApiError {
    ApiError::new("ConditionNotOverridableException", format!("the condition cannot be overridden: {why}"))
}
