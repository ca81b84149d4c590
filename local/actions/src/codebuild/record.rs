//! What is known about the builds that have run: the part of CodeBuild's `Build` structure that a local build has.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

/// How many builds are remembered.
const KEPT: usize = 1000;

/// `StatusType` of the AWS CodeBuild model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildStatus {
    /// `IN_PROGRESS`
    InProgress,
    /// `SUCCEEDED`
    Succeeded,
    /// `FAILED`
    Failed,
    /// `TIMED_OUT`
    TimedOut,
    /// `STOPPED`: the action was abandoned.
    Stopped,
}

impl BuildStatus {
    /// The status as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Stopped => "STOPPED",
        }
    }
}

/// `BuildPhaseType` of the AWS CodeBuild model: the phases that a local build goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhaseType {
    /// `DOWNLOAD_SOURCE`: unpacking the input artifacts and reading the buildspec.
    DownloadSource,
    /// `INSTALL`
    Install,
    /// `PRE_BUILD`
    PreBuild,
    /// `BUILD`
    Build,
    /// `POST_BUILD`
    PostBuild,
    /// `UPLOAD_ARTIFACTS`: collecting reports and output artifacts.
    UploadArtifacts,
}

impl PhaseType {
    /// The phase as the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DownloadSource => "DOWNLOAD_SOURCE",
            Self::Install => "INSTALL",
            Self::PreBuild => "PRE_BUILD",
            Self::Build => "BUILD",
            Self::PostBuild => "POST_BUILD",
            Self::UploadArtifacts => "UPLOAD_ARTIFACTS",
        }
    }
}

/// Why a phase failed, or what should be known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhaseContext {
    /// For example `COMMAND_EXECUTION_ERROR`, `CLIENT_ERROR` or `YAML_FILE_ERROR`.
    pub status_code: String,
    /// For people.
    pub message: String,
}

/// One phase of a build.
#[derive(Clone, Debug)]
pub struct BuildPhase {
    /// Which phase.
    pub phase_type: PhaseType,
    /// How it ended.
    pub status: BuildStatus,
    /// By the local AWS's clock.
    pub start_time: Timestamp,
    /// By the local AWS's clock; `None` while it runs.
    pub end_time: Option<Timestamp>,
    /// Empty for most phases that succeeded.
    pub contexts: Vec<PhaseContext>,
}

/// A file that belongs to a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// The file's path in the build, relative to the report's base directory.
    pub name: String,
    /// The copy that is kept.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
}

/// What one entry of the buildspec's `reports` section has collected.
#[derive(Clone, Debug)]
pub struct ReportRecord {
    /// The report's ARN.
    pub arn: String,
    /// The ARN of its report group.
    pub report_group_arn: String,
    /// The report group's name: `<project>-<name in the buildspec>`.
    pub report_group: String,
    /// The value of `file-format`, in upper case.
    pub file_format: String,
    /// The files found. None is possible: CodeBuild then has an empty report and the build does not fail for it.
    pub files: Vec<ReportFile>,
    /// By the local AWS's clock.
    pub created: Timestamp,
}

/// One build.
#[derive(Clone, Debug)]
pub struct BuildRecord {
    /// `<project>:<uuid>`
    pub id: String,
    /// The build's ARN.
    pub arn: String,
    /// Counts the builds of a project, from 1.
    pub build_number: u64,
    /// The project's name.
    pub project: String,
    /// Who has started it: `codepipeline/<pipeline>`, or a person.
    pub initiator: String,
    /// `SourceType` of the AWS CodeBuild model, such as `CODEPIPELINE`.
    pub source: &'static str,
    /// The execution that the build belongs to; empty where it belongs to none.
    pub pipeline_execution_id: String,
    /// The revision of the primary source, where known.
    pub resolved_source_version: Option<String>,
    /// How the whole build stands.
    pub status: BuildStatus,
    /// By the local AWS's clock.
    pub start_time: Timestamp,
    /// By the local AWS's clock; `None` while it runs.
    pub end_time: Option<Timestamp>,
    /// In the order in which they ran.
    pub phases: Vec<BuildPhase>,
    /// The exported variables.
    pub exported_variables: BTreeMap<String, String>,
    /// One per entry of the `reports` section.
    pub reports: Vec<ReportRecord>,
    /// How long it may run.
    pub timeout: Duration,
    /// The whole log.
    pub log: PathBuf,
    /// Where it can be seen.
    pub log_url: String,
}

/// The builds of one local CodeBuild, the newest last. Cloning gives another handle to the same builds.
#[derive(Clone, Debug, Default)]
pub struct Builds(Arc<Mutex<VecDeque<BuildRecord>>>);

impl Builds {
    /// The build of this id (`<project>:<uuid>`) or ARN.
    pub fn get(&self, id: &str) -> Option<BuildRecord> {
        self.lock().iter().find(|build| build.id == id || build.arn == id).cloned()
    }

    /// All builds that are remembered: the last 1000.
    pub fn list(&self) -> Vec<BuildRecord> {
        self.lock().iter().cloned().collect()
    }

    /// Adds a build under the next number of its project.
    pub(super) fn add(&self, mut record: BuildRecord) -> u64 {
        let mut builds = self.lock();
        let last = builds.iter().rev().find(|build| build.project == record.project);
        record.build_number = last.map_or(1, |build| build.build_number + 1);
        let number = record.build_number;
        if builds.len() == KEPT {
            builds.pop_front();
        }
        builds.push_back(record);
        number
    }

    /// Changes a build; gives what it was before and what it is now.
    pub(super) fn update(&self, id: &str, change: impl FnOnce(&mut BuildRecord)) -> Option<(BuildRecord, BuildRecord)> {
        let mut builds = self.lock();
        let record = builds.iter_mut().rev().find(|build| build.id == id)?;
        let before = record.clone();
        change(record);
        Some((before, record.clone()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<BuildRecord>> {
        self.0.lock().expect("no holder of this lock can panic")
    }
}
