//! What is known about deployments.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::applications::AutoRollback;
use crate::platform::{DeploymentConfig, Platform};

/// `DeploymentStatus` of the AWS model, as far as a deployment goes through it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It runs.
    InProgress,
    /// The replacement has all traffic, and every hook has succeeded.
    Succeeded,
    /// A hook has failed, was silent for an hour or could not be called, or the traffic could not be shifted.
    Failed,
    /// It was stopped.
    Stopped,
}

/// `LifecycleEventStatus` of the AWS model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventStatus {
    /// Its time has not come.
    Pending,
    /// It runs.
    InProgress,
    /// It has succeeded, or there was nothing to do.
    Succeeded,
    /// It has failed.
    Failed,
    /// The deployment had ended before.
    Skipped,
}

/// One lifecycle event.
#[derive(Clone, Debug)]
pub struct LifecycleEvent {
    /// For example `BeforeAllowTraffic`.
    pub name: &'static str,
    /// How it stands.
    pub status: EventStatus,
    /// By the local AWS's clock.
    pub start_time: Option<Timestamp>,
    /// By the local AWS's clock.
    pub end_time: Option<Timestamp>,
    /// The function that was asked, as the AppSpec names it.
    pub function: Option<String>,
    /// What was wrong.
    pub message: Option<String>,
}

/// Why a deployment did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `ErrorCode` of the AWS model.
    pub code: &'static str,
    /// What was wrong, where, and what to do next.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What traffic is shifted between.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Two versions of a function, behind an alias.
    Lambda {
        /// The function's name.
        function: String,
        /// The alias.
        alias: String,
        /// The version that the alias stands for before.
        current: String,
        /// The version that it stands for after.
        target: String,
    },
    /// Two task sets of a service.
    Ecs {
        /// `cluster:service`.
        service: String,
        /// The task set before; `None` at the first deployment of a group.
        original: Option<TaskSet>,
        /// The task set after, once there is one.
        replacement: Option<TaskSet>,
        /// The ARN of its task definition.
        task_definition: String,
        /// The folder that stands in for the containers of the replacement, where there is one.
        site: Option<PathBuf>,
        /// Whether the replacement gets test traffic.
        test_traffic: bool,
    },
}

/// A task set. It is a name only: no container runs here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSet {
    /// For example `ecs-svc/1234567890123456789`.
    pub id: String,
    /// The ARN of its task definition.
    pub task_definition: String,
    /// The folder that stands in for its containers, where there is one.
    pub site: Option<PathBuf>,
}

/// What has become of a deployment's traffic after it did not succeed, and the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollback {
    /// The deployment that has rolled this one back.
    pub deployment: Option<String>,
    /// The deployment that this one rolls back.
    pub triggered_by: Option<String>,
    /// In words.
    pub message: Option<String>,
}

/// One deployment.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// `d-` and nine letters and digits.
    pub id: String,
    /// The application's name.
    pub application: String,
    /// The deployment group's name.
    pub deployment_group: String,
    /// The platform.
    pub platform: Platform,
    pub(crate) config: &'static DeploymentConfig,
    pub(crate) auto_rollback: AutoRollback,
    /// What StopDeployment has said about rolling back.
    pub(crate) roll_back_when_stopped: Option<bool>,
    /// `user` or `codeDeployRollback`.
    pub creator: &'static str,
    /// For people.
    pub description: Option<String>,
    /// The AppSpec.
    pub content: String,
    /// How it stands.
    pub status: Status,
    /// Why it did not succeed.
    pub error: Option<Failure>,
    /// By the local AWS's clock.
    pub create_time: Timestamp,
    /// By the local AWS's clock; `None` while it runs.
    pub complete_time: Option<Timestamp>,
    /// In their order.
    pub lifecycle_events: Vec<LifecycleEvent>,
    /// What traffic is shifted between.
    pub target: Target,
    /// The percentage of production traffic that the replacement gets.
    pub target_weight: u8,
    /// Whether and how it was rolled back, or what it rolls back.
    pub rollback: Rollback,
}

impl Deployment {
    pub(crate) fn is_running(&self) -> bool {
        self.status == Status::InProgress
    }

    /// The event that runs.
    pub(crate) fn running_event(&mut self) -> Option<&mut LifecycleEvent> {
        self.lifecycle_events.iter_mut().find(|event| event.status == EventStatus::InProgress)
    }
}

impl Status {
    /// The name in the AWS model.
    pub fn name(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Stopped => "Stopped",
        }
    }

    /// The state in an event.
    pub(crate) fn state(self) -> &'static str {
        match self {
            Self::InProgress => "START",
            Self::Succeeded => "SUCCESS",
            Self::Failed => "FAILURE",
            Self::Stopped => "STOP",
        }
    }
}

impl EventStatus {
    /// The name in the AWS model.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Skipped => "Skipped",
        }
    }
}
