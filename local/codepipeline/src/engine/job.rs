//! The job protocol of the Lambda action and of custom actions (AWS CodePipeline guide; AWS model).
//!
//! A job is one invocation, or one piece of work for a job worker. An answer with a continuation token completes it;
//! what goes on is a new job with the token. All jobs of one action execution together may take 24 hours, each of a
//! function 20 minutes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::action::{in_words, later};
use super::model::{ActionRef, Work, Worker};
use super::{Effect, Engine};
use crate::declaration::EncryptionKey;
use crate::error::ApiError;
use crate::lambda::InvokeError;
use crate::provider::{ActionFailure, ActionSuccess, Artifact, ProgressUpdate, SourceRevision};
use crate::secret::Secret;

/// How long a function may stay silent (AWS CodePipeline guide, quotas).
const ANSWER_WITHIN: SignedDuration = SignedDuration::from_mins(20);
/// How long an action may go on with continuation tokens (AWS CodePipeline guide, quotas).
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The most bytes of all output variables of one action (AWS CodePipeline guide, quotas).
const OUTPUT_VARIABLES_BYTES: usize = 122_880;

/// One invocation of a function, or one piece of work for a job worker.
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) action_execution_id: String,
    pub(crate) state: JobState,
    /// Gone when the job has ended.
    pub(crate) credentials: Option<ArtifactCredentials>,
    pub(crate) continuation_token: Option<String>,
    /// What a job worker takes the job with. A function is sent its job and needs none.
    pub(crate) nonce: Option<Secret>,
}

/// What has become of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    /// No job worker has seen it.
    Queued,
    /// A job worker has seen it, and none has taken it.
    Dispatched,
    InProgress,
    Succeeded,
    Failed,
    TimedOut,
    /// Its action was stopped, or its pipeline changed.
    Abandoned,
}

/// The credentials with which a function reads and writes the artifacts of one job.
#[derive(Clone, Debug)]
pub struct ArtifactCredentials {
    /// The access key id, which is no secret by itself.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: Secret,
    /// The session token.
    pub session_token: Secret,
    /// When the credentials expire at the latest; they also do when the job is answered.
    pub expires: Timestamp,
}

/// PutJobSuccessResult without the job's id.
#[derive(Default)]
pub(crate) struct JobSuccess {
    pub(crate) continuation_token: Option<String>,
    pub(crate) output_variables: BTreeMap<String, String>,
    pub(crate) summary: Option<String>,
    pub(crate) external_execution_id: Option<String>,
    pub(crate) percent_complete: Option<u8>,
    pub(crate) revision: Option<SourceRevision>,
}

impl Engine {
    /// The credentials that belong to an access key id, as long as its job is in progress.
    pub fn artifact_credentials(&self, access_key_id: &str) -> Option<&ArtifactCredentials> {
        self.jobs.get(self.access_keys.get(access_key_id)?)?.credentials.as_ref()
    }

    pub(super) fn first_job(&mut self, now: Timestamp, at: &ActionRef, worker: Worker) {
        self.new_job(now, at, worker, None, later(now, GIVE_UP_AFTER));
    }

    fn new_job(&mut self, now: Timestamp, at: &ActionRef, worker: Worker, token: Option<String>, give_up: Timestamp) {
        let id = self.ids.uuid();
        // A job worker may stay silent until the end of the day.
        let answer_by = match worker {
            Worker::Function(_) => later(now, ANSWER_WITHIN),
            Worker::Custom(_) => give_up,
        };
        let credentials = ArtifactCredentials {
            access_key_id: format!("ASIA{}", self.ids.alphanumeric(16).to_ascii_uppercase()),
            secret_access_key: Secret::new(self.ids.alphanumeric(40)),
            session_token: Secret::new(self.ids.alphanumeric(120)),
            expires: answer_by.min(give_up),
        };
        self.access_keys.insert(credentials.access_key_id.clone(), id.clone());
        let nonce = matches!(worker, Worker::Custom(_)).then(|| Secret::new(self.ids.alphanumeric(16)));
        let job = Job {
            id: id.clone(),
            action_execution_id: self.action(at).id.clone(),
            state: if nonce.is_some() { JobState::Queued } else { JobState::InProgress },
            credentials: Some(credentials),
            continuation_token: token,
            nonce,
        };
        match &worker {
            Worker::Function(function_name) => {
                let (function_name, payload) = (function_name.clone(), self.job_event(at, &job));
                self.effects.push_back(Effect::InvokeLambda { job_id: id.clone(), function_name, payload });
            }
            Worker::Custom(_) => self.queued_jobs.push(id.clone()),
        }
        self.jobs.insert(id.clone(), job);
        self.action_mut(at).work = Work::Job { job_id: id, worker, answer_by, give_up };
    }

    /// The event that the function receives: as GetJobDetails, without `actionTypeId` and `pipelineContext`.
    fn job_event(&self, at: &ActionRef, job: &Job) -> Value {
        json!({"CodePipeline.job": {
            "id": job.id,
            "accountId": self.settings.account_id,
            "data": self.job_data(at, job),
        }})
    }

    /// The part of a job's data that the event and GetJobDetails have in common.
    pub(crate) fn job_data(&self, at: &ActionRef, job: &Job) -> Map<String, Value> {
        let action = self.action(at);
        let mut data = Map::new();
        data.insert("actionConfiguration".into(), json!({"configuration": action.configuration}));
        data.insert("inputArtifacts".into(), job_artifacts(&action.input_artifacts));
        data.insert("outputArtifacts".into(), job_artifacts(&action.output_artifacts));
        if let Some(credentials) = &job.credentials {
            let credentials = json!({
                "accessKeyId": credentials.access_key_id,
                "secretAccessKey": credentials.secret_access_key.expose(),
                "sessionToken": credentials.session_token.expose(),
                "expirationTime": credentials.expires.as_millisecond(),
            });
            data.insert("artifactCredentials".into(), credentials);
        }
        if let Some(token) = &job.continuation_token {
            data.insert("continuationToken".into(), token.clone().into());
        }
        if let Some(key) = self.encryption_key(at) {
            data.insert("encryptionKey".into(), json!({"id": key.id, "type": key.key_type}));
        }
        data
    }

    fn encryption_key(&self, at: &ActionRef) -> Option<&EncryptionKey> {
        let region = &self.action(at).region;
        self.execution(&at.execution).declaration.store(region)?.encryption_key.as_ref()
    }

    /// PutJobSuccessResult.
    pub(crate) fn job_succeeded(&mut self, now: Timestamp, job_id: &str, result: JobSuccess) -> Result<(), ApiError> {
        let bytes = result.output_variables.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
        if bytes > OUTPUT_VARIABLES_BYTES {
            let message =
                format!("the output variables have {bytes} bytes; at most {OUTPUT_VARIABLES_BYTES} are allowed");
            return Err(ApiError::new("OutputVariablesSizeExceededException", message));
        }
        if result.continuation_token.is_some() && !result.output_variables.is_empty() {
            let message =
                "outputVariables and continuationToken are both given; send the variables with the last result";
            return Err(ApiError::validation(message));
        }
        let at = self.answerable_job(job_id)?;
        let external_execution_url = self.execution_url(&at, result.external_execution_id.as_deref());
        let Some(token) = result.continuation_token else {
            let success = ActionSuccess {
                external_execution_id: result.external_execution_id,
                external_execution_url,
                summary: result.summary,
                output_variables: result.output_variables,
                revision: result.revision,
            };
            self.action_mut(&at).percent_complete = result.percent_complete.or(self.action(&at).percent_complete);
            self.succeed_action(now, &at, success);
            self.advance(now, &at.execution);
            return Ok(());
        };
        let Work::Job { worker, give_up, .. } = self.action(&at).work.clone() else {
            return Err(not_in_progress(job_id, "has ended"));
        };
        self.close_job(job_id, JobState::Succeeded);
        if let Worker::Function(_) = worker {
            let delay = SignedDuration::try_from(self.settings.continuation_delay).unwrap_or(SignedDuration::MAX);
            self.action_mut(&at).work = Work::Continuation { token, worker, due: later(now, delay), give_up };
        } else {
            // A job worker finds the next job when it polls again.
            self.new_job(now, &at, worker, Some(token), give_up);
        }
        let update = ProgressUpdate {
            external_execution_id: result.external_execution_id,
            external_execution_url,
            summary: result.summary,
            percent_complete: result.percent_complete,
        };
        self.note_progress(now, &at, update);
        Ok(())
    }

    /// PutJobFailureResult.
    pub(crate) fn job_failed(
        &mut self,
        now: Timestamp,
        job_id: &str,
        mut failure: ActionFailure,
    ) -> Result<(), ApiError> {
        let at = self.answerable_job(job_id)?;
        failure.external_execution_url = self.execution_url(&at, failure.external_execution_id.as_deref());
        self.fail_action(now, &at, failure);
        self.advance(now, &at.execution);
        Ok(())
    }

    /// Takes the host's refusal of an invocation. It counts as the job's answer, unless there was one before.
    pub fn lambda_refused(&mut self, now: Timestamp, job_id: &str, error: &InvokeError) {
        let Ok(at) = self.answerable_job(job_id) else { return };
        let code = match error {
            InvokeError::FunctionNotFound { .. } => "ConfigurationError",
            InvokeError::Refused(_) => "SystemUnavailable",
        };
        let function = self.action(&at).configuration.get("FunctionName").cloned().unwrap_or_default();
        let message = format!("the Lambda function {function} could not be invoked: {error}");
        self.fail_action(now, &at, ActionFailure::new(code, message));
        self.advance(now, &at.execution);
    }

    /// The action of a job that may still be answered.
    fn answerable_job(&self, job_id: &str) -> Result<ActionRef, ApiError> {
        let Some(job) = self.jobs.get(job_id) else {
            return Err(ApiError::new("JobNotFoundException", format!("there is no job {job_id}")));
        };
        let why = match job.state {
            JobState::InProgress => None,
            JobState::Queued | JobState::Dispatched => {
                Some("was not taken by anybody; call AcknowledgeJob with its nonce first")
            }
            JobState::Succeeded | JobState::Failed => Some("was answered before"),
            JobState::TimedOut => Some("has timed out"),
            JobState::Abandoned => Some("was abandoned: its execution was stopped or its pipeline changed"),
        };
        match (why, self.actions.get(&job.action_execution_id)) {
            (None, Some(at)) => Ok(at.clone()),
            (why, _) => Err(not_in_progress(job_id, why.unwrap_or("has ended"))),
        }
    }

    pub(super) fn close_job(&mut self, job_id: &str, state: JobState) {
        let Some(job) = self.jobs.get_mut(job_id) else { return };
        job.state = state;
        if job.nonce.is_some() {
            self.queued_jobs.retain(|queued| queued != job_id);
        }
        if let Some(credentials) = job.credentials.take() {
            self.access_keys.remove(&credentials.access_key_id);
        }
    }

    pub(super) fn job_timed_out(&mut self, now: Timestamp, at: &ActionRef) {
        let Work::Job { job_id, worker, give_up, .. } = self.action(at).work.clone() else { return };
        let taken = self.jobs.get(&job_id).is_some_and(|job| job.state == JobState::InProgress);
        self.close_job(&job_id, JobState::TimedOut);
        self.action_mut(at).work = Work::None;
        let message = match &worker {
            Worker::Custom(id) if !taken => {
                let day = in_words(GIVE_UP_AFTER);
                format!("no job worker took the job within {day}; start one that polls for jobs of {id}")
            }
            worker if give_up <= now => gave_up(worker),
            // The text that people find when they search for it.
            worker => format!(
                "{} failed to return a result. Check the function to verify that it has permission to call the \
                 PutJobSuccessResult action and that it made a call to PutJobSuccessResult.",
                worker.to_string().replacen("the Lambda", "The AWS Lambda", 1)
            ),
        };
        self.fail_action(now, at, ActionFailure::new("JobFailed", message));
        self.advance(now, &at.execution);
    }

    /// The next invocation after a continuation token, or the end of the 24 hours.
    pub(super) fn continue_job(&mut self, now: Timestamp, at: &ActionRef) {
        let Work::Continuation { token, worker, give_up, .. } = self.action(at).work.clone() else { return };
        if give_up > now {
            return self.new_job(now, at, worker, Some(token), give_up);
        }
        self.fail_action(now, at, ActionFailure::new("JobFailed", gave_up(&worker)));
        self.advance(now, &at.execution);
    }
}

fn gave_up(worker: &Worker) -> String {
    format!("{worker} did not come to an end within {}", in_words(GIVE_UP_AFTER))
}

fn not_in_progress(job_id: &str, why: &str) -> ApiError {
    ApiError::new("InvalidJobStateException", format!("job {job_id} {why}"))
}

fn job_artifacts(artifacts: &[Artifact]) -> Value {
    let list = artifacts.iter().map(|artifact| {
        json!({
            "name": artifact.name,
            "revision": artifact.revision,
            "location": {"type": "S3", "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key}},
        })
    });
    list.collect()
}
