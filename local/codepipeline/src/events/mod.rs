//! What happens in a pipeline, as typed events for observers and as EventBridge and SNS messages.

mod eventbridge;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use crate::declaration::{ActionTypeId, Moment};
use crate::engine::ConditionStatus;
use crate::provider::Artifact;
use crate::secret::Secret;

/// Where the messages of the local CodePipeline go: the local EventBridge and the local SNS.
#[async_trait]
pub trait Events: Send + Sync {
    /// Takes an event of `source` `aws.codepipeline`, with its envelope. Called in the order in which things happened.
    async fn put_event(&self, event: Value);

    /// Publishes the message of a waiting approval to an SNS topic. `message` is the JSON of the AWS CodePipeline
    /// guide ("JSON data format for manual approval notifications") and holds the approval token: do not log it.
    ///
    /// # Errors
    ///
    /// Why the message was not accepted, for example that there is no such topic. The approval then fails with
    /// `ConfigurationError`.
    async fn publish(&self, topic_arn: &str, subject: &str, message: String) -> Result<(), String>;
}

/// One thing that happened in a pipeline.
#[derive(Clone, Debug)]
pub struct Event {
    /// The id of the EventBridge envelope.
    pub id: String,
    /// When it happened.
    pub time: Timestamp,
    /// The account.
    pub account_id: String,
    /// The Region.
    pub region: String,
    /// The pipeline's name.
    pub pipeline: String,
    /// The version of the pipeline that the execution runs.
    pub pipeline_version: u32,
    /// The pipeline execution's id.
    pub pipeline_execution_id: String,
    /// 1 for the first run, one more for every retry of a stage.
    pub attempt: u32,
    /// What changed.
    pub change: Change,
}

/// What an [`Event`] tells.
#[derive(Clone, Debug)]
pub enum Change {
    /// The pipeline execution changed its state.
    Execution(ExecutionChange),
    /// A stage changed its state.
    Stage(StageChange),
    /// An action changed its state.
    Action(ActionChange),
    /// A running action says how far it is. EventBridge has no event for this.
    Progress(ActionProgress),
    /// A manual approval waits for an answer. EventBridge has no event for this; SNS has a message.
    ApprovalOpened(ApprovalOpened),
    /// A condition of a stage changed its status. AWS documents no event for this.
    Condition(ConditionChange),
    /// A rule of a condition changed its state. AWS documents no event for this.
    Rule(RuleChange),
}

/// A state as the EventBridge events name it (AWS CodePipeline guide, monitoring events).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// `STARTED`
    Started,
    /// `SUCCEEDED`
    Succeeded,
    /// `FAILED`
    Failed,
    /// `RESUMED`: a stage is retried.
    Resumed,
    /// `CANCELED`: the structure of the pipeline was changed.
    Canceled,
    /// `STOPPING`
    Stopping,
    /// `STOPPED`
    Stopped,
    /// `SUPERSEDED`
    Superseded,
    /// `ABANDONED`
    Abandoned,
    /// `SKIPPED`: the entry condition of a stage has passed it by. AWS documents no event for this.
    Skipped,
}

/// The change of a pipeline execution.
#[derive(Clone, Debug)]
pub struct ExecutionChange {
    /// The new state.
    pub state: State,
    /// When the execution began.
    pub start_time: Timestamp,
    /// Type and detail of the trigger.
    pub trigger: (String, String),
    /// The comment of StopPipelineExecution.
    pub stop_reason: Option<String>,
}

/// The change of a stage.
#[derive(Clone, Debug)]
pub struct StageChange {
    /// The stage's name.
    pub stage: String,
    /// The new state.
    pub state: State,
    /// When the stage was entered.
    pub start_time: Timestamp,
    /// When it was last retried.
    pub last_retry: Option<Timestamp>,
}

/// The change of an action.
#[derive(Clone, Debug)]
pub struct ActionChange {
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The action execution's id.
    pub action_execution_id: String,
    /// What carries the action out.
    pub action_type: ActionTypeId,
    /// The new state.
    pub state: State,
    /// When the action began.
    pub start_time: Timestamp,
    /// The Region the action runs in.
    pub region: String,
    /// The artifacts it takes.
    pub input_artifacts: Vec<Artifact>,
    /// The artifacts it makes.
    pub output_artifacts: Vec<Artifact>,
    /// What it reported, once it has ended.
    pub result: Option<ActionResult>,
}

/// The change of a condition.
#[derive(Clone, Debug)]
pub struct ConditionChange {
    /// The stage's name.
    pub stage: String,
    /// When the condition is looked at.
    pub moment: Moment,
    /// The new status.
    pub status: ConditionStatus,
    /// Why it failed, or who has overridden it.
    pub summary: Option<String>,
}

/// The change of a rule.
#[derive(Clone, Debug)]
pub struct RuleChange {
    /// The stage's name.
    pub stage: String,
    /// When the rule's condition is looked at.
    pub moment: Moment,
    /// The rule's name.
    pub rule: String,
    /// The rule execution's id.
    pub rule_execution_id: String,
    /// What carries the rule out, for example `LambdaInvoke`.
    pub provider: String,
    /// The new state.
    pub state: State,
    /// When the rule began.
    pub start_time: Timestamp,
    /// What it reported, once it has ended.
    pub result: Option<ActionResult>,
}

/// What an ended action or rule reported.
#[derive(Clone, Debug, Default)]
pub struct ActionResult {
    /// The id of the build, deployment, ... in its own service.
    pub external_execution_id: Option<String>,
    /// Where a person can look at it.
    pub external_execution_url: Option<String>,
    /// One line for people; the error's message where the action failed.
    pub summary: Option<String>,
    /// The code of the failure.
    pub error_code: Option<String>,
}

/// How far a running action is.
#[derive(Clone, Debug)]
pub struct ActionProgress {
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The action execution's id.
    pub action_execution_id: String,
    /// The id of the build, deployment, ... in its own service.
    pub external_execution_id: Option<String>,
    /// Where a person can look at it.
    pub external_execution_url: Option<String>,
    /// One line for people.
    pub summary: Option<String>,
    /// 0 to 100.
    pub percent_complete: Option<u8>,
}

/// A manual approval that waits for an answer.
#[derive(Clone, Debug)]
pub struct ApprovalOpened {
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The action execution's id.
    pub action_execution_id: String,
    /// The token that PutApprovalResult wants.
    pub token: Secret,
    /// When the approval fails for want of an answer.
    pub expires: Timestamp,
    /// The text that the pipeline gives to the approver.
    pub custom_data: Option<String>,
    /// The link that the pipeline gives to the approver.
    pub external_entity_link: Option<String>,
}

impl State {
    /// The name in EventBridge events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Resumed => "RESUMED",
            Self::Canceled => "CANCELED",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
            Self::Superseded => "SUPERSEDED",
            Self::Abandoned => "ABANDONED",
            Self::Skipped => "SKIPPED",
        }
    }
}
