//! Builds and deployments that are executions of their own.

use jiff::Timestamp;
use stagegate_pipeline_event::{BuildChange, DeploymentChange};

use crate::action::{Action, Reason, ReasonSource};
use crate::picture::Picture;
use crate::register::kept;
use crate::states::{ActionState, ExecutionState};
use crate::subject::Subject;

impl Picture {
    pub(crate) fn build_change(&mut self, change: &BuildChange, at: Timestamp) {
        self.subject = Subject::Build;
        let status = change.status.as_deref().unwrap_or_default();
        let Some(state) = build_state(status) else { return };
        self.enter(state, at);
        let information = change.information.clone().unwrap_or_default();
        self.about.trigger = kept(information.initiator.as_deref());
        let logs = information.logs.unwrap_or_default();
        self.about.link = https(logs.link.as_deref());
        if state == ExecutionState::Failed {
            let (phase, text) = change.failed_phase().unzip();
            self.fail(change.build_id().unwrap_or_default(), phase, at, text, ReasonSource::CodeBuild, status);
        }
    }

    pub(crate) fn deployment_change(&mut self, change: &DeploymentChange, at: Timestamp) {
        self.subject = Subject::Deployment;
        let Some(state) = change.state.as_deref().and_then(deployment_state) else { return };
        self.enter(state, at);
        if state == ExecutionState::Failed {
            let id = change.deployment.as_deref().unwrap_or_default();
            self.fail(id, None, at, None, ReasonSource::Event, "");
        }
    }

    /// A build or a deployment has failed: the one thing that it does. Without a text `status` is the reason.
    pub fn fail(
        &mut self,
        id: &str,
        phase: Option<&str>,
        at: Timestamp,
        text: Option<String>,
        source: ReasonSource,
        status: &str,
    ) {
        let text = kept(text.as_deref()).or_else(|| kept(Some(status)));
        let action = Action {
            stage: kept(phase),
            ended: Some(at),
            state: ActionState::Failed,
            reason: text.map(|text| Reason { source, text, code: None }),
            logs: self.about.link.clone(),
            ..Action::default()
        };
        self.actions.insert(id.to_owned(), action);
    }
}

/// The state of a build (AWS CodeBuild API reference, StatusType).
pub fn build_state(status: &str) -> Option<ExecutionState> {
    match status {
        "IN_PROGRESS" => Some(ExecutionState::Started),
        "SUCCEEDED" => Some(ExecutionState::Succeeded),
        "FAILED" | "FAULT" | "TIMED_OUT" => Some(ExecutionState::Failed),
        "STOPPED" => Some(ExecutionState::Stopped),
        _ => None,
    }
}

/// The state of a deployment, as its events write it.
fn deployment_state(state: &str) -> Option<ExecutionState> {
    match state {
        "START" | "QUEUED" | "READY" => Some(ExecutionState::Started),
        "SUCCESS" => Some(ExecutionState::Succeeded),
        "FAILURE" => Some(ExecutionState::Failed),
        "STOP" => Some(ExecutionState::Stopped),
        _ => None,
    }
}

fn https(url: Option<&str>) -> Option<String> {
    kept(url).filter(|url| url.starts_with("https://"))
}
