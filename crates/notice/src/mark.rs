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
        let mut latest: BTreeMap<&str, (&String, &Action)> = BTreeMap::new();
        let of_stage = self.actions.iter().filter(|(_, action)| action.stage.as_deref() == Some(stage));
        for (id, action) in of_stage {
            let name = action.name.as_deref().unwrap_or("?");
            let newest = latest.entry(name).or_insert((id, action));
            if (action.started, id) > (newest.1.started, newest.0) {
                *newest = (id, action);
            }
        }
        latest.into_iter().map(|(name, (_, action))| (name, action)).collect()
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
