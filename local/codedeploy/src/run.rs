//! A deployment from its first lifecycle event to its last.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use stagegate_local_actions::deployment_state_change;
use stagegate_local_lambda::InvocationType;
use tokio_util::sync::CancellationToken;

use crate::Shared;
use crate::appspec::AppSpec;
use crate::platform::Step;
use crate::record::{Deployment, EventStatus, Failure, LifecycleEvent, Rollback, Status, Target};

/// How long a hook may wait for its function (AWS CodeDeploy guide, "AppSpec 'hooks' section").
const HOOK_LIMIT: Duration = Duration::from_secs(3600);

impl Shared {
    /// Runs a deployment that was added, in a task of its own.
    pub(crate) fn start(self: &Arc<Self>, deployment: &Deployment, appspec: AppSpec) {
        let stop = CancellationToken::new();
        self.lock().stops.insert(deployment.id.clone(), stop.clone());
        self.tell(deployment, Status::InProgress);
        let (shared, id) = (Arc::clone(self), deployment.id.clone());
        self.tasks.spawn(async move {
            let ended = tokio::select! {
                biased;
                () = shared.cancelled.cancelled() => Err(stopped("the local CodeDeploy is shutting down")),
                () = stop.cancelled() => Err(stopped("the deployment was stopped")),
                ended = Box::pin(shared.carry_out(&id, &appspec)) => ended.map_err(|failure| (Status::Failed, failure)),
            };
            shared.end(&id, ended);
        });
    }

    async fn carry_out(&self, id: &str, appspec: &AppSpec) -> Result<(), Failure> {
        let platform = appspec.resource.platform();
        self.check_target(id)?;
        for (event, step) in platform.lifecycle() {
            let function = appspec.hooks.get(event);
            self.change_event(id, event, |record, now| {
                record.status = EventStatus::InProgress;
                record.start_time = Some(now);
            });
            let done = match step {
                Step::Hook => match function {
                    Some(function) => self.ask(id, event, function).await,
                    None => Ok(()),
                },
                Step::Install => self.install(id),
                Step::TestTraffic => self.allow_test_traffic(id),
                Step::Traffic => self.shift(id).await,
            };
            self.change_event(id, event, |record, now| {
                record.end_time = Some(now);
                record.status = if done.is_ok() { EventStatus::Succeeded } else { EventStatus::Failed };
                record.message = done.as_ref().err().map(|failure| failure.message.clone());
            });
            done?;
        }
        Ok(())
    }

    /// Invokes the function of a hook and waits for the status of the lifecycle event.
    async fn ask(&self, id: &str, event: &str, function: &str) -> Result<(), Failure> {
        let name = self.function_name(event, function)?;
        let mut waiting = self.hooks.open(id);
        let payload = json!({"DeploymentId": id, "LifecycleEventHookExecutionId": waiting.id}).to_string();
        let failed = |what: String| Failure::new("HOOK_EXECUTION_FAILURE", format!("{event}: {what}"));
        if let Err(error) = self.lambda.invoke(&name, payload, InvocationType::Event).await {
            return Err(failed(format!("the hook could not be called: failed to {error}")));
        }
        let answer = tokio::select! {
            biased;
            answer = &mut waiting.answer => answer.ok(),
            () = self.clock.sleep(HOOK_LIMIT) => None,
        };
        match answer {
            Some(true) => Ok(()),
            Some(false) => Err(failed(format!(
                "the function {name} has answered Failed; its log says why the new version is refused"
            ))),
            None => Err(failed(format!(
                "the function {name} did not answer within one hour; its log tells whether it ran out of time or memory, could \
                 not start, or ended without PutLifecycleEventHookExecutionStatus"
            ))),
        }
    }

    /// The name of the function that an AppSpec means.
    fn function_name(&self, event: &str, function: &str) -> Result<String, Failure> {
        if self.lambda.function(function).is_some() {
            return Ok(function.to_owned());
        }
        if let Some(name) = self.function_names.get(function) {
            tracing::warn!(%function, %name, "an AppSpec names a function by its logical id, which AWS does not understand");
            return Ok(name.clone());
        }
        let known = self.lambda.function_names().join(", ");
        let message = format!("{event}: there is no function {function} to be called; there are {known}");
        Err(Failure::new("INVALID_LAMBDA_FUNCTION", message))
    }

    /// Writes the end of a deployment down, with its rollback.
    fn end(&self, id: &str, ended: Result<(), (Status, Failure)>) {
        let now = self.clock.now();
        let mut state = self.lock();
        state.stops.remove(id);
        let Some(deployment) = state.deployment_mut(id) else { return };
        deployment.complete_time = Some(now);
        let mut rollback = None;
        match ended {
            Ok(()) => deployment.status = Status::Succeeded,
            Err((status, failure)) => {
                deployment.end_early(status, failure, now);
                rollback = deployment.roll_back(now);
            }
        }
        if let Some(rollback) = &mut rollback {
            let done = self.lead_back(&rollback.target);
            deployment.rolled_back(rollback, done);
        }
        if deployment.status != Status::Succeeded
            && let Err(failure) = self.lead_listeners_back(deployment)
        {
            tracing::error!(deployment = id, reason = failure.message, "the listeners are not led back");
        }
        let ended = deployment.clone();
        if ended.status == Status::Succeeded {
            state.set_primary(&ended);
        }
        let forgotten = rollback.clone().and_then(|rollback| state.add(rollback));
        drop(state);
        self.forget(forgotten);
        self.tell(&ended, ended.status);
        if let Some(rollback) = rollback {
            self.tell(&rollback, Status::InProgress);
            self.tell(&rollback, rollback.status);
        }
        self.changed.send_replace(());
    }

    fn change_event(&self, id: &str, event: &str, change: impl FnOnce(&mut LifecycleEvent, Timestamp)) {
        let now = self.clock.now();
        let mut state = self.lock();
        let events = state.deployment_mut(id).map(|deployment| &mut deployment.lifecycle_events);
        if let Some(record) = events.into_iter().flatten().find(|record| record.name == event) {
            change(record, now);
        }
        drop(state);
        self.changed.send_replace(());
    }

    /// Tells of the status that a deployment has taken on.
    fn tell(&self, deployment: &Deployment, status: Status) {
        let Deployment { id, application, deployment_group, .. } = deployment;
        self.events.tell(deployment_state_change(&self.region, application, deployment_group, id, status.state()));
    }

    pub(crate) fn forget(&self, deployment: Option<String>) {
        if let Some(id) = deployment {
            self.hooks.forget(&id);
        }
    }
}

fn stopped(why: &str) -> (Status, Failure) {
    (Status::Stopped, Failure::new("MANUAL_STOP", why))
}

impl Deployment {
    fn end_early(&mut self, status: Status, failure: Failure, now: Timestamp) {
        self.status = status;
        if let Some(event) = self.running_event() {
            event.status = EventStatus::Failed;
            event.end_time = Some(now);
            event.message = Some(failure.message.clone());
        }
        for event in self.lifecycle_events.iter_mut().filter(|event| event.status == EventStatus::Pending) {
            event.status = EventStatus::Skipped;
        }
        self.error = Some(failure);
    }

    /// The deployment that leads traffic back, if one is wanted and there is something to lead back.
    fn roll_back(&self, now: Timestamp) -> Option<Deployment> {
        let wanted = match self.status {
            Status::Stopped => {
                self.roll_back_when_stopped.unwrap_or_else(|| self.auto_rollback.on("DEPLOYMENT_STOP_ON_REQUEST"))
            }
            Status::Failed => self.auto_rollback.on("DEPLOYMENT_FAILURE"),
            Status::InProgress | Status::Succeeded => false,
        };
        let has_replacement = matches!(&self.target, Target::Ecs { replacement: Some(_), .. });
        if !wanted || (self.target_weight == 0 && !has_replacement) {
            return None;
        }
        let event = LifecycleEvent {
            name: "AllowTraffic",
            status: EventStatus::InProgress,
            start_time: Some(now),
            end_time: Some(now),
            function: None,
            message: None,
        };
        Some(Deployment {
            id: crate::create::deployment_id(),
            creator: "codeDeployRollback",
            description: Some(format!("rolls {} back", self.id)),
            status: Status::InProgress,
            error: None,
            create_time: now,
            complete_time: Some(now),
            lifecycle_events: vec![event],
            target_weight: 0,
            rollback: Rollback { triggered_by: Some(self.id.clone()), ..Rollback::default() },
            ..self.clone()
        })
    }

    /// Writes down what has become of the rollback, on both sides.
    fn rolled_back(&mut self, rollback: &mut Self, done: Result<(), Failure>) {
        let (status, message) = match &done {
            Ok(()) => (EventStatus::Succeeded, format!("rolled back by the deployment {}", rollback.id)),
            Err(failure) => {
                (EventStatus::Failed, format!("the rollback {} has failed: {}", rollback.id, failure.message))
            }
        };
        for event in &mut rollback.lifecycle_events {
            event.status = status;
            event.message = done.as_ref().err().map(|failure| failure.message.clone());
        }
        rollback.status = if done.is_ok() { Status::Succeeded } else { Status::Failed };
        self.rollback = Rollback {
            deployment: Some(rollback.id.clone()),
            message: Some(message),
            triggered_by: self.rollback.triggered_by.take(),
        };
        if done.is_ok() {
            self.target_weight = 0;
        }
        rollback.error = done.err();
    }
}
