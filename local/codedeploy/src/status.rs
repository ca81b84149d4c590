//! The answer of a hook's function.

use serde_json::{Value, json};
use stagegate_local_codepipeline::ApiError;

use crate::deployments::{deployment_id, no_deployment};
use crate::hooks::Refusal;
use crate::{CodeDeploy, text};

impl CodeDeploy {
    pub(crate) fn put_lifecycle_event_hook_execution_status(&self, input: &Value) -> Result<Value, ApiError> {
        let deployment = deployment_id(input)?;
        if self.shared.lock().deployment(deployment).is_none() {
            return Err(match self.shared.in_place.get(deployment) {
                Some(_) => {
                    let message = format!("the deployment {deployment} is one to instances, whose hooks are scripts");
                    ApiError::new("UnsupportedActionForDeploymentTypeException", message)
                }
                None => no_deployment(deployment),
            });
        }
        let id = text(input, "lifecycleEventHookExecutionId");
        let succeeded = match text(input, "status") {
            "Succeeded" => true,
            "Failed" => false,
            status => {
                let shown: String = status.chars().take(40).collect();
                let message = format!("the status of a hook is Succeeded or Failed, not {shown:?}");
                return Err(ApiError::new("InvalidLifecycleEventHookExecutionStatusException", message));
            }
        };
        match self.shared.hooks.answer(deployment, id, succeeded) {
            Ok(()) => Ok(json!({"lifecycleEventHookExecutionId": id})),
            Err(Refusal::Unknown) => {
                let message = format!("the deployment {deployment} has no hook of this lifecycleEventHookExecutionId");
                Err(ApiError::new("InvalidLifecycleEventHookExecutionIdException", message))
            }
            Err(Refusal::Completed) => {
                let message = format!(
                    "the lifecycle event of the deployment {deployment} has its status already; the first one counts"
                );
                Err(ApiError::new("LifecycleEventAlreadyCompletedException", message))
            }
        }
    }
}
