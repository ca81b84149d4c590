//! The event of a hook.

use serde_json::Value;
use thiserror::Error;

const DEPLOYMENT: &str = "DeploymentId";
const EXECUTION: &str = "LifecycleEventHookExecutionId";

/// One execution of a lifecycle hook. Which hook it is the event does not say: each one has a function of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The deployment.
    pub deployment_id: String,
    /// What the answer names.
    pub execution_id: String,
}

/// An event that cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("find the hook in the event: it has no text {missing}; its keys are {keys}")]
pub struct NoHook {
    missing: &'static str,
    keys: String,
}

/// Whether the event looks like one of a hook, complete or not.
pub fn is_hook(event: &Value) -> bool {
    [DEPLOYMENT, EXECUTION].iter().any(|key| event.get(key).is_some())
}

impl Hook {
    /// Reads the two ids; whatever else there is makes no difference.
    ///
    /// # Errors
    ///
    /// If one is missing: then there is nothing that could be answered. The error names keys and never values.
    pub fn find(event: &Value) -> Result<Self, NoHook> {
        let text = |key: &'static str| {
            let text = event.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned).ok_or_else(|| NoHook { missing: key, keys: keys(event) })
        };
        Ok(Self { deployment_id: text(DEPLOYMENT)?, execution_id: text(EXECUTION)? })
    }
}

/// The first few keys of an event.
fn keys(event: &Value) -> String {
    let keys = event.as_object().into_iter().flat_map(|event| event.keys());
    let keys: Vec<_> = keys.take(10).map(|key| key.chars().take(40).collect::<String>()).collect();
    if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_ids_are_found_or_missed() {
        for (event, hook, found) in [
            (json!({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "x"}), true, true),
            (json!({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "x", "More": [1]}), true, true),
            (json!({"DeploymentId": "d-1"}), true, false),
            (json!({"DeploymentId": 7, "LifecycleEventHookExecutionId": "x"}), true, false),
            (json!({"DeploymentId": "", "LifecycleEventHookExecutionId": "x"}), true, false),
            (json!({"CodePipeline.job": {"id": "secret"}}), false, false),
            (json!([]), false, false),
        ] {
            assert_eq!((is_hook(&event), Hook::find(&event).is_ok()), (hook, found), "{event}");
        }
        let error = Hook::find(&json!({"DeploymentId": "hidden"})).unwrap_err().to_string();
        assert!(error.contains("LifecycleEventHookExecutionId") && !error.contains("hidden"), "{error}");
    }
}
