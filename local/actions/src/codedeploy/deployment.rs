//! One deployment: its lifecycle events in their order, on a copy of the instance's root.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{Artifact, ArtifactBucket, Progress, ProgressUpdate};
use tokio::process::Command;

use super::appspec::{AppSpec, Hook, LifecycleEvent};
use super::install::{InstallError, copy_root, install};
use super::instance::Instance;
use super::record::{Deployments, LifecycleEventRecord, LifecycleEventStatus};
use super::server::{FolderServer, loopback};
use crate::archive::{ArchiveLimits, unpack};
use crate::log::Log;
use crate::process::{Ended, clean_environment, run};

/// What marks CodeDeploy's own lines in a log.
const AGENT: &str = "CodeDeploy";

/// The most time that all scripts of one lifecycle event may take together.
const EVENT_LIMIT: Duration = Duration::from_secs(3600);

/// The most bytes that are read of an AppSpec file.
const MAX_APPSPEC: u64 = 1 << 20;

/// A deployment that runs. Nothing of the instance changes before [`Deployment::run`] has succeeded.
pub(super) struct Deployment<'a> {
    pub(super) id: &'a str,
    pub(super) application: &'a str,
    pub(super) group: &'a str,
    pub(super) instance: &'a Instance,
    /// The folder of this deployment.
    pub(super) folder: &'a Path,
    pub(super) revision: &'a Artifact,
    pub(super) bucket: &'a dyn ArtifactBucket,
    pub(super) clock: &'a Clock,
    pub(super) document_root: &'a Path,
    pub(super) deployments: &'a Deployments,
    pub(super) progress: &'a Progress,
    pub(super) log: Log,
}

/// Why a deployment failed: the lifecycle event and what was wrong in it.
pub(super) struct Failure {
    pub(super) event: &'static str,
    pub(super) message: String,
}

impl Deployment<'_> {
    /// Runs all lifecycle events. After success, the deployment's root is ready to be switched to.
    ///
    /// The order is that of an in-place deployment behind a load balancer: users see the new revision only after
    /// ValidateService has succeeded. What the scripts see as the instance's root is a copy, so a failure at any place
    /// leaves the instance as it was.
    pub(super) async fn run(&mut self) -> Result<(), Failure> {
        self.begin("ApplicationStop");
        let stopped = self.application_stop().await;
        self.end("ApplicationStop", stopped)?;
        self.begin("DownloadBundle");
        let downloaded = self.download_bundle().await;
        let appspec = self.end("DownloadBundle", downloaded)?;
        self.hooks(&appspec, LifecycleEvent::BeforeInstall, None).await?;
        self.begin("Install");
        let installed = self.install(&appspec).await;
        self.end("Install", installed)?;
        self.hooks(&appspec, LifecycleEvent::AfterInstall, None).await?;
        let preview =
            match loopback(0).await.and_then(|listener| FolderServer::start(listener, self.root(), self.document_root))
            {
                Ok(preview) => preview,
                Err(error) => {
                    let message = format!("the instance could not be served for its validation: {error}");
                    return Err(Failure { event: "ApplicationStart", message });
                }
            };
        self.hooks(&appspec, LifecycleEvent::ApplicationStart, Some(preview.url())).await?;
        self.hooks(&appspec, LifecycleEvent::ValidateService, Some(preview.url())).await
    }

    fn root(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn archive(&self) -> PathBuf {
        self.folder.join("deployment-archive")
    }

    /// The scripts and the AppSpec of this event are those of the last successful deployment.
    async fn application_stop(&mut self) -> Result<(), String> {
        let root = self.root();
        let Some(last) = self.instance.current() else {
            return fs::create_dir_all(&root).map_err(|error| format!("{}: {error}", root.display()));
        };
        let old = self.instance.deployment(&last);
        let (from, to) = (old.join("root"), root);
        tokio::task::spawn_blocking(move || copy_root(&from, &to))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("the instance's root could not be copied: {error}"))?;
        let archive = old.join("deployment-archive");
        let appspec = read_appspec(&archive)?;
        self.scripts(&archive, &appspec, LifecycleEvent::ApplicationStop, None).await
    }

    async fn download_bundle(&mut self) -> Result<AppSpec, String> {
        let artifact = self.revision;
        let body = self.bucket.get(&artifact.bucket, &artifact.key).await;
        let body = body.map_err(|error| format!("the revision {} could not be read: {error}", artifact.name))?;
        let archive = self.archive();
        tokio::task::spawn_blocking(move || unpack(&body, &archive, ArchiveLimits::default()))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error| format!("the revision {}: {error}", artifact.name))?;
        let appspec = read_appspec(&self.archive())?;
        for note in &appspec.notes {
            self.log.note(AGENT, note);
        }
        Ok(appspec)
    }

    async fn install(&mut self, appspec: &AppSpec) -> Result<(), String> {
        let last = match self.instance.current() {
            Some(last) => read_installed(&self.instance.deployment(&last)),
            None => BTreeSet::new(),
        };
        let (archive, root, appspec) = (self.archive(), self.root(), appspec.clone());
        let installed = tokio::task::spawn_blocking(move || install(&archive, &root, &appspec, &last))
            .await
            .map_err(|error| error.to_string())?
            .map_err(|error: InstallError| error.to_string())?;
        self.log.note(AGENT, &format!("{} files installed", installed.len()));
        write_installed(self.folder, &installed).map_err(|error| format!("the list of installed files: {error}"))
    }

    async fn hooks(&mut self, appspec: &AppSpec, event: LifecycleEvent, url: Option<&str>) -> Result<(), Failure> {
        self.begin(event.name());
        let run = self.scripts(&self.archive(), appspec, event, url).await;
        self.end(event.name(), run)
    }

    /// Runs the scripts of an event one after the other.
    async fn scripts(
        &mut self,
        archive: &Path,
        appspec: &AppSpec,
        event: LifecycleEvent,
        url: Option<&str>,
    ) -> Result<(), String> {
        let started = Instant::now();
        for hook in appspec.hooks.get(&event).into_iter().flatten() {
            let limit = hook.timeout.min(EVENT_LIMIT.saturating_sub(started.elapsed()));
            self.script(archive, hook, event, url, limit).await?;
        }
        Ok(())
    }

    async fn script(
        &mut self,
        archive: &Path,
        hook: &Hook,
        event: LifecycleEvent,
        url: Option<&str>,
        limit: Duration,
    ) -> Result<(), String> {
        let name = hook.location.display();
        let path = archive.join(&hook.location);
        let metadata = fs::metadata(&path).ok().filter(fs::Metadata::is_file);
        let metadata = metadata.ok_or_else(|| format!("ScriptMissing: the revision has no script {name}"))?;
        if metadata.permissions().mode() & 0o100 == 0 {
            self.log.note(AGENT, &format!("{name} is not executable; it is made so, as the CodeDeploy agent does"));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .map_err(|error| format!("{name}: {error}"))?;
        }
        self.log.note(AGENT, &format!("{}: running {name}", event.name()));
        self.log.start_tail();
        let mut command = Command::new("sh");
        // The shell runs a script without an interpreter line too, as the agent does.
        command.args(["-c", "exec \"$0\""]).arg(&path).current_dir(self.root()).env_clear();
        command.envs(clean_environment(self.folder)).envs(self.hook_environment(event, url));
        let log = &mut self.log;
        let ended = run(command, limit, |line| log.output(&line)).await;
        let tail = self.log.tail();
        match ended {
            Ok(Ended::Status(0)) => Ok(()),
            Ok(Ended::Status(status)) => Err(format!("ScriptFailed: {name} ended with exit status {status}{tail}")),
            Ok(Ended::TimedOut) => Err(format!("ScriptTimedOut: {name} ran longer than {} s{tail}", limit.as_secs())),
            Err(error) => Err(format!("UnknownError: {name} could not be run: {error}")),
        }
    }

    fn hook_environment(&self, event: LifecycleEvent, url: Option<&str>) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("APPLICATION_NAME", self.application.to_owned()),
            ("DEPLOYMENT_ID", self.id.to_owned()),
            ("DEPLOYMENT_GROUP_NAME", self.group.to_owned()),
            ("DEPLOYMENT_GROUP_ID", format!("local-{}-{}", self.application, self.group)),
            ("LIFECYCLE_EVENT", event.name().to_owned()),
            ("INSTANCE_ROOT", self.root().display().to_string()),
        ];
        variables.extend(url.map(|url| ("INSTANCE_URL", url.to_owned())));
        variables
    }

    fn begin(&mut self, name: &'static str) {
        let record = LifecycleEventRecord {
            name,
            status: LifecycleEventStatus::InProgress,
            start_time: self.clock.now(),
            end_time: None,
            message: None,
        };
        self.deployments.update(self.id, |deployment| deployment.lifecycle_events.push(record));
        self.progress.report(ProgressUpdate { summary: Some(format!("event {name}")), ..ProgressUpdate::default() });
    }

    fn end<T>(&mut self, name: &'static str, result: Result<T, String>) -> Result<T, Failure> {
        let (status, message) = match &result {
            Ok(_) => (LifecycleEventStatus::Succeeded, None),
            Err(message) => (LifecycleEventStatus::Failed, Some(message.clone())),
        };
        self.log.note(AGENT, &format!("{name}: {status:?}"));
        let now = self.clock.now();
        self.deployments.update(self.id, |deployment| {
            if let Some(event) = deployment.lifecycle_events.last_mut() {
                event.status = status;
                event.end_time = Some(now);
                event.message = message;
            }
        });
        result.map_err(|message| {
            self.log.note(AGENT, &message);
            Failure { event: name, message }
        })
    }
}

impl LifecycleEvent {
    fn name(self) -> &'static str {
        match self {
            Self::ApplicationStop => "ApplicationStop",
            Self::BeforeInstall => "BeforeInstall",
            Self::AfterInstall => "AfterInstall",
            Self::ApplicationStart => "ApplicationStart",
            Self::ValidateService => "ValidateService",
            Self::BeforeBlockTraffic => "BeforeBlockTraffic",
            Self::AfterBlockTraffic => "AfterBlockTraffic",
            Self::BeforeAllowTraffic => "BeforeAllowTraffic",
            Self::AfterAllowTraffic => "AfterAllowTraffic",
        }
    }
}

fn read_appspec(archive: &Path) -> Result<AppSpec, String> {
    let path = ["appspec.yml", "appspec.yaml"].iter().map(|name| archive.join(name)).find(|path| path.is_file());
    let path = path.ok_or("the revision has no appspec.yml at its root; add it to the build's output artifact")?;
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_APPSPEC) {
        return Err(format!("appspec.yml is larger than {MAX_APPSPEC} bytes"));
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("appspec.yml: {error}"))?;
    AppSpec::parse(&text).map_err(|error| format!("appspec.yml: {error}"))
}

/// A list that cannot be read is taken as empty: then `file_exists_behavior` decides about each file.
fn read_installed(deployment: &Path) -> BTreeSet<PathBuf> {
    let text = fs::read_to_string(deployment.join("installed.json")).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn write_installed(deployment: &Path, installed: &BTreeSet<PathBuf>) -> std::io::Result<()> {
    fs::write(deployment.join("installed.json"), serde_json::to_vec(installed)?)
}
