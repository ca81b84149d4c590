//! Transitions between stages, which people disable and enable.

use jiff::Timestamp;

use super::Engine;
use super::model::{Execution, Transition};
use crate::error::ApiError;

/// Which of a stage's transitions (`StageTransitionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into the stage.
    Inbound,
    /// Out of it.
    Outbound,
}

impl Engine {
    /// DisableStageTransition with a reason, EnableStageTransition without.
    pub(crate) fn set_transition(
        &mut self,
        now: Timestamp,
        name: &str,
        stage: &str,
        direction: Direction,
        disabled_reason: Option<String>,
    ) -> Result<(), ApiError> {
        let caller = self.settings.caller_arn.clone();
        let pipeline = self.pipeline_mut(name)?;
        let stages = &pipeline.declaration().stages;
        if !stages.iter().any(|declared| declared.name == stage) {
            return Err(ApiError::stage_not_found(name, stage));
        }
        let transitions = pipeline.transitions.entry(stage.to_owned()).or_default();
        let transition = match direction {
            Direction::Inbound => &mut transitions.inbound,
            Direction::Outbound => &mut transitions.outbound,
        };
        *transition = Transition { disabled_reason, changed: Some((now, caller)) };
        // An execution of the PARALLEL mode may run an older version, in which the stage has another index.
        let stages = self.pipeline(name)?.executions.iter().map(|execution| execution.stages.len());
        for place in 0..stages.max().unwrap_or_default() {
            self.admit(now, name, place);
        }
        Ok(())
    }

    /// Whether an execution may go into a stage: neither the way in nor the way out of the stage before is disabled.
    pub(super) fn transition_is_enabled(&self, execution: &Execution, stage: usize) -> bool {
        let stages = &execution.declaration.stages;
        let before = stage.checked_sub(1).map(|before| stages[before].name.as_str());
        self.disabled_transition(&execution.declaration.name, &stages[stage].name, before).is_none()
    }

    /// What holds executions in front of a stage: its own inbound transition, or the outbound one of the stage before.
    pub(crate) fn disabled_transition(&self, pipeline: &str, stage: &str, before: Option<&str>) -> Option<&Transition> {
        let transitions = &self.pipelines.get(pipeline)?.transitions;
        let inbound = transitions.get(stage).map(|transitions| &transitions.inbound);
        let outbound = before.and_then(|before| transitions.get(before)).map(|transitions| &transitions.outbound);
        inbound.into_iter().chain(outbound).find(|transition| transition.disabled_reason.is_some())
    }
}
