//! New deployments.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stagegate_local_codepipeline::ApiError;
use uuid::Uuid;

use crate::applications::{AutoRollback, application_name, deployment_config, group_name, no_application, no_group};
use crate::appspec::{AppSpec, Resource};
use crate::platform::DeploymentConfig;
use crate::record::{Deployment, EventStatus, LifecycleEvent, Rollback, Status, Target};
use crate::{CodeDeploy, text};

/// The most bytes of an AppSpec.
const MAX_APPSPEC: usize = 1 << 20;

/// A deployment that is wanted.
pub(crate) struct Request<'r> {
    pub(crate) application: &'r str,
    pub(crate) group: &'r str,
    pub(crate) content: String,
    /// The folder that stands in for containers.
    pub(crate) site: Option<PathBuf>,
    pub(crate) description: Option<String>,
    pub(crate) config: Option<&'static DeploymentConfig>,
    pub(crate) auto_rollback: Option<AutoRollback>,
}

impl CodeDeploy {
    pub(crate) async fn create_deployment(&self, input: &Value) -> Result<Value, ApiError> {
        let (application, group) = (application_name(input)?, group_name(input)?);
        let content = self.revision(&input["revision"]).await?;
        let platform = match self.shared.lock().applications.get(application) {
            Some(found) => found.platform,
            None if self.in_place_since(application, None).is_some() => {
                let message = format!(
                    "{application} is an application of instances; here such deployments are made by a pipeline's CodeDeploy action only"
                );
                return Err(ApiError::new("InvalidComputePlatformException", message));
            }
            None => return Err(no_application(application)),
        };
        let request = Request {
            application,
            group,
            content,
            site: None,
            description: input["description"].as_str().map(str::to_owned),
            config: deployment_config(platform, input)?,
            auto_rollback: AutoRollback::given(input),
        };
        let id = self.deploy(request)?;
        Ok(json!({"deploymentId": id}))
    }

    /// Begins a deployment and gives its id.
    pub(crate) fn deploy(&self, request: Request<'_>) -> Result<String, ApiError> {
        let Request { application, group, content, site, description, config, auto_rollback } = request;
        let appspec = AppSpec::parse(&content).map_err(|error| invalid_revision(format!("the AppSpec: {error}")))?;
        let now = self.shared.clock.now();
        let mut state = self.shared.lock();
        let found = state.applications.get(application).ok_or_else(|| no_application(application))?;
        let its_group = found.groups.get(group).ok_or_else(|| no_group(application, group))?.clone();
        let platform = found.platform;
        if appspec.resource.platform() != platform {
            let (is, of) = (appspec.resource.platform().name(), platform.name());
            return Err(invalid_revision(format!(
                "the AppSpec is one of {is}, and the application {application} of {of}"
            )));
        }
        let running = |other: &&Deployment| {
            other.is_running() && other.application == application && other.deployment_group == group
        };
        if let Some(other) = state.deployments().find(running) {
            let message =
                format!("the deployment group {group} has an active deployment {}; wait for it or stop it", other.id);
            return Err(ApiError::new("DeploymentLimitExceededException", message));
        }
        let id = deployment_id();
        let deployment = Deployment {
            id: id.clone(),
            application: application.to_owned(),
            deployment_group: group.to_owned(),
            platform,
            config: config.unwrap_or(its_group.config),
            auto_rollback: auto_rollback.unwrap_or(its_group.auto_rollback),
            roll_back_when_stopped: None,
            creator: "user",
            description,
            content,
            status: Status::InProgress,
            error: None,
            create_time: now,
            complete_time: None,
            lifecycle_events: events(&appspec),
            target: match &appspec.resource {
                Resource::Lambda { function, alias, current, target } => Target::Lambda {
                    function: function.clone(),
                    alias: alias.clone(),
                    current: current.clone(),
                    target: target.clone(),
                },
                Resource::Ecs { task_definition } => Target::Ecs {
                    service: its_group.service,
                    original: its_group.primary,
                    replacement: None,
                    task_definition: task_definition.clone(),
                    site,
                    test_traffic: false,
                },
            },
            target_weight: 0,
            rollback: Rollback::default(),
        };
        let forgotten = state.add(deployment.clone());
        drop(state);
        self.shared.forget(forgotten);
        self.shared.start(&deployment, appspec);
        Ok(id)
    }

    /// The text of a revision.
    async fn revision(&self, revision: &Value) -> Result<String, ApiError> {
        let content = match revision["revisionType"].as_str() {
            None => return Err(ApiError::new("RevisionRequiredException", "name a revision with its revisionType")),
            Some("AppSpecContent") => checked(&revision["appSpecContent"], "appSpecContent")?,
            Some("String") => checked(&revision["string"], "string")?,
            Some("S3") => {
                let location = &revision["s3Location"];
                let (bucket, key) = (text(location, "bucket"), text(location, "key"));
                if !["YAML", "JSON"].contains(&text(location, "bundleType")) {
                    return Err(invalid_revision("BundleType must be either YAML or JSON"));
                }
                let missing = |error| {
                    ApiError::new(
                        "RevisionDoesNotExistException",
                        format!("s3://{bucket}/{key} could not be read: {error}"),
                    )
                };
                let body = self.shared.bucket.get(bucket, key).await.map_err(missing)?;
                String::from_utf8(body).map_err(|_| invalid_revision(format!("s3://{bucket}/{key} is no text")))?
            }
            Some(other) => {
                let message =
                    format!("a revision of the type {other:?} is none of Lambda or ECS; use AppSpecContent or S3");
                return Err(invalid_revision(message));
            }
        };
        if content.len() > MAX_APPSPEC {
            return Err(invalid_revision(format!("the AppSpec is larger than {MAX_APPSPEC} bytes")));
        }
        Ok(content)
    }
}

/// The text of a revision that is given in the call, with its digest, if one is given.
fn checked(given: &Value, member: &str) -> Result<String, ApiError> {
    let content =
        given["content"].as_str().ok_or_else(|| invalid_revision(format!("the revision has no {member}.content")))?;
    match given["sha256"].as_str() {
        Some(digest) if !digest.eq_ignore_ascii_case(&sha256(content)) => Err(invalid_revision(format!(
            "the content of the revision has the SHA-256 {}, not {digest}",
            sha256(content)
        ))),
        _ => Ok(content.to_owned()),
    }
}

/// The lifecycle events that are to come.
fn events(appspec: &AppSpec) -> Vec<LifecycleEvent> {
    let lifecycle = appspec.resource.platform().lifecycle().iter();
    let event = |(name, _): &(&'static str, _)| LifecycleEvent {
        name,
        status: EventStatus::Pending,
        start_time: None,
        end_time: None,
        function: appspec.hooks.get(name).cloned(),
        message: None,
    };
    lifecycle.map(event).collect()
}

/// `d-` and nine letters and digits.
pub(crate) fn deployment_id() -> String {
    let random = Uuid::new_v4().simple().to_string().to_ascii_uppercase();
    format!("d-{}", random.get(..9).unwrap_or(&random))
}

/// The digest of a text in hexadecimal digits.
pub(crate) fn sha256(content: &str) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn invalid_revision(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidRevisionException", message)
}
