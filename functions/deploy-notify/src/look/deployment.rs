//! Asking CodeDeploy.

use aws_sdk_codedeploy::types::{DeploymentInfo, DeploymentStatus};
use codepipeline_job::FailureCause;
use stagegate_desk::DeskError;
use stagegate_notice::{ExecutionState, Picture, Reason, ReasonSource};

use super::{cut, timestamp};
use crate::notifier::Notifier;

impl Notifier {
    /// How a deployment stands that no pipeline has started.
    pub(super) async fn look_at_deployment(&self, id: &str) -> Result<Picture, DeskError> {
        let mut picture = Picture::default();
        let unknown =
            || DeskError::Aws { what: format!("read the deployment {id}"), why: "CodeDeploy has none".to_owned() };
        let found = self.deployment(id).await?.ok_or_else(unknown)?;
        let state = match found.status() {
            Some(DeploymentStatus::Succeeded) => ExecutionState::Succeeded,
            Some(DeploymentStatus::Failed) => ExecutionState::Failed,
            Some(DeploymentStatus::Stopped) => ExecutionState::Stopped,
            _ => ExecutionState::Started,
        };
        let at = timestamp(found.complete_time()).or(timestamp(found.create_time()));
        let Some(at) = at else { return Ok(picture) };
        picture.started = timestamp(found.create_time());
        picture.enter(state, at);
        if state == ExecutionState::Failed {
            let reason = reason(&found).map(|reason| reason.text);
            picture.fail(id, None, at, reason, ReasonSource::CodeDeploy, "");
        }
        Ok(picture)
    }

    /// Why a deployment of a pipeline has failed.
    pub(super) async fn why_deployment_failed(&self, id: &str) -> Result<Option<Reason>, DeskError> {
        Ok(self.deployment(id).await?.as_ref().and_then(reason))
    }

    async fn deployment(&self, id: &str) -> Result<Option<DeploymentInfo>, DeskError> {
        let answer = self.parts.deployments.get_deployment().deployment_id(id).send().await;
        let answer = answer.map_err(|error| DeskError::Aws {
            what: format!("read the deployment {id}"),
            why: error.failure_message(),
        })?;
        Ok(answer.deployment_info)
    }
}

fn reason(deployment: &DeploymentInfo) -> Option<Reason> {
    let error = deployment.error_information()?;
    let text = error.message().map(cut).filter(|text| !text.is_empty())?;
    let code = error.code().map(|code| code.as_str().to_owned());
    Some(Reason { source: ReasonSource::CodeDeploy, text, code })
}
