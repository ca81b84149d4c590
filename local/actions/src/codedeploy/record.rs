//! What is known about the deployments that have run.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

/// How many deployments are remembered.
const KEPT: usize = 1000;

/// `DeploymentStatus` of the AWS CodeDeploy model, as far as a local deployment goes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentStatus {
    /// It runs.
    InProgress,
    /// The new revision is served.
    Succeeded,
    /// The revision before it is served.
    Failed,
    /// The action was abandoned; the revision before it is served.
    Stopped,
}

/// `LifecycleEventStatus` of the AWS CodeDeploy model, as far as a local deployment goes through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LifecycleEventStatus {
    /// It runs.
    InProgress,
    /// All its scripts succeeded, or it has none.
    Succeeded,
    /// A script of it failed.
    Failed,
}

/// One lifecycle event of a deployment.
#[derive(Clone, Debug)]
pub struct LifecycleEventRecord {
    /// For example `AfterInstall`.
    pub name: &'static str,
    /// How it stands.
    pub status: LifecycleEventStatus,
    /// By the local AWS's clock.
    pub start_time: Timestamp,
    /// By the local AWS's clock; `None` while it runs.
    pub end_time: Option<Timestamp>,
    /// What was wrong, if it has failed.
    pub message: Option<String>,
}

/// One deployment.
#[derive(Clone, Debug)]
pub struct DeploymentRecord {
    /// `d-` and nine letters and digits.
    pub id: String,
    /// The application's name.
    pub application: String,
    /// The deployment group's name.
    pub deployment_group: String,
    /// The execution that the deployment belongs to.
    pub pipeline_execution_id: String,
    /// The Region of the action.
    pub region: String,
    /// How it stands.
    pub status: DeploymentStatus,
    /// By the local AWS's clock.
    pub create_time: Timestamp,
    /// By the local AWS's clock; `None` while it runs.
    pub complete_time: Option<Timestamp>,
    /// In the order in which they ran.
    pub lifecycle_events: Vec<LifecycleEventRecord>,
    /// The whole log.
    pub log: PathBuf,
}

/// The deployments of one local CodeDeploy, the newest last. Cloning gives another handle to the same deployments.
#[derive(Clone, Debug, Default)]
pub struct Deployments(Arc<Mutex<VecDeque<DeploymentRecord>>>);

impl Deployments {
    /// The deployment of this id.
    pub fn get(&self, id: &str) -> Option<DeploymentRecord> {
        self.lock().iter().find(|deployment| deployment.id == id).cloned()
    }

    /// All deployments that are remembered: the last 1000.
    pub fn list(&self) -> Vec<DeploymentRecord> {
        self.lock().iter().cloned().collect()
    }

    pub(super) fn add(&self, record: DeploymentRecord) {
        let mut deployments = self.lock();
        if deployments.len() == KEPT {
            deployments.pop_front();
        }
        deployments.push_back(record);
    }

    pub(super) fn update(&self, id: &str, change: impl FnOnce(&mut DeploymentRecord)) {
        if let Some(record) = self.lock().iter_mut().rev().find(|deployment| deployment.id == id) {
            change(record);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<DeploymentRecord>> {
        self.0.lock().expect("no holder of this lock can panic")
    }
}
