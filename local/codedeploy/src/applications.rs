//! Applications and their deployment groups.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page, without_nulls};
use uuid::Uuid;

use crate::platform::{DeploymentConfig, Platform};
use crate::record::TaskSet;
use crate::state::State;
use crate::{CodeDeploy, SERVICE, text};

/// An application of the platforms Lambda and ECS.
#[derive(Debug)]
pub(crate) struct Application {
    id: String,
    pub(crate) platform: Platform,
    created: Timestamp,
    pub(crate) groups: BTreeMap<String, Group>,
}

#[derive(Clone, Debug)]
pub(crate) struct Group {
    id: String,
    pub(crate) config: &'static DeploymentConfig,
    pub(crate) auto_rollback: AutoRollback,
    service_role: Option<String>,
    /// `cluster:service`.
    pub(crate) service: String,
    /// The task set of an ECS service that has the traffic.
    pub(crate) primary: Option<TaskSet>,
}

/// Whether a deployment that does not succeed is rolled back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AutoRollback {
    enabled: bool,
    events: Vec<String>,
}

impl AutoRollback {
    fn read(given: &Value) -> Self {
        let events = given["events"].as_array().into_iter().flatten().filter_map(Value::as_str);
        Self { enabled: given["enabled"] == true, events: events.map(str::to_owned).collect() }
    }

    /// `AutoRollbackConfiguration`, where one is given.
    pub(crate) fn given(input: &Value) -> Option<Self> {
        let given = &input["autoRollbackConfiguration"];
        given.is_object().then(|| Self::read(given))
    }

    pub(crate) fn on(&self, event: &str) -> bool {
        self.enabled && self.events.iter().any(|name| name == event)
    }

    pub(crate) fn describe(&self) -> Value {
        json!({"enabled": self.enabled, "events": self.events})
    }
}

impl Group {
    fn new(name: &str, config: &'static DeploymentConfig) -> Self {
        Self {
            id: Uuid::new_v4().to_string(),
            config,
            auto_rollback: AutoRollback::default(),
            service_role: None,
            service: format!("local:{name}"),
            primary: None,
        }
    }
}

impl CodeDeploy {
    pub(crate) fn create_application(&self, input: &Value) -> Result<Value, ApiError> {
        let name = application_name(input)?;
        let platform = match input["computePlatform"].as_str() {
            Some(given) => Platform::from_name(given).ok_or_else(|| {
                let message = format!(
                    "the local CodeDeploy makes applications of the platforms Lambda and ECS, not {given:?}; one of instances \
                     comes into being with the first deployment of a pipeline's CodeDeploy action"
                );
                ApiError::new("InvalidComputePlatformException", message)
            })?,
            None => {
                let message = "name the computePlatform: Lambda or ECS";
                return Err(ApiError::new("InvalidComputePlatformException", message));
            }
        };
        let now = self.shared.clock.now();
        let mut state = self.shared.lock();
        if state.applications.contains_key(name) || self.in_place_since(name, None).is_some() {
            let message = format!("the application {name} exists already");
            return Err(ApiError::new("ApplicationAlreadyExistsException", message));
        }
        let id = state.add_application(name, platform, now);
        Ok(json!({"applicationId": id}))
    }

    pub(crate) fn get_application(&self, input: &Value) -> Result<Value, ApiError> {
        let name = application_name(input)?;
        let (id, platform, created) = match self.shared.lock().applications.get(name) {
            Some(application) => (application.id.clone(), application.platform.name(), application.created),
            None => match self.in_place_since(name, None) {
                Some(created) => (format!("local-{name}"), "Server", created),
                None => return Err(no_application(name)),
            },
        };
        Ok(json!({"application": {
            "applicationId": id,
            "applicationName": name,
            "createTime": epoch_seconds(created),
            "linkedToGitHub": false,
            "computePlatform": platform,
        }}))
    }

    pub(crate) fn list_applications(&self, input: &Value) -> Result<Value, ApiError> {
        let mut names: Vec<String> = self.shared.lock().applications.keys().cloned().collect();
        names.extend(self.shared.in_place.list().into_iter().map(|deployment| deployment.application));
        let request = Page { operation: "ListApplications", output: "applications", default_size: 100 };
        page(&SERVICE, &request, input, unique(names).into_iter().map(|name| (name.clone(), name.into())))
    }

    pub(crate) fn create_deployment_group(&self, input: &Value) -> Result<Value, ApiError> {
        let (application, name) = (application_name(input)?, group_name(input)?);
        let mut state = self.shared.lock();
        let Some(found) = state.applications.get_mut(application) else { return Err(no_application(application)) };
        if found.groups.contains_key(name) {
            let message = format!("the application {application} has a deployment group {name} already");
            return Err(ApiError::new("DeploymentGroupAlreadyExistsException", message));
        }
        let config = deployment_config(found.platform, input)?.unwrap_or_else(|| found.platform.default_config());
        let mut group = Group::new(name, config);
        group.auto_rollback = AutoRollback::given(input).unwrap_or_default();
        group.service_role = input["serviceRoleArn"].as_str().map(str::to_owned);
        let service = &input["ecsServices"][0];
        if let (Some(cluster), Some(service)) = (service["clusterName"].as_str(), service["serviceName"].as_str()) {
            group.service = format!("{cluster}:{service}");
        }
        let id = group.id.clone();
        found.groups.insert(name.to_owned(), group);
        Ok(json!({"deploymentGroupId": id}))
    }

    pub(crate) fn get_deployment_group(&self, input: &Value) -> Result<Value, ApiError> {
        let (application, name) = (application_name(input)?, group_name(input)?);
        let state = self.shared.lock();
        let Some(found) = state.applications.get(application) else {
            return match self.in_place_since(application, Some(name)) {
                Some(_) => Ok(json!({"deploymentGroupInfo": {
                    "applicationName": application,
                    "deploymentGroupName": name,
                    "deploymentGroupId": format!("local-{application}-{name}"),
                    "computePlatform": "Server",
                    "deploymentStyle": in_place_style(),
                }})),
                None if self.in_place_since(application, None).is_some() => Err(no_group(application, name)),
                None => Err(no_application(application)),
            };
        };
        let group = found.groups.get(name).ok_or_else(|| no_group(application, name))?;
        let ecs = (found.platform == Platform::Ecs).then(|| {
            let (cluster, service) = group.service.split_once(':').unwrap_or(("local", &group.service));
            json!([{"clusterName": cluster, "serviceName": service}])
        });
        Ok(json!({"deploymentGroupInfo": without_nulls(json!({
            "applicationName": application,
            "deploymentGroupName": name,
            "deploymentGroupId": group.id,
            "deploymentConfigName": group.config.name,
            "serviceRoleArn": group.service_role,
            "autoRollbackConfiguration": group.auto_rollback.describe(),
            "deploymentStyle": function_style(),
            "computePlatform": found.platform.name(),
            "ecsServices": ecs,
        }))}))
    }

    pub(crate) fn list_deployment_groups(&self, input: &Value) -> Result<Value, ApiError> {
        let application = application_name(input)?;
        let state = self.shared.lock();
        let names = match state.applications.get(application) {
            Some(found) => found.groups.keys().cloned().collect(),
            None => {
                let deployments = self.shared.in_place.list().into_iter();
                let of_it = deployments.filter(|deployment| deployment.application == application);
                unique(of_it.map(|deployment| deployment.deployment_group).collect())
            }
        };
        drop(state);
        if names.is_empty() && !self.knows_application(application) {
            return Err(no_application(application));
        }
        let request = Page { operation: "ListDeploymentGroups", output: "deploymentGroups", default_size: 100 };
        let mut answer = page(&SERVICE, &request, input, names.into_iter().map(|name| (name.clone(), name.into())))?;
        answer["applicationName"] = application.into();
        Ok(answer)
    }

    pub(crate) fn knows_application(&self, name: &str) -> bool {
        self.shared.lock().applications.contains_key(name) || self.in_place_since(name, None).is_some()
    }

    /// When the first deployment to instances was made for an application, or for one of its groups.
    pub(crate) fn in_place_since(&self, application: &str, group: Option<&str>) -> Option<Timestamp> {
        let deployments = self.shared.in_place.list().into_iter();
        let of_it = deployments.filter(|deployment| {
            deployment.application == application && group.is_none_or(|group| group == deployment.deployment_group)
        });
        of_it.map(|deployment| deployment.create_time).min()
    }
}

impl State {
    /// Adds an application and gives its id.
    pub(crate) fn add_application(&mut self, name: &str, platform: Platform, created: Timestamp) -> String {
        let id = Uuid::new_v4().to_string();
        let application = Application { id: id.clone(), platform, created, groups: BTreeMap::new() };
        self.applications.insert(name.to_owned(), application);
        id
    }

    /// Adds the application and the group of a pipeline's action, where they do not exist.
    pub(crate) fn ensure_group(
        &mut self,
        application: &str,
        group: &str,
        platform: Platform,
        now: Timestamp,
    ) -> Result<(), String> {
        if !self.applications.contains_key(application) {
            self.add_application(application, platform, now);
        }
        match self.applications.get_mut(application) {
            Some(found) if found.platform == platform => {
                let groups = found.groups.entry(group.to_owned());
                groups.or_insert_with(|| Group::new(group, platform.default_config()));
                Ok(())
            }
            found => {
                let is = found.map_or("unknown", |found| found.platform.name());
                Err(format!("the application {application} is one of the platform {is}, not {}", platform.name()))
            }
        }
    }
}

/// The deployment configuration that an input names.
pub(crate) fn deployment_config(
    platform: Platform,
    input: &Value,
) -> Result<Option<&'static DeploymentConfig>, ApiError> {
    let Some(name) = input["deploymentConfigName"].as_str() else { return Ok(None) };
    match DeploymentConfig::find(name) {
        Some(config) if config.platform == platform => Ok(Some(config)),
        Some(_) => {
            let message = format!("{name} is no deployment configuration of the platform {}", platform.name());
            Err(ApiError::new("InvalidDeploymentConfigNameException", message))
        }
        None => {
            let known = DeploymentConfig::names(platform).join(", ");
            let message = format!("there is no deployment configuration {name} here; there are {known}");
            Err(ApiError::new("DeploymentConfigDoesNotExistException", message))
        }
    }
}

pub(crate) fn application_name(input: &Value) -> Result<&str, ApiError> {
    match text(input, "applicationName") {
        "" => Err(ApiError::new("ApplicationNameRequiredException", "name the application")),
        name if is_name(name) => Ok(name),
        name => Err(ApiError::new("InvalidApplicationNameException", not_a_name("application", name))),
    }
}

pub(crate) fn group_name(input: &Value) -> Result<&str, ApiError> {
    match text(input, "deploymentGroupName") {
        "" => Err(ApiError::new("DeploymentGroupNameRequiredException", "name the deployment group")),
        name if is_name(name) => Ok(name),
        name => Err(ApiError::new("InvalidDeploymentGroupNameException", not_a_name("deployment group", name))),
    }
}

/// `[A-Za-z0-9+=,.@_-]`, 1 to 100 of them.
fn is_name(name: &str) -> bool {
    (1..=100).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
}

fn not_a_name(what: &str, name: &str) -> String {
    let shown: String = name.chars().take(120).collect();
    format!("{shown:?} is no name of a {what}: use 1 to 100 letters, digits and +=,.@_-")
}

pub(crate) fn no_application(name: &str) -> ApiError {
    ApiError::new("ApplicationDoesNotExistException", format!("there is no application {name}"))
}

pub(crate) fn no_group(application: &str, name: &str) -> ApiError {
    let message = format!("the application {application} has no deployment group {name}");
    ApiError::new("DeploymentGroupDoesNotExistException", message)
}

pub(crate) fn function_style() -> Value {
    json!({"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"})
}

pub(crate) fn in_place_style() -> Value {
    json!({"deploymentType": "IN_PLACE", "deploymentOption": "WITHOUT_TRAFFIC_CONTROL"})
}

fn unique(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}
