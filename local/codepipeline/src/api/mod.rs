//! The API operations, from their JSON input to their JSON output, and the endpoint that serves them.

mod action_types;
mod conditions;
mod executions;
mod jobs;
mod pipelines;
mod state;
mod tags;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::aws_json::{self, Service};
use crate::engine::Engine;
use crate::error::ApiError;
use crate::faults::faulty;
use crate::shell::CodePipeline;
use crate::validation;

/// The API of CodePipeline.
pub(crate) const SERVICE: Service = Service {
    name: "CodePipeline",
    target_prefix: "CodePipeline_20150709.",
    violation: "ValidationException",
    invalid_token: "InvalidNextTokenException",
};

/// Serves the API of a local CodePipeline at `/`, as the AWS SDKs and `aws --endpoint-url` call it. Signatures are not
/// checked.
pub fn router(codepipeline: CodePipeline) -> Router {
    let faults = codepipeline.faults();
    let router = aws_json::router(&SERVICE, move |operation, input| {
        let codepipeline = codepipeline.clone();
        async move { codepipeline.call(&operation, input).await }
    });
    let Some(faults) = faults else { return router };
    router.layer(middleware::from_fn(move |request: Request, next: Next| {
        let faults = Arc::clone(&faults);
        async move { faulty(faults.as_ref(), request, next).await }
    }))
}

impl Engine {
    /// Carries out an API operation: checks the input by the AWS model, does what it asks, and gives the output.
    ///
    /// # Errors
    ///
    /// The exceptions of the AWS model for the operation; `UnknownOperationException` for an operation that this
    /// local CodePipeline does not have.
    pub fn call(&mut self, now: Timestamp, operation: &str, input: Value) -> Result<Value, ApiError> {
        let input = validation::check(operation, &input)?;
        // What is due has happened before the call, so that a late answer is a late answer.
        self.tick(now);
        match operation {
            "CreatePipeline" => self.api_create_pipeline(now, &input),
            "UpdatePipeline" => self.api_update_pipeline(now, &input),
            "GetPipeline" => self.api_get_pipeline(&input),
            "ListPipelines" => self.api_list_pipelines(&input),
            "DeletePipeline" => {
                self.delete_pipeline(now, text(&input, "name"));
                Ok(json!({}))
            }
            "StartPipelineExecution" => self.api_start_execution(now, &input),
            "StopPipelineExecution" => self.api_stop_execution(now, &input),
            "RetryStageExecution" => self.api_retry_stage(now, &input),
            "RollbackStage" => self.api_rollback_stage(now, &input),
            "OverrideStageCondition" => self.api_override_condition(now, &input),
            "ListRuleExecutions" => self.api_list_rule_executions(&input),
            "ListRuleTypes" => Ok(self.api_list_rule_types(&input)),
            "GetPipelineExecution" => self.api_get_execution(&input),
            "ListPipelineExecutions" => self.api_list_executions(&input),
            "ListActionExecutions" => self.api_list_action_executions(&input),
            "GetPipelineState" => self.api_get_state(&input),
            "DisableStageTransition" | "EnableStageTransition" => self.api_set_transition(now, &input),
            "PutApprovalResult" => self.api_put_approval_result(now, &input),
            "PutJobSuccessResult" => self.api_put_job_success(now, &input),
            "PutJobFailureResult" => self.api_put_job_failure(now, &input),
            "GetJobDetails" => self.api_get_job_details(&input),
            "PollForJobs" => self.api_poll_for_jobs(&input),
            "AcknowledgeJob" => self.api_acknowledge_job(&input),
            "CreateCustomActionType" => self.api_create_custom_type(&input),
            "DeleteCustomActionType" => Ok(self.api_delete_custom_type(&input)),
            "ListActionTypes" => self.api_list_action_types(&input),
            "TagResource" => self.api_tag(&input),
            "UntagResource" => self.api_untag(&input),
            "ListTagsForResource" => self.api_list_tags(&input),
            _ => Err(validation::unknown_operation(operation)),
        }
    }
}

/// A required text member, which the check of the input has seen.
fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    optional_text(input, member).unwrap_or_default()
}

fn optional_text<'a>(input: &'a Value, member: &str) -> Option<&'a str> {
    input.get(member)?.as_str()
}

fn owned_text(input: &Value, member: &str) -> Option<String> {
    optional_text(input, member).map(str::to_owned)
}
