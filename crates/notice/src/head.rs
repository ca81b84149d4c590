//! The head message: how the execution stands, in a few lines.

use serde::{Deserialize, Serialize};

use crate::mark::Mark;
use crate::picture::Picture;
use crate::states::ExecutionState;

/// How an execution stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The pipeline.
    pub pipeline: String,
    /// The execution.
    pub execution: String,
    /// In one word.
    pub status: Status,
    /// Its stages in their order.
    pub stages: Vec<StageLine>,
}

/// How a stage stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageLine {
    /// The stage.
    pub name: String,
    /// How it stands.
    pub mark: Mark,
    /// The actions that people may want to know of: those that do not stand as the stage does when it is done.
    pub actions: Vec<(String, Mark)>,
}

/// How an execution stands, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It runs.
    Running,
    /// It waits for people.
    Waiting,
    /// It has succeeded.
    Succeeded,
    /// It has failed.
    Failed,
    /// It was stopped, or the pipeline was changed under it.
    Stopped,
    /// A newer one has overtaken it.
    Superseded,
}

impl Status {
    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting for approval",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Superseded => "superseded",
        }
    }

    /// The sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Running => Mark::Running.sign(),
            Self::Waiting => Mark::Waiting.sign(),
            Self::Succeeded => Mark::Done.sign(),
            Self::Failed => Mark::Failed.sign(),
            Self::Stopped | Self::Superseded => Mark::Stopped.sign(),
        }
    }
}

impl Picture {
    /// How the execution stands.
    pub fn head(&self, pipeline: &str, execution: &str) -> Head {
        let names = self.stage_names();
        let has_begun = |name: &str| {
            self.stages.contains_key(name) || self.actions.values().any(|action| action.stage.as_deref() == Some(name))
        };
        let last = names.iter().rposition(|name| has_begun(name));
        let lines = names.iter().enumerate().map(|(number, name)| {
            let mark = self.stage_mark(name, last.is_some_and(|last| number < last));
            let actions =
                self.latest(name).into_iter().map(|(name, action)| (name.to_owned(), self.action_mark(action)));
            let actions = actions.filter(|(_, mark)| *mark != Mark::Done).collect();
            StageLine { name: (*name).to_owned(), mark, actions }
        });
        let stages: Vec<_> = lines.collect();
        let status = self.status(&stages);
        Head { pipeline: pipeline.to_owned(), execution: execution.to_owned(), status, stages }
    }

    fn status(&self, stages: &[StageLine]) -> Status {
        match self.execution_state() {
            Some(ExecutionState::Succeeded) => Status::Succeeded,
            Some(ExecutionState::Failed) => Status::Failed,
            Some(ExecutionState::Stopped | ExecutionState::Canceled) => Status::Stopped,
            Some(ExecutionState::Superseded) => Status::Superseded,
            Some(ExecutionState::Started | ExecutionState::Resumed | ExecutionState::Stopping) | None => {
                let has = |mark| stages.iter().any(|stage| stage.mark == mark);
                match (has(Mark::Failed), has(Mark::Waiting)) {
                    (true, _) => Status::Failed,
                    (false, true) => Status::Waiting,
                    (false, false) => Status::Running,
                }
            }
        }
    }
}
