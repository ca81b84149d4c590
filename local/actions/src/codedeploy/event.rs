//! The events of a deployment (AWS CodeDeploy guide, "Monitoring deployments with Amazon CloudWatch Events").
//!
//! Only the events of the deployment are sent, not those of its instances.

use serde_json::json;

use super::record::{DeploymentRecord, DeploymentStatus};
use crate::ACCOUNT_ID;
use crate::service_event::ServiceEvent;

/// The event of a deployment that has just taken on its status.
pub(super) fn state_change(deployment: &DeploymentRecord) -> ServiceEvent {
    let state = match deployment.status {
        DeploymentStatus::InProgress => "START",
        DeploymentStatus::Succeeded => "SUCCESS",
        DeploymentStatus::Failed => "FAILURE",
        DeploymentStatus::Stopped => "STOP",
    };
    let DeploymentRecord { application, deployment_group, region, .. } = deployment;
    deployment_state_change(region, application, deployment_group, &deployment.id, state)
}

/// The event of a deployment in a state: `START`, `SUCCESS`, `FAILURE` or `STOP`.
pub fn deployment_state_change(
    region: &str,
    application: &str,
    deployment_group: &str,
    deployment_id: &str,
    state: &str,
) -> ServiceEvent {
    let arn = |resource: &str| format!("arn:aws:codedeploy:{region}:{ACCOUNT_ID}:{resource}");
    ServiceEvent {
        source: "aws.codedeploy",
        detail_type: "CodeDeploy Deployment State-change Notification",
        resources: vec![
            arn(&format!("application:{application}")),
            arn(&format!("deploymentgroup:{application}/{deployment_group}")),
        ],
        detail: json!({
            "region": region,
            "application": application,
            "deploymentGroup": deployment_group,
            "deploymentId": deployment_id,
            "instanceGroupId": instance_group_id(application, deployment_group),
            "state": state,
        }),
    }
}

/// What stands for the instances of a deployment group, the same for each of its deployments.
fn instance_group_id(application: &str, deployment_group: &str) -> String {
    format!("local-{application}-{deployment_group}")
}
