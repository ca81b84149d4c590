//! Delivers a final answer to CodePipeline.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher as _;
use std::time::{Duration, Instant};

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::config::http::HttpResponse;
use aws_sdk_codepipeline::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_codepipeline::types::{ExecutionDetails, FailureDetails};
use serde::Serialize;
use thiserror::Error;

use crate::event::JobId;
use crate::failure::{Failure, FailureCause as _, FailureKind};
use crate::request::{FailureRequest, Request, SuccessRequest};
use crate::text;

/// The longest that one call may take before it is tried again.
const MAX_ATTEMPT: Duration = Duration::from_secs(5);
/// The shortest time in which a call has a chance.
const MIN_ATTEMPT: Duration = Duration::from_millis(50);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);
const MAX_DETAIL: usize = 1000;

/// What became of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// CodePipeline took the success.
    Succeeded,
    /// CodePipeline took the continuation and will call again.
    Continued,
    /// CodePipeline took a failure: the handler's, or the one that had to take the place of another answer.
    Failed,
    /// The job already had an answer, by an earlier invocation for the same event or an earlier attempt.
    AlreadyAnswered,
}

impl Delivery {
    /// The name used in logs and in the function's response.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Continued => "continued",
            Self::Failed => "failed",
            Self::AlreadyAnswered => "alreadyAnswered",
        }
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The job has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The function's role lacks a right.
    #[error(
        "answer job {job}: the function may not call {action} ({detail}); allow codepipeline:PutJobSuccessResult and \
         codepipeline:PutJobFailureResult on resource \"*\" in the function's role"
    )]
    Denied {
        /// The job.
        job: JobId,
        /// The IAM action that is missing.
        action: &'static str,
        /// What AWS said.
        detail: String,
    },
    /// CodePipeline refused every form of the answer.
    #[error(
        "answer job {job}: CodePipeline refused the answer ({detail}); does the job belong to this account and Region?"
    )]
    Refused {
        /// The job.
        job: JobId,
        /// What AWS said.
        detail: String,
    },
    /// CodePipeline did not answer in time.
    #[error("answer job {job}: CodePipeline could not be reached in time, attempts: {attempts} ({detail})")]
    Unavailable {
        /// The job.
        job: JobId,
        /// How often it was tried.
        attempts: u32,
        /// What happened last.
        detail: String,
    },
    /// The deadline guard, which had taken over the answer, broke.
    #[error("answer job {job}: the deadline guard ended without a result; this is a bug in codepipeline-job")]
    GuardLost {
        /// The job.
        job: JobId,
    },
}

/// What CodePipeline said to one call.
enum Attempt {
    Settled(Reply),
    /// The call may work a moment later.
    Busy(String),
}

/// What CodePipeline says however often it is asked.
enum Reply {
    Taken,
    AlreadyAnswered,
    Refused(Refusal),
}

struct Refusal {
    /// A right is missing, as opposed to an answer that is not acceptable.
    denied: bool,
    detail: String,
}

/// Sends an answer until CodePipeline has taken one, or `until` has come.
///
/// A success that is refused is followed by a failure, so that no job is left hanging; a failure that is refused is
/// followed by a plain one.
pub(crate) async fn deliver(
    client: &Client,
    job: &JobId,
    request: Request,
    until: Instant,
) -> Result<Delivery, DeliveryError> {
    let mut request = request;
    let mut refusals = Vec::new();
    loop {
        let refusal = match call_until(client, job, &request, until).await? {
            Reply::Taken => return Ok(delivery_of(&request)),
            Reply::AlreadyAnswered => return Ok(Delivery::AlreadyAnswered),
            Reply::Refused(refusal) => refusal,
        };
        let action = request.iam_action();
        tracing::error!(job_id = %job, action, detail = refusal.detail, "CodePipeline refused the answer");
        let next = instead_of(&request, &refusal);
        refusals.push(error_of(refusal, job, action));
        match next {
            Some(next) => request = next,
            None => return Err(most_telling(refusals)),
        }
    }
}

fn error_of(refusal: Refusal, job: &JobId, action: &'static str) -> DeliveryError {
    let Refusal { denied, detail } = refusal;
    if denied {
        DeliveryError::Denied { job: job.clone(), action, detail }
    } else {
        DeliveryError::Refused { job: job.clone(), detail }
    }
}

/// A missing right explains why nothing could be delivered; otherwise the first refusal does.
fn most_telling(mut refusals: Vec<DeliveryError>) -> DeliveryError {
    let denied = refusals.iter().position(|error| matches!(error, DeliveryError::Denied { .. }));
    refusals.swap_remove(denied.unwrap_or(0))
}

fn delivery_of(request: &Request) -> Delivery {
    match request {
        Request::Success(success) if success.continuation_token.is_some() => Delivery::Continued,
        Request::Success(_) => Delivery::Succeeded,
        Request::Failure(_) => Delivery::Failed,
    }
}

const PLAIN_MESSAGE: &str = "the job failed; CodePipeline refused the message, which is in the log of the function";

/// The answer to try after a refused one.
fn instead_of(request: &Request, refusal: &Refusal) -> Option<Request> {
    let Refusal { denied, detail } = refusal;
    match request {
        Request::Success(success) => {
            let answer = if success.continuation_token.is_some() { "continuation" } else { "success" };
            let failure = if *denied {
                let message = format!(
                    "the {answer} could not be reported: allow {} on resource \"*\" in the function's role ({detail})",
                    request.iam_action()
                );
                Failure::new(FailureKind::PermissionError, message)
            } else {
                Failure::job_failed(format!(
                    "CodePipeline refused the {answer} that the function reported ({detail}): \"{}\"",
                    success.summary
                ))
            };
            Some(Request::failure(&failure, success.external_execution_id.as_deref().unwrap_or_default()))
        }
        Request::Failure(failure) if !denied && failure.message != PLAIN_MESSAGE => {
            tracing::error!(kind = %failure.kind, message = failure.message, "the refused failure message");
            let run = failure.external_execution_id.as_deref().unwrap_or_default();
            Some(Request::failure(&Failure::new(failure.kind, PLAIN_MESSAGE), run))
        }
        Request::Failure(_) => None,
    }
}

/// Repeats a call while CodePipeline is busy or cannot be reached, with growing, random pauses.
async fn call_until(client: &Client, job: &JobId, request: &Request, until: Instant) -> Result<Reply, DeliveryError> {
    let mut attempts = 0;
    let mut detail = "no time was left for an attempt".to_owned();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left < MIN_ATTEMPT {
            return Err(DeliveryError::Unavailable { job: job.clone(), attempts, detail });
        }
        attempts += 1;
        // Half of what is left, so that a call that hangs leaves time for another one.
        let limit = (left / 2).clamp(MIN_ATTEMPT, MAX_ATTEMPT);
        detail = match tokio::time::timeout(limit, Box::pin(call(client, job, request))).await {
            Ok(Attempt::Settled(reply)) => return Ok(reply),
            Ok(Attempt::Busy(detail)) => detail,
            Err(_) => format!("no answer in {} ms", limit.as_millis()),
        };
        tracing::warn!(job_id = %job, attempts, detail, "CodePipeline did not take the answer, trying again");
        tokio::time::sleep(backoff(attempts).min(until.saturating_duration_since(Instant::now()))).await;
    }
}

/// A random pause between half of the step and the whole; the step doubles with each attempt.
fn backoff(attempts: u32) -> Duration {
    let step = FIRST_BACKOFF.saturating_mul(1 << (attempts - 1).min(10)).min(MAX_BACKOFF);
    let random = u32::from(RandomState::new().hash_one(attempts).to_le_bytes()[0]);
    step / 2 + step / 2 * random / 255
}

async fn call(client: &Client, job: &JobId, request: &Request) -> Attempt {
    match request {
        Request::Success(success) => understand(put_success(client, job, success).await),
        Request::Failure(failure) => understand(put_failure(client, job, failure).await),
    }
}

async fn put_success(
    client: &Client,
    job: &JobId,
    success: &SuccessRequest,
) -> Result<(), SdkError<impl ProvideErrorMetadata + std::error::Error + 'static, HttpResponse>> {
    let details = ExecutionDetails::builder()
        .summary(&success.summary)
        .set_external_execution_id(success.external_execution_id.clone())
        .set_percent_complete(success.percent_complete)
        .build();
    let call = client
        .put_job_success_result()
        .job_id(job.as_str())
        .execution_details(details)
        .set_continuation_token(success.continuation_token.clone())
        .set_output_variables(success.output_variables.clone())
        .set_current_revision(success.current_revision.clone());
    call.send().await.map(drop)
}

async fn put_failure(
    client: &Client,
    job: &JobId,
    failure: &FailureRequest,
) -> Result<(), SdkError<impl ProvideErrorMetadata + std::error::Error + 'static, HttpResponse>> {
    let details = FailureDetails::builder()
        .r#type(failure.kind.into())
        .message(&failure.message)
        .set_external_execution_id(failure.external_execution_id.clone())
        .build()
        .expect("type and message are set");
    client.put_job_failure_result().job_id(job.as_str()).failure_details(details).send().await.map(drop)
}

fn understand<E>(result: Result<(), SdkError<E, HttpResponse>>) -> Attempt
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = match result {
        Ok(()) => return Attempt::Settled(Reply::Taken),
        Err(error) => error,
    };
    let detail = text::cut(&error.failure_message(), MAX_DETAIL, "no detail");
    if let SdkError::ServiceError(context) = &error
        && context.err().code() == Some("InvalidJobStateException")
    {
        return Attempt::Settled(Reply::AlreadyAnswered);
    }
    match error.failure_kind() {
        FailureKind::SystemUnavailable => Attempt::Busy(detail),
        kind => Attempt::Settled(Reply::Refused(Refusal { denied: kind == FailureKind::PermissionError, detail })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        for attempts in [1, 2, 3, 8, 40, u32::MAX] {
            let step = FIRST_BACKOFF.saturating_mul(1 << (attempts - 1).min(10)).min(MAX_BACKOFF);
            let pause = backoff(attempts);
            assert!(pause >= step / 2 && pause <= step, "{attempts}: {pause:?}");
        }
    }
}
