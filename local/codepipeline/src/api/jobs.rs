//! Operations of those who carry out jobs and approvals.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{optional_text, owned_text, text};
use crate::aws_json::epoch_seconds;
use crate::declaration::ActionTypeId;
use crate::engine::{ApprovalAnswer, Engine, JobSuccess};
use crate::error::ApiError;
use crate::provider::{ActionFailure, SourceRevision};

impl Engine {
    pub(super) fn api_put_job_success(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let details = &input["executionDetails"];
        let revision = input.get("currentRevision").map(|revision| SourceRevision {
            id: text(revision, "revision").to_owned(),
            summary: text(revision, "revisionSummary").to_owned(),
            url: None,
        });
        let result = JobSuccess {
            continuation_token: owned_text(input, "continuationToken"),
            output_variables: text_map(&input["outputVariables"]),
            summary: owned_text(details, "summary"),
            external_execution_id: owned_text(details, "externalExecutionId"),
            percent_complete: details["percentComplete"].as_u64().and_then(|percent| u8::try_from(percent).ok()),
            revision,
        };
        self.job_succeeded(now, text(input, "jobId"), result)?;
        Ok(json!({}))
    }

    pub(super) fn api_put_job_failure(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let details = &input["failureDetails"];
        let mut failure = ActionFailure::new(text(details, "type"), text(details, "message"));
        failure.external_execution_id = owned_text(details, "externalExecutionId");
        self.job_failed(now, text(input, "jobId"), failure)?;
        Ok(json!({}))
    }

    pub(super) fn api_get_job_details(&self, input: &Value) -> Result<Value, ApiError> {
        let id = text(input, "jobId");
        let Some(data) = self.full_job_data(id) else {
            return Err(ApiError::new("JobNotFoundException", format!("there is no job {id}")));
        };
        Ok(json!({"jobDetails": {"id": id, "data": data, "accountId": self.settings().account_id}}))
    }

    pub(super) fn api_poll_for_jobs(&mut self, input: &Value) -> Result<Value, ApiError> {
        let id: ActionTypeId = serde_json::from_value(input["actionTypeId"].clone())
            .map_err(|error| ApiError::validation(format!("actionTypeId could not be read: {error}")))?;
        let most = input["maxBatchSize"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let query = text_map(&input["queryParam"]);
        let query = query.iter().next().map(|(key, value)| (key.as_str(), value.as_str()));
        let account = self.settings().account_id.clone();
        let found = self.poll_for_jobs(&id, most, query)?;
        let jobs = found.iter().filter_map(|id| {
            let nonce = self.job(id)?.nonce()?;
            Some(json!({"id": id, "data": self.full_job_data(id)?, "nonce": nonce, "accountId": account}))
        });
        Ok(json!({"jobs": jobs.collect::<Vec<_>>()}))
    }

    pub(super) fn api_acknowledge_job(&mut self, input: &Value) -> Result<Value, ApiError> {
        let state = self.acknowledge_job(text(input, "jobId"), text(input, "nonce"))?;
        Ok(json!({"status": state.as_str()}))
    }

    /// The data of a job as GetJobDetails and PollForJobs give it. It holds the secrets of the action's configuration.
    fn full_job_data(&self, id: &str) -> Option<Map<String, Value>> {
        let job = self.job(id)?;
        let at = self.action_of_id(&job.action_execution_id)?;
        let execution = self.execution(&at.execution);
        let action = self.action(at);
        let mut data = self.job_data(at, job);
        data.insert("actionTypeId".to_owned(), json!(action.type_id));
        let context = json!({
            "pipelineName": at.execution.pipeline,
            "stage": {"name": execution.declaration.stages[action.stage].name},
            "action": {"name": action.name, "actionExecutionId": action.id},
            "pipelineArn": self.settings().pipeline_arn(&at.execution.pipeline),
            "pipelineExecutionId": execution.id,
        });
        data.insert("pipelineContext".to_owned(), context);
        Some(data)
    }

    pub(super) fn api_put_approval_result(&mut self, now: Timestamp, input: &Value) -> Result<Value, ApiError> {
        let place = (text(input, "pipelineName"), text(input, "stageName"), text(input, "actionName"));
        let result = &input["result"];
        let answer = ApprovalAnswer {
            token: text(input, "token").to_owned(),
            approved: optional_text(result, "status") == Some("Approved"),
            summary: text(result, "summary").to_owned(),
        };
        let at = self.answer_approval(now, place, answer)?;
        Ok(json!({"approvedAt": epoch_seconds(at)}))
    }
}

fn text_map(map: &Value) -> BTreeMap<String, String> {
    let entries = map.as_object().into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect()
}
