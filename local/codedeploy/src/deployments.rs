//! Deployments of all platforms, as the API tells of them.

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_actions::{DeploymentRecord, DeploymentStatus};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page, without_nulls};

use crate::applications::{application_name, function_style, group_name, in_place_style, no_application, no_group};
use crate::create::sha256;
use crate::record::{Deployment, Status};
use crate::{CodeDeploy, SERVICE, text};

/// The most deployments of one BatchGetDeployments (AWS CodeDeploy API reference).
const BATCH: usize = 25;

/// `DeploymentStatus` of the AWS model.
const STATUSES: [&str; 8] = ["Created", "Queued", "InProgress", "Baking", "Succeeded", "Failed", "Stopped", "Ready"];

/// What ListDeployments looks at.
struct Listed {
    id: String,
    application: String,
    group: String,
    status: &'static str,
    created: Timestamp,
}

impl CodeDeploy {
    pub(crate) fn get_deployment(&self, input: &Value) -> Result<Value, ApiError> {
        let id = deployment_id(input)?;
        let found = self.describe(id).ok_or_else(|| no_deployment(id))?;
        Ok(json!({"deploymentInfo": found}))
    }

    pub(crate) fn batch_get_deployments(&self, input: &Value) -> Result<Value, ApiError> {
        let ids: Vec<&str> =
            input["deploymentIds"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if ids.is_empty() {
            return Err(ApiError::new("DeploymentIdRequiredException", "name the deployments"));
        }
        if ids.len() > BATCH {
            let message = format!("{} deployments were asked for; the most are {BATCH}", ids.len());
            return Err(ApiError::new("BatchLimitExceededException", message));
        }
        ids.iter().try_for_each(|id| check_id(id))?;
        let found: Vec<Value> = ids.iter().filter_map(|id| self.describe(id)).collect();
        Ok(json!({"deploymentsInfo": found}))
    }

    /// The newest first.
    pub(crate) fn list_deployments(&self, input: &Value) -> Result<Value, ApiError> {
        let names = match (text(input, "applicationName"), text(input, "deploymentGroupName")) {
            ("", "") => None,
            _ => Some((application_name(input)?, group_name(input)?)),
        };
        if let Some((application, group)) = names {
            self.check_group(application, group)?;
        }
        let statuses: Vec<&str> =
            input["includeOnlyStatuses"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(unknown) = statuses.iter().find(|status| !STATUSES.contains(status)) {
            let message = format!("{unknown:?} is no status of a deployment: {}", STATUSES.join(", "));
            return Err(ApiError::new("InvalidDeploymentStatusException", message));
        }
        let bound = |member: &str| input["createTimeRange"][member].as_f64();
        let (start, end) = (bound("start"), bound("end"));
        let seconds = |time: Timestamp| epoch_seconds(time).as_f64().unwrap_or_default();
        let wanted = self.listed().into_iter().filter(|one| {
            names.is_none_or(|(application, group)| one.application == application && one.group == group)
                && (statuses.is_empty() || statuses.contains(&one.status))
                && start.is_none_or(|start| seconds(one.created) >= start)
                && end.is_none_or(|end| seconds(one.created) <= end)
        });
        let request = Page { operation: "ListDeployments", output: "deployments", default_size: 100 };
        page(&SERVICE, &request, input, wanted.map(|one| (one.id.clone(), one.id.into())))
    }

    pub(crate) fn stop_deployment(&self, input: &Value) -> Result<Value, ApiError> {
        let id = deployment_id(input)?;
        let mut state = self.shared.lock();
        let Some(deployment) = state.deployment_mut(id) else {
            return Err(match self.shared.in_place.get(id) {
                Some(_) => {
                    let message =
                        "a deployment to instances is stopped here by stopping or abandoning the pipeline's execution";
                    ApiError::new("UnsupportedActionForDeploymentTypeException", message)
                }
                None => no_deployment(id),
            });
        };
        if !deployment.is_running() {
            let message = format!("the deployment {id} has ended: {}", deployment.status.name());
            return Err(ApiError::new("DeploymentAlreadyCompletedException", message));
        }
        deployment.roll_back_when_stopped = input["autoRollbackEnabled"].as_bool();
        if let Some(stop) = state.stops.get(id) {
            stop.cancel();
        }
        Ok(json!({"status": "Pending", "statusMessage": "the deployment is being stopped"}))
    }

    fn check_group(&self, application: &str, group: &str) -> Result<(), ApiError> {
        let state = self.shared.lock();
        let known = match state.applications.get(application) {
            Some(found) => found.groups.contains_key(group),
            None if self.in_place_since(application, None).is_some() => {
                self.in_place_since(application, Some(group)).is_some()
            }
            None => return Err(no_application(application)),
        };
        if known { Ok(()) } else { Err(no_group(application, group)) }
    }

    fn listed(&self) -> Vec<Listed> {
        let state = self.shared.lock();
        let functions = state.deployments().map(|one| Listed {
            id: one.id.clone(),
            application: one.application.clone(),
            group: one.deployment_group.clone(),
            status: one.status.name(),
            created: one.create_time,
        });
        let mut all: Vec<Listed> = functions.collect();
        drop(state);
        all.extend(self.shared.in_place.list().into_iter().map(|one| Listed {
            status: in_place_status(one.status),
            id: one.id,
            application: one.application,
            group: one.deployment_group,
            created: one.create_time,
        }));
        all.sort_by(|one, other| other.created.cmp(&one.created).then_with(|| other.id.cmp(&one.id)));
        all
    }

    /// `DeploymentInfo` of the AWS model.
    fn describe(&self, id: &str) -> Option<Value> {
        if let Some(deployment) = self.shared.lock().deployment(id) {
            return Some(describe(deployment));
        }
        self.shared.in_place.get(id).map(|deployment| describe_in_place(&deployment))
    }
}

fn describe(deployment: &Deployment) -> Value {
    let rollback = &deployment.rollback;
    let rollback = without_nulls(json!({
        "rollbackDeploymentId": rollback.deployment,
        "rollbackTriggeringDeploymentId": rollback.triggered_by,
        "rollbackMessage": rollback.message,
    }));
    let has_rollback = rollback.as_object().is_some_and(|members| !members.is_empty());
    without_nulls(json!({
        "applicationName": deployment.application,
        "deploymentGroupName": deployment.deployment_group,
        "deploymentConfigName": deployment.config.name,
        "deploymentId": deployment.id,
        "revision": {
            "revisionType": "AppSpecContent",
            "appSpecContent": {"content": deployment.content, "sha256": sha256(&deployment.content)},
        },
        "status": deployment.status.name(),
        "errorInformation": deployment.error.as_ref().map(|e| json!({"code": e.code, "message": e.message})),
        "createTime": epoch_seconds(deployment.create_time),
        "startTime": epoch_seconds(deployment.create_time),
        "completeTime": deployment.complete_time.map(epoch_seconds),
        "deploymentOverview": overview(deployment.status.name()),
        "description": deployment.description,
        "creator": deployment.creator,
        "autoRollbackConfiguration": deployment.auto_rollback.describe(),
        "rollbackInfo": has_rollback.then_some(rollback),
        "deploymentStyle": function_style(),
        "computePlatform": deployment.platform.name(),
    }))
}

fn describe_in_place(deployment: &DeploymentRecord) -> Value {
    let status = in_place_status(deployment.status);
    let failed = deployment.lifecycle_events.iter().find_map(|event| Some((event.name, event.message.as_deref()?)));
    let error = match deployment.status {
        DeploymentStatus::Failed => {
            let (event, message) = failed.unwrap_or(("the deployment", "has failed"));
            Some(json!({"code": "HEALTH_CONSTRAINTS", "message": format!("{event}: {message}")}))
        }
        DeploymentStatus::Stopped => Some(json!({"code": "MANUAL_STOP", "message": "the action was abandoned"})),
        DeploymentStatus::InProgress | DeploymentStatus::Succeeded => None,
    };
    without_nulls(json!({
        "applicationName": deployment.application,
        "deploymentGroupName": deployment.deployment_group,
        "deploymentId": deployment.id,
        "status": status,
        "errorInformation": error,
        "createTime": epoch_seconds(deployment.create_time),
        "startTime": epoch_seconds(deployment.create_time),
        "completeTime": deployment.complete_time.map(epoch_seconds),
        "deploymentOverview": overview(status),
        "creator": "user",
        "deploymentStyle": in_place_style(),
        "computePlatform": "Server",
    }))
}

/// There is one target, whose status is that of the deployment.
fn overview(status: &str) -> Value {
    let members = ["Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"];
    let ended = if status == Status::Stopped.name() { "Skipped" } else { status };
    members.iter().map(|member| ((*member).to_owned(), Value::from(u8::from(*member == ended)))).collect()
}

pub(crate) fn in_place_status(status: DeploymentStatus) -> &'static str {
    match status {
        DeploymentStatus::InProgress => "InProgress",
        DeploymentStatus::Succeeded => "Succeeded",
        DeploymentStatus::Failed => "Failed",
        DeploymentStatus::Stopped => "Stopped",
    }
}

/// The id of a deployment that an input names.
pub(crate) fn deployment_id(input: &Value) -> Result<&str, ApiError> {
    match text(input, "deploymentId") {
        "" => Err(ApiError::new("DeploymentIdRequiredException", "name the deployment")),
        id => check_id(id).map(|()| id),
    }
}

fn check_id(id: &str) -> Result<(), ApiError> {
    let rest = id.strip_prefix("d-").unwrap_or_default();
    if !rest.is_empty() && rest.len() <= 32 && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
        return Ok(());
    }
    let shown: String = id.chars().take(60).collect();
    let message = format!("{shown:?} is no id of a deployment; it has the form d-ABCDEFGHI");
    Err(ApiError::new("InvalidDeploymentIdException", message))
}

pub(crate) fn no_deployment(id: &str) -> ApiError {
    ApiError::new("DeploymentDoesNotExistException", format!("there is no deployment {id}"))
}
