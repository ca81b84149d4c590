//! What one local CodeDeploy knows.

use std::collections::{BTreeMap, HashMap, VecDeque};

use tokio_util::sync::CancellationToken;

use crate::applications::Application;
use crate::record::Deployment;

/// How many deployments are remembered.
const KEPT: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) applications: BTreeMap<String, Application>,
    /// The newest last.
    deployments: VecDeque<Deployment>,
    /// Stops the deployments that run.
    pub(crate) stops: HashMap<String, CancellationToken>,
    /// How many revisions of a task definition's family were registered.
    pub(crate) revisions: BTreeMap<String, u64>,
}

impl State {
    /// Adds a deployment, and gives the id of the one that is forgotten for it.
    pub(crate) fn add(&mut self, deployment: Deployment) -> Option<String> {
        let full = self.deployments.len() >= KEPT;
        let oldest = self.deployments.iter().position(|deployment| !deployment.is_running()).filter(|_| full);
        let forgotten = oldest.and_then(|oldest| self.deployments.remove(oldest));
        self.deployments.push_back(deployment);
        forgotten.map(|deployment| deployment.id)
    }

    pub(crate) fn deployments(&self) -> impl DoubleEndedIterator<Item = &Deployment> {
        self.deployments.iter()
    }

    pub(crate) fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments.iter().rev().find(|deployment| deployment.id == id)
    }

    pub(crate) fn deployment_mut(&mut self, id: &str) -> Option<&mut Deployment> {
        self.deployments.iter_mut().rev().find(|deployment| deployment.id == id)
    }
}
