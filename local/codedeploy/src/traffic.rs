//! Who gets production traffic.

use std::path::{Path, PathBuf};

use stagegate_local_lambda::Alias;
use uuid::Uuid;

use crate::Shared;
use crate::record::{Deployment, Failure, Target, TaskSet};
use crate::service::Traffic;
use crate::state::State;

impl Shared {
    /// Whether traffic can be shifted at all.
    pub(crate) fn check_target(&self, id: &str) -> Result<(), Failure> {
        let Some(Target::Lambda { function, alias, current, target }) = self.target(id) else { return Ok(()) };
        let invalid = |what: String| Failure::new("INVALID_LAMBDA_CONFIGURATION", what);
        if self.lambda.function(&function).is_none() {
            let message = format!("the AppSpec names the function {function}, which does not exist");
            return Err(Failure::new("INVALID_LAMBDA_FUNCTION", message));
        }
        let found = self.lambda.alias(&function, &alias).map_err(|error| invalid(format!("failed to {error}")))?;
        if found.function_version != current || found.additional.is_some() {
            let is = found.function_version;
            return Err(invalid(format!(
                "the alias {alias} of {function} stands for version {is}, not for version {current} alone, which the AppSpec \
                 names as CurrentVersion"
            )));
        }
        if !self.lambda.versions(&function).contains(&target) {
            return Err(invalid(format!(
                "the function {function} has no version {target}, which the AppSpec names as TargetVersion"
            )));
        }
        Ok(())
    }

    /// The replacement task set comes into being.
    pub(crate) fn install(&self, id: &str) -> Result<(), Failure> {
        self.change_target(id, |target| {
            if let Target::Ecs { replacement, task_definition, site, .. } = target {
                *replacement = Some(TaskSet::new(task_definition, site.clone()));
            }
        });
        Ok(())
    }

    pub(crate) fn allow_test_traffic(&self, id: &str) -> Result<(), Failure> {
        self.change_target(id, |target| {
            if let Target::Ecs { test_traffic, .. } = target {
                *test_traffic = true;
            }
        });
        let deployment = self.lock().deployment(id).cloned();
        deployment.map_or(Ok(()), |deployment| self.lead_to_replacement(&deployment, Traffic::Test))
    }

    /// Leads the traffic of a listener to what stands in for the replacement.
    fn lead_to_replacement(&self, deployment: &Deployment, traffic: Traffic) -> Result<(), Failure> {
        let Target::Ecs { replacement: Some(replacement), .. } = &deployment.target else { return Ok(()) };
        self.lead_to(deployment, traffic, replacement.site.as_deref())
    }

    fn lead_to(&self, deployment: &Deployment, traffic: Traffic, site: Option<&Path>) -> Result<(), Failure> {
        let Deployment { application, deployment_group, .. } = deployment;
        let led = self.services.lead(application, deployment_group, traffic, site);
        led.map_err(|error| {
            let message = format!("the files that stand in for the task set could not be served: {error}");
            Failure::new("INTERNAL_ERROR", message)
        })
    }

    /// Leads the listeners of a deployment that has not succeeded to where its traffic is: back, unless the replacement has
    /// got all of it and keeps it.
    pub(crate) fn lead_listeners_back(&self, deployment: &Deployment) -> Result<(), Failure> {
        let Target::Ecs { original, replacement: Some(_), .. } = &deployment.target else { return Ok(()) };
        if deployment.target_weight == 100 {
            return Ok(());
        }
        let site = original.as_ref().and_then(|set| set.site.as_deref());
        self.lead_to(deployment, Traffic::Production, site)?;
        self.lead_to(deployment, Traffic::Test, site)
    }

    /// Shifts production traffic as the deployment configuration says.
    pub(crate) async fn shift(&self, id: &str) -> Result<(), Failure> {
        let config = self.lock().deployment(id).map(|deployment| deployment.config);
        for (percent, wait) in config.into_iter().flat_map(|config| config.shifts()) {
            self.set_weight(id, percent)?;
            self.clock.sleep(wait).await;
        }
        Ok(())
    }

    fn set_weight(&self, id: &str, percent: u8) -> Result<(), Failure> {
        if let Some(Target::Lambda { function, alias, current, target }) = self.target(id) {
            let (function_version, additional) = match percent {
                100 => (target, None),
                percent => (current, Some((target, f64::from(percent) / 100.0))),
            };
            self.update_alias(&function, Alias { name: alias, function_version, additional })?;
        }
        let deployment = {
            let mut state = self.lock();
            let deployment = state.deployment_mut(id);
            deployment.map(|deployment| {
                deployment.target_weight = percent;
                deployment.clone()
            })
        };
        // The files answer as one task set: as the new one when it has all traffic.
        if let Some(deployment) = deployment.filter(|_| percent == 100) {
            self.lead_to_replacement(&deployment, Traffic::Production)?;
        }
        self.changed.send_replace(());
        Ok(())
    }

    /// Gives all production traffic to where it was before the deployment.
    pub(crate) fn lead_back(&self, target: &Target) -> Result<(), Failure> {
        match target {
            Target::Lambda { function, alias, current, .. } => {
                let (name, function_version) = (alias.clone(), current.clone());
                self.update_alias(function, Alias { name, function_version, additional: None })
            }
            // The group's primary task set has never been another; its listeners follow when the deployment ends.
            Target::Ecs { .. } => Ok(()),
        }
    }

    fn update_alias(&self, function: &str, alias: Alias) -> Result<(), Failure> {
        let updated = self.lambda.update_alias(function, alias);
        updated.map_err(|error| Failure::new("INVALID_LAMBDA_CONFIGURATION", format!("failed to {error}")))
    }

    fn target(&self, id: &str) -> Option<Target> {
        self.lock().deployment(id).map(|deployment| deployment.target.clone())
    }

    fn change_target(&self, id: &str, change: impl FnOnce(&mut Target)) {
        if let Some(deployment) = self.lock().deployment_mut(id) {
            change(&mut deployment.target);
        }
    }
}

impl State {
    /// From now on, the replacement of this deployment has the traffic of its group.
    pub(crate) fn set_primary(&mut self, deployment: &Deployment) {
        let Target::Ecs { replacement, .. } = &deployment.target else { return };
        let application = self.applications.get_mut(&deployment.application);
        if let Some(group) = application.and_then(|found| found.groups.get_mut(&deployment.deployment_group)) {
            group.primary.clone_from(replacement);
        }
    }
}

impl TaskSet {
    fn new(task_definition: &str, site: Option<PathBuf>) -> Self {
        let number = Uuid::new_v4().as_u128() % 10_u128.pow(19);
        Self { id: format!("ecs-svc/{number:019}"), task_definition: task_definition.to_owned(), site }
    }
}
