//! CodeBuild: runs the phases of a buildspec in a shell on this machine, for actions and by itself.

mod alone;
mod buildspec;
mod collect;
mod engine;
mod environment;
mod event;
mod phases;
mod record;
mod shell;
mod upload;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionProvider, ActionRequest, ActionSuccess, ArtifactBucket, Progress,
};

use crate::log::LogListener;
use crate::service_event::ServiceEvents;
pub use alone::BuildOrder;
pub(crate) use buildspec::Buildspec;
pub(crate) use engine::{Engine, Job, Origin, Specification};
pub use record::{BuildPhase, BuildRecord, BuildStatus, Builds, PhaseContext, PhaseType, ReportFile, ReportRecord};

/// What a build project says beyond the action's own configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The buildspec's path in the primary source, or the buildspec itself: a text of several lines.
    pub buildspec: String,
    /// Environment variables of the project. The action's own go before these, and these before the buildspec's.
    pub environment: BTreeMap<String, String>,
    /// How long a build may run, in real time, because commands run in real time whatever the clock's scale is.
    pub timeout: Duration,
}

impl Default for Project {
    /// `buildspec.yml`, no variables, and CodeBuild's default of 60 minutes.
    fn default() -> Self {
        Self { buildspec: "buildspec.yml".to_owned(), environment: BTreeMap::new(), timeout: Duration::from_secs(3600) }
    }
}

/// Runs CodeBuild actions.
///
/// A build gets a fresh folder with its input artifacts, a clean environment (`PATH`, `HOME`, `LANG`, the `CODEBUILD_`
/// variables and what project, action and buildspec set; nothing else of the caller's), and one shell for all its
/// commands. When the build ends, or its future is dropped, the shell and everything it has started are killed and
/// the folder is removed; logs and reports are kept below the data folder.
///
/// A phase that fails fails the build, with `on-failure: CONTINUE` too: the next phase runs, but the build's result
/// stays failed.
pub struct CodeBuildProvider {
    engine: Engine,
    projects: Mutex<BTreeMap<String, Project>>,
}

impl CodeBuildProvider {
    /// A provider that keeps its logs and reports below `data`.
    pub fn new(data: impl Into<PathBuf>, bucket: Arc<dyn ArtifactBucket>, clock: Clock) -> Self {
        Self { engine: Engine::new(data.into(), bucket, clock), projects: Mutex::default() }
    }

    /// Sets what is to be known about a project. A project that is not named has the defaults.
    #[must_use]
    pub fn with_project(self, name: impl Into<String>, project: Project) -> Self {
        self.put_project(name, project);
        self
    }

    /// Sets what is to be known about a project from its next build on.
    pub fn put_project(&self, name: impl Into<String>, project: Project) {
        self.projects.lock().expect("no holder of this lock can panic").insert(name.into(), project);
    }

    /// Has `listener` called for each line of each build's log.
    #[must_use]
    pub fn with_log_listener(mut self, listener: LogListener) -> Self {
        self.engine.listener = Some(listener);
        self
    }

    /// Has `events` told of builds that begin and end and of phases that end.
    #[must_use]
    pub fn with_events(mut self, events: ServiceEvents) -> Self {
        self.engine.events = Some(events);
        self
    }

    /// Sets where logs can be seen, in place of their files: `<pages>/<project>/<uuid>.log`.
    #[must_use]
    pub fn with_log_pages(mut self, pages: impl Into<String>) -> Self {
        self.engine.log_pages = Some(pages.into());
        self
    }

    /// Sets what stands in for Systems Manager parameters, by parameter name. Their values are masked in logs.
    #[must_use]
    pub fn with_parameters(mut self, parameters: BTreeMap<String, String>) -> Self {
        self.engine.stored.parameters = parameters;
        self
    }

    /// Sets what stands in for Secrets Manager secrets, by the reference as the buildspec writes it
    /// (`secret-id:json-key:version-stage:version-id`). Their values are masked in logs.
    #[must_use]
    pub fn with_secrets(mut self, secrets: BTreeMap<String, String>) -> Self {
        self.engine.stored.secrets = secrets;
        self
    }

    /// A handle to the builds that have run and that run.
    pub fn builds(&self) -> Builds {
        self.engine.builds.clone()
    }

    fn job(&self, request: ActionRequest) -> Result<Job, ActionFailure> {
        let configured = |key: &str| request.configuration.get(key).map(String::as_str);
        let project = configured("ProjectName").ok_or_else(|| {
            ActionFailure::new("ConfigurationError", "the CodeBuild action has no ProjectName in its configuration")
        })?;
        if configured("BatchEnabled") == Some("true") {
            let message = "batch builds are not supported by the local CodeBuild; remove BatchEnabled";
            return Err(ActionFailure::new("ConfigurationError", message));
        }
        let settings = self.settings(project);
        let (project, primary) = (project.to_owned(), primary_source(&request)?);
        let variables = configured("EnvironmentVariables").map(str::to_owned);
        Ok(Job {
            specification: specification(&settings),
            project,
            settings,
            primary,
            action_variables: variables,
            origin: Origin::pipeline(&request),
            request,
        })
    }

    fn settings(&self, project: &str) -> Project {
        let projects = self.projects.lock().expect("no holder of this lock can panic");
        projects.get(project).cloned().unwrap_or_default()
    }
}

fn specification(settings: &Project) -> Specification {
    match settings.buildspec.contains('\n') {
        true => Specification::Text(settings.buildspec.clone()),
        false => Specification::File(settings.buildspec.clone()),
    }
}

#[async_trait]
impl ActionProvider for CodeBuildProvider {
    async fn run(&self, request: ActionRequest, progress: Progress) -> Result<ActionSuccess, ActionFailure> {
        let job = self.job(request)?;
        self.engine.build(job, &progress).await
    }
}

/// Which input artifact the build starts in: the only one, or the one that `PrimarySource` names.
fn primary_source(request: &ActionRequest) -> Result<usize, ActionFailure> {
    let failure = |message: String| Err(ActionFailure::new("ConfigurationError", message));
    let inputs = &request.input_artifacts;
    match (request.configuration.get("PrimarySource"), inputs.len()) {
        (_, 0) => failure("the CodeBuild action has no input artifact".to_owned()),
        (None, 1) => Ok(0),
        (None, _) => failure("PrimarySource is required when there is more than one input artifact".to_owned()),
        (Some(name), _) => match inputs.iter().position(|input| input.name == *name) {
            Some(index) => Ok(index),
            None => failure(format!("PrimarySource names {name}, which is not an input artifact of the action")),
        },
    }
}
