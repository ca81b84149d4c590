//! One build from its start to its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::{
    ActionFailure, ActionRequest, ActionSuccess, ArtifactBucket, Progress, ProgressUpdate,
};
use uuid::Uuid;

use super::Project;
use super::buildspec::Buildspec;
use super::environment::StoredValues;
use super::event;
use super::phases::{Build, Failure};
use super::record::{BuildRecord, BuildStatus, Builds};
use crate::ACCOUNT_ID;
use crate::log::{Log, LogLine, LogListener};
use crate::names::check_folder_name;
use crate::service_event::ServiceEvents;
use crate::work_folder::WorkFolder;

/// Where the buildspec comes from.
pub(crate) enum Specification {
    /// A path in the primary source.
    File(String),
    /// The project's own text.
    Text(String),
    /// There is no file.
    Inline(Box<Buildspec>),
}

/// What is to be built.
pub(crate) struct Job {
    pub(crate) request: ActionRequest,
    pub(crate) project: String,
    pub(crate) settings: Project,
    pub(crate) specification: Specification,
    /// The index of the input artifact that the build starts in.
    pub(crate) primary: usize,
    /// The action's `EnvironmentVariables`: JSON.
    pub(crate) action_variables: Option<String>,
    pub(crate) origin: Origin,
}

/// Where a build comes from.
pub(crate) struct Origin {
    /// Who has started it.
    pub(crate) initiator: String,
    /// `SourceType` of the AWS CodeBuild model.
    pub(crate) source: &'static str,
}

impl Origin {
    /// A pipeline has started it.
    pub(crate) fn pipeline(request: &ActionRequest) -> Self {
        Self { initiator: format!("codepipeline/{}", request.pipeline), source: "CODEPIPELINE" }
    }
}

/// Runs builds and remembers them.
pub(crate) struct Engine {
    data: PathBuf,
    pub(super) bucket: Arc<dyn ArtifactBucket>,
    pub(super) clock: Clock,
    pub(crate) listener: Option<LogListener>,
    /// Where logs can be seen, in place of their files.
    pub(crate) log_pages: Option<String>,
    pub(crate) events: Option<ServiceEvents>,
    pub(crate) stored: StoredValues,
    pub(crate) builds: Builds,
}

/// Marks the build as stopped if it is dropped before it has ended.
struct Ending<'a> {
    engine: &'a Engine,
    id: &'a str,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.engine.change(self.id, |record| {
            if record.status == BuildStatus::InProgress {
                let now = self.engine.clock.now();
                record.status = BuildStatus::Stopped;
                record.end_time = Some(now);
                for phase in record.phases.iter_mut().filter(|phase| phase.end_time.is_none()) {
                    phase.status = BuildStatus::Stopped;
                    phase.end_time = Some(now);
                }
            }
        });
    }
}

impl Engine {
    pub(crate) fn new(data: PathBuf, bucket: Arc<dyn ArtifactBucket>, clock: Clock) -> Self {
        let (stored, builds) = (StoredValues::default(), Builds::default());
        Self { data, bucket, clock, listener: None, log_pages: None, events: None, stored, builds }
    }

    /// Where the reports of a build are kept.
    pub(super) fn reports_folder(&self, report_group: &str, uuid: &str) -> PathBuf {
        self.data.join("reports/codebuild").join(report_group).join(uuid)
    }

    /// Runs a build. Its folder, its shell and everything that it has started are gone when this returns, or when the
    /// future is dropped.
    pub(crate) async fn build(&self, job: Job, progress: &Progress) -> Result<ActionSuccess, ActionFailure> {
        check_folder_name("the project's name", &job.project).map_err(configuration)?;
        let uuid = Uuid::new_v4().to_string();
        let id = format!("{}:{uuid}", job.project);
        let arn = format!("arn:aws:codebuild:{}:{ACCOUNT_ID}:build/{id}", job.request.region);
        let data = self
            .data_folder()
            .map_err(|error| internal(&format!("the data folder {}", self.data.display()), &error))?;
        let log_file = data.join("logs/codebuild").join(&job.project).join(format!("{uuid}.log"));
        let url = match &self.log_pages {
            Some(pages) => format!("{pages}/{}/{uuid}.log", job.project),
            None => format!("file://{}", log_file.display()),
        };
        let log = self.log(&job.request, &id, &log_file).map_err(|error| internal("the build's log", &error))?;
        // Declared before the build, so that it is removed after the build's processes have been killed.
        let work = WorkFolder::create(data.join("builds").join(&uuid))
            .map_err(|error| internal("the build's folder", &error))?;
        let number = self.builds.add(self.record(&job, (&id, &arn), &log_file, &url));
        if let Some((events, build)) = self.events.as_ref().zip(self.builds.get(&id)) {
            events.tell(event::begun(&build));
        }
        let _ending = Ending { engine: self, id: &id };
        progress.report(ProgressUpdate {
            external_execution_id: Some(id.clone()),
            external_execution_url: Some(url.clone()),
            ..ProgressUpdate::default()
        });
        let timeout = job.settings.timeout;
        let mut build = Build {
            engine: self,
            job: &job,
            id: &id,
            arn: &arn,
            number,
            work: work.path(),
            log,
            failed_output: None,
            progress,
        };
        let outcome = match tokio::time::timeout(timeout, build.run()).await {
            Ok(outcome) => outcome,
            Err(_) => Err(build.time_out(timeout)),
        };
        let success = outcome.map_err(|failure| self.failed(&id, &url, failure))?;
        self.end(&id, BuildStatus::Succeeded);
        let files =
            self.builds.get(&id).map_or(0, |record| record.reports.iter().map(|report| report.files.len()).sum());
        Ok(ActionSuccess {
            external_execution_id: Some(id.clone()),
            external_execution_url: Some(url),
            summary: Some(summary(&job.project, number, files)),
            ..success
        })
    }

    fn failed(&self, id: &str, url: &str, failure: Failure) -> ActionFailure {
        self.end(id, failure.status);
        ActionFailure {
            external_execution_id: Some(id.to_owned()),
            external_execution_url: Some(url.to_owned()),
            ..ActionFailure::new("JobFailed", failure.message)
        }
    }

    fn end(&self, id: &str, status: BuildStatus) {
        let now = self.clock.now();
        self.change(id, |record| {
            record.status = status;
            record.end_time = Some(now);
            for phase in record.phases.iter_mut().filter(|phase| phase.end_time.is_none()) {
                phase.status = status;
                phase.end_time = Some(now);
            }
        });
    }

    /// Changes the record of a build, and tells of what that means.
    pub(super) fn change(&self, id: &str, change: impl FnOnce(&mut BuildRecord)) {
        let changed = self.builds.update(id, change);
        if let Some((events, (before, after))) = self.events.as_ref().zip(changed) {
            event::changes(&before, &after).into_iter().for_each(|event| events.tell(event));
        }
    }

    /// The data folder without symbolic links: the commands see their directory as the system reports it.
    fn data_folder(&self) -> std::io::Result<PathBuf> {
        fs::create_dir_all(&self.data)?;
        fs::canonicalize(&self.data)
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

    fn record(&self, job: &Job, (id, arn): (&str, &str), log: &Path, log_url: &str) -> BuildRecord {
        BuildRecord {
            id: id.to_owned(),
            arn: arn.to_owned(),
            build_number: 0,
            project: job.project.clone(),
            initiator: job.origin.initiator.clone(),
            source: job.origin.source,
            pipeline_execution_id: job.request.pipeline_execution_id.clone(),
            resolved_source_version: job
                .request
                .input_artifacts
                .get(job.primary)
                .and_then(|input| input.revision.clone()),
            status: BuildStatus::InProgress,
            start_time: self.clock.now(),
            end_time: None,
            phases: Vec::new(),
            exported_variables: std::collections::BTreeMap::new(),
            reports: Vec::new(),
            timeout: job.settings.timeout,
            log: log.to_owned(),
            log_url: log_url.to_owned(),
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

fn configuration(message: String) -> ActionFailure {
    ActionFailure::new("ConfigurationError", message)
}

fn internal(what: &str, error: &std::io::Error) -> ActionFailure {
    ActionFailure::new("SystemUnavailable", format!("{what} could not be created: {error}"))
}

/// One line about a build that succeeded.
fn summary(project: &str, number: u64, report_files: usize) -> String {
    match report_files {
        0 => format!("build {number} of {project} succeeded"),
        1 => format!("build {number} of {project} succeeded with 1 report file"),
        files => format!("build {number} of {project} succeeded with {files} report files"),
    }
}
