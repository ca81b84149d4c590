//! By what an event is known, whatever its id.

use std::fmt;

use crate::{Change, Event, Number};

/// By what an event of CodePipeline is known: an event that is sent again has the same key, also under another id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The execution's id.
    pub execution: String,
    /// The stage, where the event is about one.
    pub stage: Option<String>,
    /// The id of the action's execution, where the event is about one.
    pub action_execution: Option<String>,
    /// The new state.
    pub state: String,
    /// How often the execution was tried.
    pub attempt: Option<u64>,
}

impl Event {
    /// The key of an event of CodePipeline; `None` for other events, and for one that lacks the execution or the state.
    pub fn key(&self) -> Option<Key> {
        let key =
            |execution: &Option<String>, stage, action_execution, state: &Option<String>, attempt: &Option<Number>| {
                Some(Key {
                    execution: execution.clone()?,
                    stage,
                    action_execution,
                    state: state.clone()?,
                    attempt: attempt.as_ref().and_then(Number::whole),
                })
            };
        match &self.change {
            Change::Execution(change) => key(&change.execution_id, None, None, &change.state, &change.attempt),
            Change::Stage(change) => {
                key(&change.execution_id, change.stage.clone(), None, &change.state, &change.attempt)
            }
            Change::Action(change) => {
                let action = change.action_execution_id.clone().or_else(|| change.action.clone());
                key(&change.execution_id, change.stage.clone(), action, &change.state, &change.attempt)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &Option<String>| part.clone().unwrap_or_default();
        let attempt = self.attempt.map(|attempt| attempt.to_string()).unwrap_or_default();
        let (stage, action) = (part(&self.stage), part(&self.action_execution));
        write!(f, "{}/{stage}/{action}/{}/{attempt}", self.execution, self.state)
    }
}
