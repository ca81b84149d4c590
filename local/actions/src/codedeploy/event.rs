//! The events of a deployment (AWS CodeDeploy guide, "Monitoring deployments with Amazon CloudWatch Events").
//!
//! Only the events of the deployment are sent, not those of its instances.

use serde_json::json;

use super::record::{DeploymentRecord, DeploymentStatus};
use crate::ACCOUNT_ID;
use crate::service_event::ServiceEvent;

/// The event of a deployment that has just taken on its status.
pub(super) fn state_change(deployment: &DeploymentRecord) -> ServiceEvent {
    let DeploymentRecord { application, deployment_group, region, .. } = deployment;
    let arn = |resource: &str| format!("arn:aws:codedeploy:{region}:{ACCOUNT_ID}:{resource}");
    let state = match deployment.status {
        DeploymentStatus::InProgress => "START",
        DeploymentStatus::Succeeded => "SUCCESS",
        DeploymentStatus::Failed => "FAILURE",
        DeploymentStatus::Stopped => "STOP",
    };
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
            "deploymentId": deployment.id,
            "instanceGroupId": deployment.instance_group_id,
            "state": state,
        }),
    }
}
