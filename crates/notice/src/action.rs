//! One execution of an action.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::register::{earlier, greater};
use crate::states::ActionState;

/// One execution of an action. Each try has one of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// The stage.
    pub stage: Option<String>,
    /// The action's name.
    pub name: Option<String>,
    /// Its category.
    pub category: Option<String>,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub state: ActionState,
    /// Why it failed.
    pub reason: Option<Reason>,
    /// Where to see more.
    pub url: Option<String>,
}

/// Why an action failed. Of several, the one from the better source is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reason {
    /// Who says so.
    pub source: ReasonSource,
    /// In words.
    pub text: String,
    /// What kind of failure it was.
    pub code: Option<String>,
}

/// Who says why an action failed, the best one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonSource {
    /// The event.
    Event,
    /// CodePipeline, when it was asked.
    CodePipeline,
    /// CodeBuild, with the phase that failed.
    CodeBuild,
}

impl Default for Action {
    fn default() -> Self {
        Self {
            stage: None,
            name: None,
            category: None,
            started: None,
            ended: None,
            state: ActionState::Started,
            reason: None,
            url: None,
        }
    }
}

impl Action {
    pub(crate) fn join(&mut self, other: &Self) {
        greater(&mut self.stage, &other.stage);
        greater(&mut self.name, &other.name);
        greater(&mut self.category, &other.category);
        earlier(&mut self.started, other.started);
        greater(&mut self.ended, &other.ended);
        greater(&mut self.state, &other.state);
        greater(&mut self.reason, &other.reason);
        greater(&mut self.url, &other.url);
    }

    /// Whether people decide.
    pub fn is_approval(&self) -> bool {
        self.category.as_deref() == Some("Approval")
    }
}
