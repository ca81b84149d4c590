//! Manual approvals (AWS CodePipeline guide, "Manage approval actions").

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::action::{cut, in_words, later};
use super::model::{ActionRef, Execution, Work};
use super::{Effect, Engine};
use crate::declaration::ActionDeclaration;
use crate::error::ApiError;
use crate::events::{ApprovalOpened, Change};
use crate::provider::{ActionFailure, ActionSuccess};
use crate::secret::Secret;

/// How long an approval waits where the action does not say (AWS CodePipeline guide, quotas).
const DEFAULT_TIMEOUT_MINUTES: u32 = 7 * 24 * 60;
/// The longest subject that SNS takes.
const SUBJECT: usize = 100;

/// PutApprovalResult without the place of the action.
pub(crate) struct ApprovalAnswer {
    pub(crate) token: String,
    pub(crate) approved: bool,
    pub(crate) summary: String,
}

impl Engine {
    pub(super) fn open_approval(&mut self, now: Timestamp, at: &ActionRef, declared: &ActionDeclaration) {
        let token = Secret::new(self.ids.uuid());
        let minutes = declared.timeout_in_minutes.unwrap_or(DEFAULT_TIMEOUT_MINUTES);
        let expires = later(now, SignedDuration::from_mins(i64::from(minutes)));
        let action = self.action_mut(at);
        action.work = Work::Approval { expires };
        action.approval_token = Some(token.clone());
        let setting = |key: &str| action.configuration.get(key).cloned();
        let (topic, link, data) = (setting("NotificationArn"), setting("ExternalEntityLink"), setting("CustomData"));
        let (stage, name) = self.names(at);
        let opened = ApprovalOpened {
            stage,
            action: name,
            action_execution_id: self.action(at).id.clone(),
            token,
            expires,
            custom_data: data,
            external_entity_link: link,
        };
        if let Some(topic_arn) = topic {
            let subject =
                format!("APPROVAL NEEDED: AWS CodePipeline {} for action {}", at.execution.pipeline, opened.action);
            self.effects.push_back(Effect::PublishApproval {
                action_execution_id: opened.action_execution_id.clone(),
                topic_arn,
                subject: cut(&subject, SUBJECT).to_owned(),
                message: self.approval_message(&at.execution.pipeline, &opened).to_string(),
            });
        }
        self.emit(now, &at.execution, Change::ApprovalOpened(opened));
    }

    /// The SNS message (AWS CodePipeline guide, "JSON data format for manual approval notifications").
    fn approval_message(&self, pipeline: &str, opened: &ApprovalOpened) -> Value {
        let region = &self.settings.region;
        let console = format!("{}?region={region}#/view/{pipeline}", self.settings.console);
        let (stage, action, token) = (&opened.stage, &opened.action, opened.token.expose());
        let mut approval = Map::new();
        approval.insert("pipelineName".into(), pipeline.into());
        approval.insert("stageName".into(), stage.clone().into());
        approval.insert("actionName".into(), action.clone().into());
        approval.insert("token".into(), token.into());
        // The guide's sample has no seconds.
        approval.insert("expires".into(), opened.expires.strftime("%Y-%m-%dT%H:%MZ").to_string().into());
        if let Some(link) = &opened.external_entity_link {
            approval.insert("externalEntityLink".into(), link.clone().into());
        }
        let review = format!("{console}/{stage}/{action}/approve/{token}");
        approval.insert("approvalReviewLink".into(), review.into());
        if let Some(data) = &opened.custom_data {
            approval.insert("customData".into(), data.clone().into());
        }
        json!({"region": region, "consoleLink": console, "approval": approval})
    }

    /// Takes the failure to publish an approval's message: nobody was asked, so that the approval fails.
    pub fn notification_refused(&mut self, now: Timestamp, action_execution_id: &str, why: &str) {
        let Some(at) = self.actions.get(action_execution_id).cloned() else { return };
        if !matches!(self.action(&at).work, Work::Approval { .. }) {
            return;
        }
        let message = format!("the approval's message could not be published to NotificationArn: {why}");
        self.fail_action(now, &at, ActionFailure::new("ConfigurationError", message));
        self.advance(now, &at.execution);
    }

    /// PutApprovalResult; gives the time that the answer counts from.
    pub(crate) fn answer_approval(
        &mut self,
        now: Timestamp,
        (pipeline, stage, action): (&str, &str, &str),
        answer: ApprovalAnswer,
    ) -> Result<Timestamp, ApiError> {
        let at = self.find_approval(pipeline, stage, action, &answer.token)?;
        let caller = self.settings.caller_arn.clone();
        self.action_mut(&at).updated_by = Some(caller.clone());
        if answer.approved {
            let summary = Some(answer.summary);
            self.succeed_action(now, &at, ActionSuccess { summary, ..ActionSuccess::default() });
        } else {
            let mut message = format!("rejected by {caller}");
            if !answer.summary.is_empty() {
                message = format!("{message}: {}", answer.summary);
                self.action_mut(&at).summary = Some(answer.summary);
            }
            self.fail_action(now, &at, ActionFailure::new("JobFailed", message));
        }
        self.advance(now, &at.execution);
        Ok(now)
    }

    fn find_approval(&self, name: &str, stage: &str, action: &str, token: &str) -> Result<ActionRef, ApiError> {
        let pipeline = self.pipeline(name)?;
        let declarations = pipeline.versions.values();
        let mut stages = declarations.flat_map(|declared| &declared.stages).filter(|declared| declared.name == stage);
        let mut actions = match stages.next() {
            Some(first) => first.actions.iter().chain(stages.flat_map(|declared| &declared.actions)),
            None => return Err(ApiError::stage_not_found(name, stage)),
        };
        if !actions.any(|declared| declared.name == action) {
            let message = format!("stage {stage} of pipeline {name} has no action {action}");
            return Err(ApiError::new("ActionNotFoundException", message));
        }
        let has_token =
            |found: &super::ActionExecution| found.approval_token.as_ref().is_some_and(|own| own.expose() == token);
        let is_named = |execution: &Execution, found: &super::ActionExecution| {
            let declared = &execution.declaration.stages[found.stage];
            declared.name == stage && found.name == action
        };
        for (index, execution) in pipeline.executions.iter().enumerate() {
            let found = execution.actions.iter().position(|found| has_token(found) && is_named(execution, found));
            let Some(place) = found else { continue };
            let at = ActionRef { execution: super::ExecutionRef { pipeline: name.to_owned(), index }, index: place };
            return match (&execution.actions[place].work, &execution.actions[place].updated_by) {
                (Work::Approval { .. }, _) => Ok(at),
                (_, Some(_)) => Err(ApiError::new(
                    "ApprovalAlreadyCompletedException",
                    "The approval action has already been approved or rejected.",
                )),
                (_, None) => Err(invalid_token()),
            };
        }
        Err(invalid_token())
    }

    pub(super) fn approval_expired(&mut self, now: Timestamp, at: &ActionRef) {
        let execution = self.execution(&at.execution);
        let declared = execution.declared(self.action(at));
        let minutes = declared.and_then(|declared| declared.timeout_in_minutes).unwrap_or(DEFAULT_TIMEOUT_MINUTES);
        let waited = in_words(SignedDuration::from_mins(i64::from(minutes)));
        let message = format!("the approval was not answered within {waited}");
        self.fail_action(now, at, ActionFailure::new("JobFailed", message));
        self.advance(now, &at.execution);
    }
}

fn invalid_token() -> ApiError {
    let message = "The approval request already received a response or has expired.";
    ApiError::new("InvalidApprovalTokenException", message)
}
