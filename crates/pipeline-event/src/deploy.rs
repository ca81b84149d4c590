//! Events of CodeDeploy (AWS CodeDeploy guide, "Monitoring deployments with Amazon CloudWatch Events"). Their keys are
//! not written like those of the other two services, and their states are not in the past tense.

use crate::lenient::members;

members! {
    /// A deployment, or an instance in one, is in another state: FAILURE, START, STOP, QUEUED, READY or SUCCESS.
    DeploymentChange {
        /// The Region.
        region = "region": String,
        /// The application.
        application = "application": String,
        /// The deployment group.
        group = "deploymentGroup": String,
        /// The deployment's id.
        deployment = "deploymentId": String,
        /// The id of the group of instances.
        instance_group = "instanceGroupId": String,
        /// The instance, where the event is about one.
        instance = "instanceId": String,
        /// The new state.
        state = "state": String,
    }
}

impl DeploymentChange {
    /// What is deployed: the application and its deployment group, as `application/group`.
    pub fn name(&self) -> Option<String> {
        let application = self.application.as_deref()?;
        Some(format!("{application}/{}", self.group.as_deref().unwrap_or("?")))
    }
}
