//! What must happen outside of the engine.

use std::fmt;

use serde_json::Value;

use crate::events::Event;
use crate::provider::ActionRequest;

/// Something that the shell must do, in the order in which the engine put it out.
pub enum Effect {
    /// Start an action; report its end by [`super::Engine::action_finished`].
    StartAction {
        /// The category of the action type; together with `request.provider` it names who runs the action.
        category: String,
        /// What to do.
        request: ActionRequest,
    },
    /// End an action that runs. Nothing is reported for it.
    CancelAction {
        /// The action execution's id.
        action_execution_id: String,
    },
    /// Invoke a Lambda function asynchronously. Report only a refusal, by [`super::Engine::lambda_refused`].
    InvokeLambda {
        /// The id of the job in the payload.
        job_id: String,
        /// The function's name.
        function_name: String,
        /// The `CodePipeline.job` event; it holds live credentials.
        payload: Value,
    },
    /// Publish the message of a waiting approval. Report only a failure, by [`super::Engine::notification_refused`].
    PublishApproval {
        /// The id of the approval's action execution.
        action_execution_id: String,
        /// The SNS topic.
        topic_arn: String,
        /// The subject line.
        subject: String,
        /// The message, a JSON document that holds the approval token.
        message: String,
    },
    /// Find out the state of an alarm; report it by [`super::Engine::alarm_checked`].
    CheckAlarm {
        /// The id of the rule's execution.
        rule_execution_id: String,
        /// The alarm's name.
        alarm_name: String,
    },
    /// Tell observers and EventBridge.
    Emit(Event),
}

impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartAction { category, request } => {
                f.debug_struct("StartAction").field("category", category).field("request", request).finish()
            }
            Self::CancelAction { action_execution_id } => {
                f.debug_tuple("CancelAction").field(action_execution_id).finish()
            }
            Self::InvokeLambda { job_id, function_name, payload: _ } => f
                .debug_struct("InvokeLambda")
                .field("job_id", job_id)
                .field("function_name", function_name)
                .finish_non_exhaustive(),
            Self::PublishApproval { action_execution_id, topic_arn, .. } => f
                .debug_struct("PublishApproval")
                .field("action_execution_id", action_execution_id)
                .field("topic_arn", topic_arn)
                .finish_non_exhaustive(),
            Self::CheckAlarm { rule_execution_id, alarm_name } => f
                .debug_struct("CheckAlarm")
                .field("rule_execution_id", rule_execution_id)
                .field("alarm_name", alarm_name)
                .finish(),
            Self::Emit(event) => f.debug_tuple("Emit").field(event).finish(),
        }
    }
}
