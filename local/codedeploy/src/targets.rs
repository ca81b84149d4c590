//! The target of a deployment, with its lifecycle events: each deployment here has one.

use serde_json::{Value, json};
use stagegate_local_actions::{DeploymentRecord, LifecycleEventStatus};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{epoch_seconds, without_nulls};

use crate::deployments::{deployment_id, in_place_status, no_deployment};
use crate::record::{Deployment, EventStatus, LifecycleEvent, Status, Target, TaskSet};
use crate::{ACCOUNT_ID, CodeDeploy, text};

impl CodeDeploy {
    pub(crate) fn list_deployment_targets(&self, input: &Value) -> Result<Value, ApiError> {
        let (id, _) = self.target_of(deployment_id(input)?)?;
        Ok(json!({"targetIds": [id]}))
    }

    pub(crate) fn get_deployment_target(&self, input: &Value) -> Result<Value, ApiError> {
        let deployment = deployment_id(input)?;
        let (id, target) = self.target_of(deployment)?;
        match text(input, "targetId") {
            "" => Err(ApiError::new("DeploymentTargetIdRequiredException", "name the target")),
            given if given == id => Ok(json!({"deploymentTarget": target})),
            given => Err(no_target(deployment, given, &id)),
        }
    }

    pub(crate) fn batch_get_deployment_targets(&self, input: &Value) -> Result<Value, ApiError> {
        let deployment = deployment_id(input)?;
        let (id, target) = self.target_of(deployment)?;
        let given: Vec<&str> = input["targetIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        match given.iter().find(|given| **given != id) {
            _ if given.is_empty() => Err(ApiError::new("DeploymentTargetIdRequiredException", "name the targets")),
            Some(other) => Err(no_target(deployment, other, &id)),
            None => Ok(json!({"deploymentTargets": [target]})),
        }
    }

    /// The target's id, and `DeploymentTarget` of the AWS model.
    fn target_of(&self, deployment: &str) -> Result<(String, Value), ApiError> {
        if let Some(found) = self.shared.lock().deployment(deployment) {
            return Ok(describe(found, &self.shared.region));
        }
        match self.shared.in_place.get(deployment) {
            Some(found) => Ok(describe_in_place(&found)),
            None => Err(no_deployment(deployment)),
        }
    }
}

fn describe(deployment: &Deployment, region: &str) -> (String, Value) {
    let events: Vec<Value> = deployment.lifecycle_events.iter().map(describe_event).collect();
    let status = match deployment.status {
        Status::Stopped => "Skipped",
        status => status.name(),
    };
    let mut common = json!({
        "deploymentId": deployment.id,
        "status": status,
        "lastUpdatedAt": epoch_seconds(deployment.complete_time.unwrap_or(deployment.create_time)),
        "lifecycleEvents": events,
    });
    let weight = deployment.target_weight;
    match &deployment.target {
        Target::Lambda { function, alias, current, target } => {
            let id = format!("{function}:{alias}");
            common["targetId"] = id.clone().into();
            common["targetArn"] = format!("arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{id}").into();
            common["lambdaFunctionInfo"] = json!({
                "functionName": function,
                "functionAlias": alias,
                "currentVersion": current,
                "targetVersion": target,
                "targetVersionWeight": f64::from(weight),
            });
            (id, json!({"deploymentTargetType": "LambdaTarget", "lambdaTarget": common}))
        }
        Target::Ecs { service, original, replacement, .. } => {
            common["targetId"] = service.clone().into();
            common["targetArn"] =
                format!("arn:aws:ecs:{region}:{ACCOUNT_ID}:service/{}", service.replace(':', "/")).into();
            let is_led = deployment.status == Status::Succeeded && deployment.rollback.triggered_by.is_none();
            let sets = [(original, "Blue", 100 - weight, !is_led), (replacement, "Green", weight, is_led)];
            let sets = sets.into_iter().filter_map(|(set, label, weight, is_primary)| {
                set.as_ref().map(|set| describe_task_set(set, label, weight, is_primary))
            });
            common["taskSetsInfo"] = sets.collect();
            (service.clone(), json!({"deploymentTargetType": "ECSTarget", "ecsTarget": common}))
        }
    }
}

/// A task set with no tasks: no container runs here.
fn describe_task_set(set: &TaskSet, label: &str, weight: u8, is_primary: bool) -> Value {
    json!({
        // The model spells it so.
        "identifer": set.id,
        "desiredCount": 0,
        "pendingCount": 0,
        "runningCount": 0,
        "status": if is_primary { "PRIMARY" } else { "ACTIVE" },
        "trafficWeight": f64::from(weight),
        "taskSetLabel": label,
    })
}

/// `LifecycleEvent` of the AWS model. Of a function there is no script, so what was wrong is `UnknownError`.
fn describe_event(event: &LifecycleEvent) -> Value {
    let diagnostics = match event.status {
        EventStatus::Succeeded => Some("Success"),
        EventStatus::Failed => Some("UnknownError"),
        EventStatus::Pending | EventStatus::InProgress | EventStatus::Skipped => None,
    };
    let diagnostics = diagnostics
        .map(|code| without_nulls(json!({"errorCode": code, "scriptName": event.function, "message": event.message})));
    without_nulls(json!({
        "lifecycleEventName": event.name,
        "diagnostics": diagnostics,
        "startTime": event.start_time.map(epoch_seconds),
        "endTime": event.end_time.map(epoch_seconds),
        "status": event.status.name(),
    }))
}

fn describe_in_place(deployment: &DeploymentRecord) -> (String, Value) {
    let id = format!("local-{}-{}", deployment.application, deployment.deployment_group);
    let events = deployment.lifecycle_events.iter().map(|event| {
        let status = match event.status {
            LifecycleEventStatus::InProgress => "InProgress",
            LifecycleEventStatus::Succeeded => "Succeeded",
            LifecycleEventStatus::Failed => "Failed",
        };
        without_nulls(json!({
            "lifecycleEventName": event.name,
            "diagnostics": event.message.as_ref().map(|message| json!({"errorCode": "ScriptFailed", "message": message})),
            "startTime": epoch_seconds(event.start_time),
            "endTime": event.end_time.map(epoch_seconds),
            "status": status,
        }))
    });
    let target = json!({
        "deploymentId": deployment.id,
        "targetId": id,
        "status": match in_place_status(deployment.status) { "Stopped" => "Skipped", status => status },
        "lastUpdatedAt": epoch_seconds(deployment.complete_time.unwrap_or(deployment.create_time)),
        "lifecycleEvents": events.collect::<Vec<_>>(),
    });
    (id, json!({"deploymentTargetType": "InstanceTarget", "instanceTarget": target}))
}

fn no_target(deployment: &str, given: &str, id: &str) -> ApiError {
    let shown: String = given.chars().take(120).collect();
    let message = format!("the deployment {deployment} has no target {shown:?}; it has {id:?}");
    ApiError::new("DeploymentTargetDoesNotExistException", message)
}
