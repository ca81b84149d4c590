//! The CodeDeploy action, for the EC2/on-premises compute platform: a folder stands in for the instance, and it is
//! served over HTTP.

mod appspec;
mod deployment;
mod event;
mod install;
mod instance;
mod record;
mod server;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionProvider, ActionRequest, ActionSuccess, Artifact, ArtifactBucket, Progress, ProgressUpdate,
};
use uuid::Uuid;

use crate::log::{Log, LogLine, LogListener};
use crate::names::check_folder_name;
use crate::service_event::ServiceEvents;
use crate::work_folder::WorkFolder;
use deployment::Deployment;
pub use event::deployment_state_change;
use instance::Instance;
pub use record::{DeploymentRecord, DeploymentStatus, Deployments, LifecycleEventRecord, LifecycleEventStatus};
pub use server::{FolderServer, InstanceServer, InstanceServers, ServeError};

/// Runs CodeDeploy actions.
///
/// Each deployment group has one instance: a folder below the data folder, which plays the root directory of a
/// machine. A destination such as `/var/www/html` is placed below it, and scripts find it in `INSTANCE_ROOT`; on a
/// real instance that variable is not set, so `"${INSTANCE_ROOT:-}/var/www/html"` is right in both places.
///
/// A deployment works on a copy of that root, with the events in their order: ApplicationStop (of the last successful
/// revision), DownloadBundle, BeforeInstall, Install, AfterInstall, ApplicationStart, ValidateService. Only then one
/// atomic rename makes the copy the root that is served, as a load balancer would let traffic in again. Whatever fails
/// before leaves the instance as it was, which is what an automatic rollback is for, and so does dropping the future.
/// `INSTANCE_URL` tells ApplicationStart and ValidateService where the new revision can be looked at.
///
/// What a script leaves in the background is killed when the script ends.
pub struct CodeDeployProvider {
    data: PathBuf,
    bucket: Arc<dyn ArtifactBucket>,
    clock: Clock,
    servers: InstanceServers,
    listener: Option<LogListener>,
    events: Option<ServiceEvents>,
    deployments: Deployments,
    /// One deployment at a time to each deployment group.
    groups: Mutex<HashMap<(String, String), GroupLock>>,
}

/// Is held by the deployment that a deployment group has at the time.
type GroupLock = Arc<tokio::sync::Mutex<()>>;

/// Which instance is deployed to.
struct Target<'a> {
    application: &'a str,
    group: &'a str,
    url: String,
}

impl CodeDeployProvider {
    /// A provider that keeps its instances and logs below `data` and has them served by `servers`.
    pub fn new(
        data: impl Into<PathBuf>,
        bucket: Arc<dyn ArtifactBucket>,
        clock: Clock,
        servers: InstanceServers,
    ) -> Self {
        Self {
            data: data.into(),
            bucket,
            clock,
            servers,
            listener: None,
            events: None,
            deployments: Deployments::default(),
            groups: Mutex::default(),
        }
    }

    /// Has `listener` called for each line of each deployment's log.
    #[must_use]
    pub fn with_log_listener(mut self, listener: LogListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// Has `events` told of deployments that begin and end.
    #[must_use]
    pub fn with_events(mut self, events: ServiceEvents) -> Self {
        self.events = Some(events);
        self
    }

    /// A handle to the deployments that have run and that run.
    pub fn deployments(&self) -> Deployments {
        self.deployments.clone()
    }

    /// Serves the instance of a deployment group already before it is deployed to, so that its URL is known.
    ///
    /// # Errors
    ///
    /// When the names cannot be used or no port is free.
    pub async fn serve(&self, application: &str, deployment_group: &str) -> Result<String, ActionFailure> {
        check_folder_name("ApplicationName", application).map_err(configuration)?;
        check_folder_name("DeploymentGroupName", deployment_group).map_err(configuration)?;
        let data = self.data_folder()?;
        let root = Instance::new(&data, application, deployment_group).current_root();
        let served = self.servers.serve(application, deployment_group, root).await;
        served.map_err(|error| ActionFailure::new("SystemUnavailable", error.to_string()))
    }

    async fn deploy(
        &self,
        request: &ActionRequest,
        revision: &Artifact,
        target: &Target<'_>,
        id: &str,
        progress: &Progress,
    ) -> Result<(), String> {
        let data = self.data_folder().map_err(|failure| failure.message)?;
        let instance = Instance::new(&data, target.application, target.group);
        let log_file = log_file(&data, target, id);
        let log = self.log(request, id, &log_file).map_err(|error| format!("the log could not be created: {error}"))?;
        let mut folder = WorkFolder::create(instance.deployment(id))
            .map_err(|error| format!("the deployment's folder could not be created: {error}"))?;
        let mut deployment = Deployment {
            id,
            application: target.application,
            group: target.group,
            instance: &instance,
            folder: folder.path(),
            revision,
            bucket: self.bucket.as_ref(),
            clock: &self.clock,
            document_root: self.servers.document_root(),
            deployments: &self.deployments,
            progress,
            log,
        };
        let outcome = deployment.run().await.map_err(|failure| format!("{}: {}", failure.event, failure.message));
        drop(deployment);
        let switched = outcome.and_then(|()| {
            instance
                .switch(id)
                .map_err(|error| format!("the instance could not be switched to the new revision: {error}"))
        });
        let Err(reason) = switched else {
            folder.keep();
            instance.prune();
            return Ok(());
        };
        let served = match instance.current() {
            Some(last) => format!("{} still serves {last}", target.url),
            None => "nothing is deployed there".to_owned(),
        };
        Err(format!("deployment {id} of {} to {} failed; {served}. {reason}", target.application, target.group))
    }

    fn data_folder(&self) -> Result<PathBuf, ActionFailure> {
        let created = fs::create_dir_all(&self.data).and_then(|()| fs::canonicalize(&self.data));
        created.map_err(|error| {
            ActionFailure::new("SystemUnavailable", format!("the data folder {}: {error}", self.data.display()))
        })
    }

    fn log(&self, request: &ActionRequest, id: &str, path: &Path) -> std::io::Result<Log> {
        let line = LogLine {
            execution_id: id.to_owned(),
            pipeline: request.pipeline.clone(),
            action: request.action.clone(),
            text: String::new(),
        };
        Log::create(path, line, self.listener.clone())
    }

    fn group(&self, application: &str, group: &str) -> GroupLock {
        let mut groups = self.groups.lock().expect("no holder of this lock can panic");
        Arc::clone(groups.entry((application.to_owned(), group.to_owned())).or_default())
    }

    /// Tells of the status that a deployment has now.
    fn tell(&self, id: &str) {
        if let Some((events, deployment)) = self.events.as_ref().zip(self.deployments.get(id)) {
            events.tell(event::state_change(&deployment));
        }
    }

    fn record(&self, request: &ActionRequest, target: &Target<'_>, id: &str) -> DeploymentRecord {
        DeploymentRecord {
            id: id.to_owned(),
            application: target.application.to_owned(),
            deployment_group: target.group.to_owned(),
            pipeline_execution_id: request.pipeline_execution_id.clone(),
            region: request.region.clone(),
            status: DeploymentStatus::InProgress,
            create_time: self.clock.now(),
            complete_time: None,
            lifecycle_events: Vec::new(),
            log: log_file(&self.data, target, id),
        }
    }
}

/// Writes the end of a deployment into its record: as stopped, if it is dropped before anything else was said.
struct Ending<'a> {
    provider: &'a CodeDeployProvider,
    id: &'a str,
    status: DeploymentStatus,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let now = self.provider.clock.now();
        self.provider.deployments.update(self.id, |deployment| {
            deployment.status = self.status;
            deployment.complete_time = Some(now);
        });
        self.provider.tell(self.id);
    }
}

#[async_trait]
impl ActionProvider for CodeDeployProvider {
    async fn run(&self, request: ActionRequest, progress: Progress) -> Result<ActionSuccess, ActionFailure> {
        let (application, group) =
            (configured(&request, "ApplicationName")?, configured(&request, "DeploymentGroupName")?);
        let [revision] = request.input_artifacts.as_slice() else {
            return Err(configuration("a CodeDeploy action needs exactly one input artifact".to_owned()));
        };
        let target = Target { application, group, url: self.serve(application, group).await? };
        let id = deployment_id();
        let lock = self.group(application, group);
        let _one_at_a_time = lock.lock().await;
        self.deployments.add(self.record(&request, &target, &id));
        self.tell(&id);
        let mut ending = Ending { provider: self, id: &id, status: DeploymentStatus::Stopped };
        progress.report(ProgressUpdate {
            external_execution_id: Some(id.clone()),
            external_execution_url: Some(target.url.clone()),
            ..ProgressUpdate::default()
        });
        match self.deploy(&request, revision, &target, &id, &progress).await {
            Ok(()) => {
                ending.status = DeploymentStatus::Succeeded;
                Ok(ActionSuccess {
                    external_execution_id: Some(id.clone()),
                    external_execution_url: Some(target.url.clone()),
                    summary: Some(format!("{application} is deployed to {group}: {}", target.url)),
                    ..ActionSuccess::default()
                })
            }
            Err(message) => {
                ending.status = DeploymentStatus::Failed;
                Err(ActionFailure {
                    external_execution_id: Some(id.clone()),
                    external_execution_url: Some(target.url.clone()),
                    ..ActionFailure::new("JobFailed", message)
                })
            }
        }
    }
}

fn configured<'a>(request: &'a ActionRequest, key: &str) -> Result<&'a str, ActionFailure> {
    request
        .configuration
        .get(key)
        .map(String::as_str)
        .ok_or_else(|| configuration(format!("the CodeDeploy action has no {key} in its configuration")))
}

fn log_file(data: &Path, target: &Target<'_>, id: &str) -> PathBuf {
    data.join("logs/codedeploy").join(target.application).join(target.group).join(format!("{id}.log"))
}

/// `d-` and nine letters and digits.
fn deployment_id() -> String {
    let random = Uuid::new_v4().simple().to_string().to_ascii_uppercase();
    format!("d-{}", random.get(..9).unwrap_or(&random))
}

fn configuration(message: String) -> ActionFailure {
    ActionFailure::new("ConfigurationError", message)
}
