//! The pipeline's action `CodeDeployToECS` (AWS CodePipeline guide, "Amazon ECS and CodeDeploy blue-green deploy action").

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use stagegate_local_actions::{ArchiveLimits, unpack};
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionProvider, ActionRequest, ActionSuccess, ArtifactBucket, Progress, ProgressUpdate,
};

use crate::create::Request;
use crate::platform::Platform;
use crate::record::{Deployment, EventStatus, Status, Target};
use crate::service::{SITE_LABEL, revision_folder, site_of};
use crate::{ACCOUNT_ID, CodeDeploy};

/// The most bytes of an artifact of this action (AWS CodePipeline guide, quotas).
const MAX_ARTIFACT: usize = 3 << 20;
/// The most bytes of a file in it.
const MAX_FILE: u64 = 1 << 20;
/// What an AppSpec template has in place of the task definition.
const TASK_DEFINITION: &str = "<TASK_DEFINITION>";
/// The most images.
const IMAGES: std::ops::RangeInclusive<u8> = 1..=4;

/// Runs the actions `CodeDeployToECS`: the task definition and the AppSpec are made from their templates and deployed by
/// the local CodeDeploy. No container runs; the task definition is registered with nobody, and its revision is counted
/// here.
pub struct EcsDeployProvider {
    codedeploy: CodeDeploy,
    bucket: Arc<dyn ArtifactBucket>,
}

/// Stops the deployment of an action that is abandoned.
struct Abandoned<'a> {
    codedeploy: &'a CodeDeploy,
    id: &'a str,
}

impl Drop for Abandoned<'_> {
    fn drop(&mut self) {
        if let Some(stop) = self.codedeploy.shared.lock().stops.get(self.id) {
            stop.cancel();
        }
    }
}

impl EcsDeployProvider {
    /// A provider for the deployment groups of a local CodeDeploy, which come into being with their first action.
    pub fn new(codedeploy: CodeDeploy, bucket: Arc<dyn ArtifactBucket>) -> Self {
        Self { codedeploy, bucket }
    }

    /// An input artifact.
    async fn artifact(&self, request: &ActionRequest, artifact: &str) -> Result<Vec<u8>, ActionFailure> {
        let found = request.input_artifacts.iter().find(|input| input.name == artifact);
        let found = found.ok_or_else(|| {
            let names: Vec<&str> = request.input_artifacts.iter().map(|input| input.name.as_str()).collect();
            let names = names.join(", ");
            configuration(format!(
                "the action has no input artifact {artifact}, which its configuration names; it has {names}"
            ))
        })?;
        let failed = |what: String| ActionFailure::new("JobFailed", format!("the artifact {artifact}: {what}"));
        let body = self.bucket.get(&found.bucket, &found.key).await.map_err(failed)?;
        match body.len() {
            length if length > MAX_ARTIFACT => {
                Err(failed(format!("it has {length} bytes; the most are {MAX_ARTIFACT}")))
            }
            _ => Ok(body),
        }
    }

    /// A file of an input artifact.
    async fn file(&self, request: &ActionRequest, artifact: &str, path: &str) -> Result<String, ActionFailure> {
        let failed =
            |what: String| ActionFailure::new("JobFailed", format!("{path} of the artifact {artifact}: {what}"));
        let body = self.artifact(request, artifact).await?;
        let path = path.to_owned();
        let read = tokio::task::spawn_blocking(move || read_file(&body, &path));
        read.await.map_err(|error| failed(error.to_string()))?.map_err(failed)
    }

    /// The text of the task definition, with its images.
    async fn task_definition(&self, request: &ActionRequest) -> Result<Value, ActionFailure> {
        let artifact = required(request, "TaskDefinitionTemplateArtifact")?;
        let path = configured(request, "TaskDefinitionTemplatePath").unwrap_or("taskdef.json");
        let mut text = self.file(request, artifact, path).await?;
        for (placeholder, uri) in self.images(request).await? {
            text = text.replace(&format!("<{placeholder}>"), &uri);
        }
        let failed =
            |what: String| ActionFailure::new("JobFailed", format!("{path} of the artifact {artifact}: {what}"));
        let definition: Value =
            serde_json::from_str(&text).map_err(|error| failed(format!("it is no JSON: {error}")))?;
        if definition["family"].as_str().is_none_or(str::is_empty) {
            return Err(failed("the task definition has no family".to_owned()));
        }
        let containers = definition["containerDefinitions"].as_array().into_iter().flatten();
        let image = |container: &Value| container["image"].as_str().map(str::to_owned);
        if let Some(image) = containers.filter_map(image).find(|image| image.starts_with('<')) {
            return Err(failed(format!(
                "the image {image} is a placeholder that no Image1ContainerName to Image4ContainerName of the action replaces"
            )));
        }
        Ok(definition)
    }

    /// The URIs of the images, by the placeholders in the task definition.
    async fn images(&self, request: &ActionRequest) -> Result<BTreeMap<String, String>, ActionFailure> {
        let mut images = BTreeMap::new();
        for number in IMAGES {
            let keys = [format!("Image{number}ArtifactName"), format!("Image{number}ContainerName")];
            match (configured(request, &keys[0]), configured(request, &keys[1])) {
                (None, None) => {}
                (Some(artifact), Some(placeholder)) => {
                    let text = self.file(request, artifact, "imageDetail.json").await?;
                    let detail: Value = serde_json::from_str(&text).unwrap_or_default();
                    let uri = detail["ImageURI"].as_str().ok_or_else(|| {
                        let message = format!("imageDetail.json of the artifact {artifact} has no ImageURI");
                        ActionFailure::new("JobFailed", message)
                    })?;
                    images.insert(placeholder.to_owned(), uri.to_owned());
                }
                _ => return Err(configuration(format!("{} and {} go together", keys[0], keys[1]))),
            }
        }
        Ok(images)
    }

    /// The folder that stands in for the containers of a task definition, unpacked.
    async fn site(&self, request: &ActionRequest, definition: &Value) -> Result<Option<PathBuf>, ActionFailure> {
        let Some(site) = site_of(definition) else { return Ok(None) };
        let artifact = required(request, "TaskDefinitionTemplateArtifact")?;
        let failed = |what: String| {
            let message = format!("the folder {site} of the artifact {artifact}, which {SITE_LABEL} names: {what}");
            ActionFailure::new("JobFailed", message)
        };
        let body = self.artifact(request, artifact).await?;
        let into = revision_folder(&self.codedeploy.shared.folder);
        let folder = into.clone();
        let unpacked = tokio::task::spawn_blocking(move || unpack(&body, &folder, ArchiveLimits::default())).await;
        unpacked.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        let inside = Path::new(site).components().all(|part| matches!(part, Component::Normal(_)));
        let folder = into.join(site);
        match inside && folder.is_dir() {
            true => Ok(Some(folder)),
            false => Err(failed("there is no such folder".to_owned())),
        }
    }

    /// Begins the deployment.
    async fn begin(&self, request: &ActionRequest) -> Result<String, ActionFailure> {
        check_keys(request)?;
        let (application, group) = (required(request, "ApplicationName")?, required(request, "DeploymentGroupName")?);
        let definition = self.task_definition(request).await?;
        let site = self.site(request, &definition).await?;
        let artifact = required(request, "AppSpecTemplateArtifact")?;
        let path = configured(request, "AppSpecTemplatePath").unwrap_or("appspec.yaml");
        let template = self.file(request, artifact, path).await?;
        let shared = &self.codedeploy.shared;
        let arn = {
            let family = definition["family"].as_str().unwrap_or_default();
            let mut state = shared.lock();
            state.ensure_group(application, group, Platform::Ecs, shared.clock.now()).map_err(configuration)?;
            let revision = state.revisions.entry(family.to_owned()).or_default();
            *revision += 1;
            format!("arn:aws:ecs:{}:{ACCOUNT_ID}:task-definition/{family}:{revision}", request.region)
        };
        let deployment = Request {
            application,
            group,
            content: template.replace(TASK_DEFINITION, &arn),
            site,
            description: Some(format!("the action {} of the pipeline {}", request.action, request.pipeline)),
            config: None,
            auto_rollback: None,
        };
        let deployed = self.codedeploy.deploy(deployment);
        deployed.map_err(|error| ActionFailure::new("JobFailed", format!("CodeDeploy refuses it: {error}")))
    }

    /// Waits until a deployment has ended.
    async fn end(&self, id: &str, progress: &Progress) -> Option<Deployment> {
        let mut changed = self.codedeploy.shared.changed.subscribe();
        let mut told = None;
        loop {
            changed.mark_unchanged();
            let deployment = self.codedeploy.shared.lock().deployment(id).cloned()?;
            if !deployment.is_running() {
                return Some(deployment);
            }
            let running = |event: &&crate::LifecycleEvent| event.status == EventStatus::InProgress;
            let event = deployment.lifecycle_events.iter().find(running).map(|event| event.name);
            if event.is_some() && event != told {
                told = event;
                let summary = event.map(|event| format!("event {event}"));
                progress.report(ProgressUpdate { summary, ..ProgressUpdate::default() });
            }
            changed.changed().await.ok()?;
        }
    }
}

#[async_trait]
impl ActionProvider for EcsDeployProvider {
    async fn run(&self, request: ActionRequest, progress: Progress) -> Result<ActionSuccess, ActionFailure> {
        let id = self.begin(&request).await?;
        let _abandoned = Abandoned { codedeploy: &self.codedeploy, id: &id };
        progress.report(ProgressUpdate { external_execution_id: Some(id.clone()), ..ProgressUpdate::default() });
        let ended = self.end(&id, &progress).await;
        let failed = |message: String| ActionFailure {
            external_execution_id: Some(id.clone()),
            ..ActionFailure::new("JobFailed", message)
        };
        let Some(deployment) = ended else { return Err(failed(format!("the deployment {id} is not known any more"))) };
        let place = format!("{} to {}", deployment.application, deployment.deployment_group);
        match deployment.status {
            Status::Succeeded => {
                let url = self.codedeploy.service_url(&deployment.application, &deployment.deployment_group);
                Ok(ActionSuccess {
                    external_execution_id: Some(id.clone()),
                    summary: Some(succeeded(&deployment, url.as_deref())),
                    external_execution_url: url,
                    ..ActionSuccess::default()
                })
            }
            _ => {
                let reason = deployment.error.map_or_else(String::new, |failure| failure.message);
                let traffic = match (&deployment.rollback.message, deployment.target_weight) {
                    (Some(message), _) => message.clone(),
                    (None, 0) => "the former task set has all traffic".to_owned(),
                    (None, weight) => format!("the new task set has {weight} % of the traffic"),
                };
                Err(failed(format!("deployment {id} of {place} failed; {traffic}. {reason}")))
            }
        }
    }
}

/// What a deployment that has succeeded has done.
fn succeeded(deployment: &Deployment, url: Option<&str>) -> String {
    let Deployment { application, deployment_group, .. } = deployment;
    let hooks: Vec<&str> =
        deployment.lifecycle_events.iter().filter(|event| event.function.is_some()).map(|event| event.name).collect();
    let passed = match hooks.as_slice() {
        [] => String::new(),
        hooks => format!(", after the hook {}", hooks.join(", ")),
    };
    let served = matches!(&deployment.target, Target::Ecs { site: Some(_), .. });
    match url.filter(|_| served) {
        Some(url) => format!("{application} is deployed to {deployment_group}{passed}: {url}"),
        None => format!("{application} is deployed to {deployment_group}{passed} (no container runs here)"),
    }
}

/// Refuses what this action has no configuration for.
fn check_keys(request: &ActionRequest) -> Result<(), ActionFailure> {
    const KEYS: [&str; 6] = [
        "ApplicationName",
        "DeploymentGroupName",
        "TaskDefinitionTemplateArtifact",
        "TaskDefinitionTemplatePath",
        "AppSpecTemplateArtifact",
        "AppSpecTemplatePath",
    ];
    let is_image = |key: &str| {
        IMAGES.into_iter().any(|n| key == format!("Image{n}ArtifactName") || key == format!("Image{n}ContainerName"))
    };
    match request.configuration.keys().find(|key| !KEYS.contains(&key.as_str()) && !is_image(key)) {
        Some(key) => Err(configuration(format!(
            "{key} is no configuration of CodeDeployToECS; there are {}, and Image1ArtifactName with Image1ContainerName up to 4",
            KEYS.join(", ")
        ))),
        None => Ok(()),
    }
}

fn configured<'r>(request: &'r ActionRequest, key: &str) -> Option<&'r str> {
    request.configuration.get(key).map(String::as_str)
}

fn required<'r>(request: &'r ActionRequest, key: &str) -> Result<&'r str, ActionFailure> {
    configured(request, key)
        .ok_or_else(|| configuration(format!("the CodeDeployToECS action has no {key} in its configuration")))
}

fn configuration(message: String) -> ActionFailure {
    ActionFailure::new("ConfigurationError", message)
}

fn read_file(body: &[u8], path: &str) -> Result<String, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(body))
        .map_err(|error| format!("the artifact is no readable ZIP file: {error}"))?;
    let entry = match archive.by_name(path) {
        Ok(entry) => entry,
        Err(zip::result::ZipError::FileNotFound) => return Err("the artifact has no such file".to_owned()),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    let mut text = String::new();
    entry.take(MAX_FILE + 1).read_to_string(&mut text).map_err(|error| format!("it cannot be read: {error}"))?;
    if text.len() as u64 > MAX_FILE { Err(format!("it is larger than {MAX_FILE} bytes")) } else { Ok(text) }
}
