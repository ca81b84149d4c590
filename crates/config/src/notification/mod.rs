//! Entries under `notifications`: who hears of what.

mod entry;
mod quiet_hours;

use serde::Deserialize;

use crate::{Length, NamePattern, NoticeKind};

pub use quiet_hours::QuietHours;

pub(crate) use entry::NotificationEntry;

/// A route: what goes to which channels. Every route that matches counts, and a channel hears of each thing once.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// What it is about.
    pub source: NotificationSource,
    /// Which notices.
    pub on: Vec<NoticeKind>,
    /// Where they go: names under `channels`, at least one.
    pub channels: Vec<String>,
    /// Whether an execution has one message that is kept current, with its notices below it, in channels that have threads.
    pub thread: bool,
    /// Whether of several failed executions in a row only the first failure is told.
    pub first_failure_only: bool,
    /// Of what only the first notice of a kind is told.
    pub once_per: Option<OncePer>,
    /// When notices are kept and told together later.
    pub quiet_hours: Option<QuietHours>,
    /// Whether a failure mentions the author of the change, in channels that have mentions.
    pub mention_author: bool,
    /// After how long without progress an execution is stuck; there where `on` has `stuck`.
    pub stuck_after: Option<Length>,
}

/// What a route is about.
#[derive(Clone, Debug, PartialEq)]
pub enum NotificationSource {
    /// Executions of pipelines.
    Pipeline {
        /// The pipelines.
        pipeline: NamePattern,
        /// The stages to which notices that belong to a stage are limited; all where it is empty.
        stages: Vec<NamePattern>,
    },
    /// Builds of CodeBuild projects that no pipeline has started.
    Project(NamePattern),
    /// Deployments of CodeDeploy applications that no pipeline has started.
    Application(NamePattern),
}

/// Of what only the first notice of a kind is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OncePer {
    /// Of a stage in an execution, so that a stage that is tried again fails once.
    Stage,
    /// Of an execution.
    Execution,
    /// Of a revision (a commit), whichever executions of the pipeline it goes through.
    Revision,
}

impl Notification {
    /// Whether it is about executions of this pipeline.
    pub fn is_of_pipeline(&self, name: &str) -> bool {
        matches!(&self.source, NotificationSource::Pipeline { pipeline, .. } if pipeline.matches(name))
    }

    /// Whether it is about builds of this project that no pipeline has started.
    pub fn is_of_project(&self, name: &str) -> bool {
        matches!(&self.source, NotificationSource::Project(project) if project.matches(name))
    }

    /// Whether it is about deployments of this application that no pipeline has started.
    pub fn is_of_application(&self, name: &str) -> bool {
        matches!(&self.source, NotificationSource::Application(application) if application.matches(name))
    }

    /// Whether it wants notices of a kind that belong to a stage, or with `None` to the execution as a whole.
    pub fn wants(&self, kind: NoticeKind, stage: Option<&str>) -> bool {
        let is_of_stage = |stages: &[NamePattern]| {
            stages.is_empty() || stage.is_none_or(|stage| stages.iter().any(|pattern| pattern.matches(stage)))
        };
        let stages: &[_] = match &self.source {
            NotificationSource::Pipeline { stages, .. } => stages,
            NotificationSource::Project(_) | NotificationSource::Application(_) => &[],
        };
        self.on.contains(&kind) && is_of_stage(stages)
    }
}
