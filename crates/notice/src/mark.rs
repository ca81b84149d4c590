//! How each stage and action of a picture stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::picture::Picture;
use crate::states::{ActionState, ExecutionState, StageState};

/// How a stage or an action stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// It has not begun.
    NotBegun,
    /// It runs.
    Running,
    /// It waits for people.
    Waiting,
    /// It has succeeded.
    Done,
    /// It has failed.
    Failed,
    /// It was broken off.
    Stopped,
}

impl Mark {
    /// The sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::NotBegun => "·",
            Self::Running => "▶",
            Self::Waiting => "⏸",
            Self::Done => "✔",
            Self::Failed => "✖",
            Self::Stopped => "■",
        }
    }

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotBegun => "not begun",
            Self::Running => "running",
            Self::Waiting => "waiting for approval",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl Picture {
    /// The latest execution of each action of a stage, by name.
    pub(crate) fn latest(&self, stage: &str) -> BTreeMap<&str, &Action> {
        let latest = self.latest_of_all().into_iter();
        latest.filter(|((of, _), _)| *of == Some(stage)).map(|((_, name), action)| (name, action)).collect()
    }

    /// The latest execution of each action, by stage and name.
    fn latest_of_all(&self) -> BTreeMap<(Option<&str>, &str), &Action> {
        let mut latest: BTreeMap<_, (&String, &Action)> = BTreeMap::new();
        for (id, action) in &self.actions {
            let place = (action.stage.as_deref(), action.name.as_deref().unwrap_or("?"));
            let newest = latest.entry(place).or_insert((id, action));
            if (action.started, id) > (newest.1.started, newest.0) {
                *newest = (id, action);
            }
        }
        latest.into_iter().map(|(place, (_, action))| (place, action)).collect()
    }

    /// Notes that the execution has failed, as somebody sees who has looked at all its actions. Where none of them has
    /// failed when it was last tried, a condition of a stage has.
    pub fn note_failure(&mut self) {
        let by_an_action = self
            .latest_of_all()
            .values()
            .any(|action| matches!(action.state, ActionState::Failed | ActionState::Started));
        if !by_an_action {
            let last = self.actions.iter().max_by_key(|(id, action)| (action.started, *id));
            self.failures_without_action.insert(last.map(|(id, _)| id.clone()).unwrap_or_default());
        }
    }

    /// How an action stands.
    pub(crate) fn action_mark(&self, action: &Action) -> Mark {
        let is_broken_off = self.execution_state().is_some_and(ExecutionState::is_broken_off);
        match action.state {
            ActionState::Started if is_broken_off => Mark::Stopped,
            // The event of its end is late, or was lost.
            ActionState::Started if self.execution_state() == Some(ExecutionState::Succeeded) => Mark::Done,
            ActionState::Started if action.is_approval() => Mark::Waiting,
            ActionState::Started => Mark::Running,
            ActionState::Abandoned | ActionState::Canceled => Mark::Stopped,
            ActionState::Succeeded => Mark::Done,
            ActionState::Failed => Mark::Failed,
        }
    }

    /// How a stage stands. What its actions say goes before what was heard of the stage itself, since it can be looked up
    /// where it was lost.
    pub(crate) fn stage_mark(&self, stage: &str, has_later: bool) -> Mark {
        let latest = self.latest(stage);
        let marks: Vec<_> = latest.values().map(|action| self.action_mark(action)).collect();
        let heard = self.stages.get(stage).and_then(|stage| stage.state);
        let is_over = self.execution_state().is_some_and(ExecutionState::is_over);
        // Tried again, and nothing has begun since.
        let last = latest.values().filter_map(|action| action.ended.max(action.started)).max();
        let has_resumed =
            heard.is_some_and(|moment| moment.state == StageState::Resumed && last.is_none_or(|last| moment.at > last));
        if marks.contains(&Mark::Failed) && (is_over || !has_resumed) {
            return Mark::Failed;
        }
        for mark in [Mark::Stopped, Mark::Waiting, Mark::Running] {
            if marks.contains(&mark) {
                return mark;
            }
        }
        if !marks.is_empty() && !has_resumed && (is_over || has_later) {
            return match heard.map(|moment| moment.state) {
                Some(StageState::Failed) if !has_later && self.execution_state() != Some(ExecutionState::Succeeded) => {
                    Mark::Failed
                }
                _ => Mark::Done,
            };
        }
        self.heard_mark(heard.map(|moment| moment.state), !marks.is_empty())
    }

    fn heard_mark(&self, heard: Option<StageState>, has_actions: bool) -> Mark {
        let execution = self.execution_state();
        match heard {
            Some(StageState::Succeeded) => Mark::Done,
            Some(StageState::Failed) => Mark::Failed,
            Some(StageState::Stopped | StageState::Canceled) => Mark::Stopped,
            _ if execution == Some(ExecutionState::Succeeded) => Mark::Done,
            Some(_) if execution.is_some_and(ExecutionState::is_broken_off) => Mark::Stopped,
            Some(StageState::Started | StageState::Resumed | StageState::Stopping) => Mark::Running,
            None if has_actions => Mark::Running,
            None => Mark::NotBegun,
        }
    }
}
