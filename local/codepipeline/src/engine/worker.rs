//! The side of the job protocol that is for job workers of custom actions (AWS CodePipeline guide, "Create a custom
//! action"): jobs are polled for and taken with a nonce.
//!
//! A job is given to everybody who polls until somebody takes it: a worker that died in between has lost nothing. Its
//! nonce can be used once, so that of many workers one gets the job.

use jiff::Timestamp;

use super::model::{ActionRef, Worker};
use super::{Engine, Job, JobState};
use crate::declaration::ActionTypeId;
use crate::error::ApiError;
use crate::provider::ActionFailure;

impl Engine {
    /// Puts the job of a custom action where workers find it.
    pub(super) fn queue_job(&mut self, now: Timestamp, at: &ActionRef, id: &ActionTypeId) {
        let problem = match self.types.custom(id) {
            None => Some(format!("has the type {id}, which was deleted; update the pipeline to another version of it")),
            Some(custom) => custom.unqueryable(&self.action(at).configuration),
        };
        if let Some(problem) = problem {
            let message = format!("the action {problem}");
            return self.fail_action(now, at, ActionFailure::new("ConfigurationError", message));
        }
        self.first_job(now, at, Worker::Custom(id.clone()));
    }

    /// PollForJobs: the ids of the jobs of a type that nobody has taken, the oldest first. `query` is the key and the
    /// value that the configuration must have.
    pub(crate) fn poll_for_jobs(
        &mut self,
        id: &ActionTypeId,
        most: usize,
        query: Option<(&str, &str)>,
    ) -> Result<Vec<String>, ApiError> {
        if id.owner != "Custom" {
            let message = format!("the action type {id} has no job workers; PollForJobs is for the owner Custom");
            return Err(ApiError::validation(message));
        }
        let Some(custom) = self.types.custom(id) else {
            let message = format!("there is no action type {id}; custom types: {}", self.types.custom_names());
            return Err(ApiError::new("ActionTypeNotFoundException", message));
        };
        match (custom.queryable().map(|property| property.name.as_str()), query) {
            (None, Some((key, _))) => {
                return Err(ApiError::validation(format!(
                    "queryParam has the key {key}, but {id} has no queryable property"
                )));
            }
            (Some(name), query) if query.is_none_or(|(key, _)| key != name) => {
                let message = format!("queryParam must have the key {name}, which is the queryable property of {id}");
                return Err(ApiError::validation(message));
            }
            _ => {}
        }
        let wanted = |job: &&String| self.is_for(job, id, query);
        let found: Vec<_> = self.queued_jobs.iter().filter(wanted).take(most).cloned().collect();
        for job in &found {
            if let Some(job) = self.jobs.get_mut(job) {
                job.state = JobState::Dispatched;
            }
        }
        Ok(found)
    }

    fn is_for(&self, job: &str, id: &ActionTypeId, query: Option<(&str, &str)>) -> bool {
        let job = self.jobs.get(job);
        let Some(at) = job.and_then(|job| self.actions.get(&job.action_execution_id)) else { return false };
        let action = self.action(at);
        let asked = |(key, value): (&str, &str)| action.configuration.get(key).is_some_and(|own| own == value);
        action.type_id == *id && query.is_none_or(asked)
    }

    /// AcknowledgeJob: gives the job to whoever comes first with its nonce.
    pub(crate) fn acknowledge_job(&mut self, job_id: &str, nonce: &str) -> Result<JobState, ApiError> {
        let Some(job) = self.jobs.get_mut(job_id) else {
            return Err(ApiError::new("JobNotFoundException", format!("there is no job {job_id}")));
        };
        let wrong = |why: &str| Err(ApiError::new("InvalidNonceException", format!("job {job_id}: {why}")));
        match &job.nonce {
            None => return wrong("it was sent to a Lambda function and has no nonce"),
            Some(own) if own.expose() != nonce => return wrong("the nonce is not the one that PollForJobs gave"),
            Some(_) => {}
        }
        match job.state {
            JobState::Queued | JobState::Dispatched => {}
            JobState::InProgress => return wrong("the nonce was already used: another worker has taken the job"),
            _ => return wrong("the nonce was already used, and the job has ended"),
        }
        job.state = JobState::InProgress;
        self.queued_jobs.retain(|queued| queued != job_id);
        Ok(JobState::InProgress)
    }

    /// The link to an execution at whoever carries out a custom action.
    pub(super) fn execution_url(&self, at: &ActionRef, execution: Option<&str>) -> Option<String> {
        let action = self.action(at);
        let custom = self.types.once_custom(&action.type_id)?;
        custom.execution_url(&action.configuration, execution?)
    }
}

impl JobState {
    /// The name in the AWS model (`JobStatus`), which has none for an abandoned job.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "Queued",
            Self::Dispatched => "Dispatched",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed | Self::Abandoned => "Failed",
            Self::TimedOut => "TimedOut",
        }
    }
}

impl Job {
    /// The nonce of a job for job workers.
    pub(crate) fn nonce(&self) -> Option<&str> {
        self.nonce.as_ref().map(crate::secret::Secret::expose)
    }
}
