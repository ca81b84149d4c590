//! Which custom action types there are, and which gate each is for.

use aws_sdk_codepipeline::types::{ActionCategory, ActionOwner, ActionTypeId};
use thiserror::Error;

/// Names the action types and their functions.
pub(crate) const ACTIONS_VARIABLE: &str = "STAGEGATE_CUSTOM_ACTIONS";

/// A custom action type whose jobs a function does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// `Test` or `Invoke`.
    pub category: String,
    /// For example `Stagegate-TestGate`.
    pub provider: String,
    /// For example `1`; `*` for every version that there is.
    pub version: String,
    /// The function's name or ARN.
    pub function: String,
}

/// The action types of this worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(pub Vec<Action>);

/// The environment does not say what to do. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "read {ACTIONS_VARIABLE}: {what}; it lists action types as in `Test/Stagegate-TestGate/1=stagegate-test-gate`, with blanks between them"
)]
pub struct ActionsError {
    what: String,
}

impl Actions {
    /// Reads the variable of the function's environment.
    ///
    /// # Errors
    ///
    /// If it is missing, empty, or an entry is broken.
    pub fn from_environment() -> Result<Self, ActionsError> {
        Self::parse(&std::env::var(ACTIONS_VARIABLE).unwrap_or_default())
    }

    /// Reads a list of action types.
    ///
    /// # Errors
    ///
    /// If it is empty, or an entry is broken.
    pub fn parse(text: &str) -> Result<Self, ActionsError> {
        let mut actions = Vec::new();
        for entry in text.split_whitespace() {
            let (id, function) = entry.split_once('=').unwrap_or((entry, ""));
            let parts: Vec<&str> = id.split('/').collect();
            let [category, provider, version] = parts.as_slice() else { return Err(broken(entry)) };
            if [*category, provider, version, function].iter().any(|part| part.is_empty()) {
                return Err(broken(entry));
            }
            actions.push(Action {
                category: (*category).to_owned(),
                provider: (*provider).to_owned(),
                version: (*version).to_owned(),
                function: function.to_owned(),
            });
        }
        if actions.is_empty() {
            return Err(ActionsError { what: "it names no action type".to_owned() });
        }
        Ok(Self(actions))
    }

    /// The function for the jobs of an action type, where this worker has one.
    pub(crate) fn function_of(&self, id: &ActionTypeId) -> Option<&str> {
        let is_of = |action: &&Action| {
            action.provider == id.provider()
                && action.category == id.category().as_str()
                && ["*", id.version()].contains(&action.version.as_str())
        };
        self.0.iter().find(is_of).map(|action| action.function.as_str())
    }
}

fn broken(entry: &str) -> ActionsError {
    ActionsError { what: format!("{entry:?} is no action type with a function") }
}

impl Action {
    /// The action type as CodePipeline names it.
    pub(crate) fn id(&self) -> ActionTypeId {
        ActionTypeId::builder()
            .category(ActionCategory::from(self.category.as_str()))
            .owner(ActionOwner::Custom)
            .provider(&self.provider)
            .version(&self.version)
            .build()
            .expect("all four parts are set")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn action_types_are_read_strictly() {
        let read = Actions::parse(" Test/Stagegate-TestGate/1=gate\n Invoke/Stagegate-ReleaseGate/2=arn:aws:x ")
            .expect("reads");
        let read: Vec<_> = read.0.iter().map(|action| (action.provider.as_str(), action.function.as_str())).collect();
        assert_eq!(read, [("Stagegate-TestGate", "gate"), ("Stagegate-ReleaseGate", "arn:aws:x")]);
        for (text, what) in [
            ("", "names no action type"),
            ("Test/Stagegate-TestGate/1", "is no action type"),
            ("Test/Stagegate-TestGate=gate", "is no action type"),
            ("Test//1=gate", "is no action type"),
        ] {
            let error = Actions::parse(text).expect_err(text);
            assert!(error.to_string().contains(what), "{error}");
        }
    }

    #[test]
    fn the_function_of_an_action_type_is_found() {
        let actions = Actions::parse("Test/Stagegate-TestGate/1=one Test/Stagegate-SmokeTest/*=smoke").expect("reads");
        for (category, provider, version, expected) in [
            ("Test", "Stagegate-TestGate", "1", Some("one")),
            ("Test", "Stagegate-TestGate", "2", None),
            ("Test", "Stagegate-SmokeTest", "7", Some("smoke")),
            ("Invoke", "Stagegate-SmokeTest", "7", None),
            ("Test", "Other", "1", None),
        ] {
            let action = Action {
                category: category.to_owned(),
                provider: provider.to_owned(),
                version: version.to_owned(),
                function: String::new(),
            };
            assert_eq!(actions.function_of(&action.id()), expected, "{action:?}");
        }
    }
}
