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
    /// Who does it.
    #[serde(default)]
    pub provider: Option<String>,
    /// The provider's own id for it, such as that of a build.
    #[serde(default)]
    pub external_id: Option<String>,
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
    /// Where its logs are.
    #[serde(default)]
    pub logs: Option<String>,
    /// Whether CodePipeline was asked about its end.
    #[serde(default)]
    pub is_looked_up: bool,
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
    /// CodeDeploy, with what went wrong in the deployment.
    CodeDeploy,
}

impl Default for Action {
    fn default() -> Self {
        Self {
            stage: None,
            name: None,
            category: None,
            provider: None,
            external_id: None,
            started: None,
            ended: None,
            state: ActionState::Started,
            reason: None,
            url: None,
            logs: None,
            is_looked_up: false,
        }
    }
}

/// The category of actions in which people decide.
pub(crate) const APPROVAL: &str = "Approval";

impl Action {
    pub(crate) fn join(&mut self, other: &Self) {
        greater(&mut self.stage, &other.stage);
        greater(&mut self.name, &other.name);
        greater(&mut self.category, &other.category);
        greater(&mut self.provider, &other.provider);
        greater(&mut self.external_id, &other.external_id);
        earlier(&mut self.started, other.started);
        greater(&mut self.ended, &other.ended);
        greater(&mut self.state, &other.state);
        greater(&mut self.reason, &other.reason);
        greater(&mut self.url, &other.url);
        greater(&mut self.logs, &other.logs);
        greater(&mut self.is_looked_up, &other.is_looked_up);
    }

    /// Whether people decide.
    pub fn is_approval(&self) -> bool {
        self.category.as_deref() == Some(APPROVAL)
    }
}
