//! The final answer in the form that the API takes.

use std::collections::HashMap;

use aws_sdk_codepipeline::types;

use crate::event::JobId;
use crate::failure::{Failure, FailureKind};
use crate::outcome::{Continuation, CurrentRevision, Outcome, Success};
use crate::text;
use crate::variables::{self, MAX_OUTPUT_VARIABLES_BYTES};

/// Limits of PutJobSuccessResult and PutJobFailureResult (AWS model).
const MAX_SUMMARY: usize = 2048;
const MAX_MESSAGE: usize = 5000;
const MAX_EXTERNAL_EXECUTION_ID: usize = 1500;
const MAX_REVISION: usize = 1500;
const MAX_CHANGE_IDENTIFIER: usize = 100;

/// One of the two calls that answer a job, within the API's limits.
#[derive(Clone, Debug)]
pub(crate) enum Request {
    /// PutJobSuccessResult.
    Success(Box<SuccessRequest>),
    /// PutJobFailureResult.
    Failure(FailureRequest),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct SuccessRequest {
    pub(crate) continuation_token: Option<String>,
    pub(crate) summary: String,
    pub(crate) external_execution_id: Option<String>,
    pub(crate) percent_complete: Option<i32>,
    pub(crate) output_variables: Option<HashMap<String, String>>,
    pub(crate) current_revision: Option<types::CurrentRevision>,
}

#[derive(Clone, Debug)]
pub(crate) struct FailureRequest {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) external_execution_id: Option<String>,
}

impl Request {
    /// Cuts an outcome to the limits; `run` names the run where the handler did not.
    pub(crate) fn outcome(outcome: Outcome, job: &JobId, run: &str) -> Self {
        Self::Success(Box::new(match outcome {
            Outcome::Success(success) => done(success, job, run),
            Outcome::Continue(continuation) => in_progress(continuation, run),
        }))
    }

    /// Cuts a failure to the limits; `run` names the run where the handler did not.
    pub(crate) fn failure(failure: &Failure, run: &str) -> Self {
        Self::Failure(FailureRequest {
            kind: failure.kind,
            message: text::cut(&failure.message, MAX_MESSAGE, "the job failed without saying why"),
            external_execution_id: external_id(failure.external_execution_id.as_deref(), run),
        })
    }

    /// The text for people in the answer.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Success(success) => &success.summary,
            Self::Failure(failure) => &failure.message,
        }
    }

    /// The IAM action that the call needs.
    pub(crate) fn iam_action(&self) -> &'static str {
        match self {
            Self::Success(_) => "codepipeline:PutJobSuccessResult",
            Self::Failure(_) => "codepipeline:PutJobFailureResult",
        }
    }
}

fn done(success: Success, job: &JobId, run: &str) -> SuccessRequest {
    let (variables, changes) = variables::fit(success.output_variables, MAX_OUTPUT_VARIABLES_BYTES);
    if changes != variables::Changes::default() {
        tracing::warn!(
            job_id = %job,
            dropped = %shown(&changes.dropped),
            cut = %shown(&changes.cut),
            limit_bytes = MAX_OUTPUT_VARIABLES_BYTES,
            "output variables were changed to fit CodePipeline's limits",
        );
    }
    SuccessRequest {
        continuation_token: None,
        summary: text::cut(&success.summary, MAX_SUMMARY, "succeeded"),
        external_execution_id: external_id(success.external_execution_id.as_deref(), run),
        percent_complete: success.percent_complete.map(percent),
        output_variables: (!variables.is_empty()).then(|| variables.into_iter().collect()),
        current_revision: success.current_revision.and_then(|revision| current_revision(&revision)),
    }
}

fn in_progress(continuation: Continuation, run: &str) -> SuccessRequest {
    SuccessRequest {
        continuation_token: Some(continuation.token.as_str().to_owned()),
        summary: text::cut(&continuation.summary, MAX_SUMMARY, "in progress"),
        external_execution_id: external_id(continuation.external_execution_id.as_deref(), run),
        percent_complete: continuation.percent_complete.map(percent),
        ..SuccessRequest::default()
    }
}

fn percent(percent: u8) -> i32 {
    i32::from(percent.min(100))
}

fn external_id(given: Option<&str>, run: &str) -> Option<String> {
    text::cut_optional(given, MAX_EXTERNAL_EXECUTION_ID)
        .or_else(|| text::cut_optional(Some(run), MAX_EXTERNAL_EXECUTION_ID))
}

/// A revision needs both of its texts; without them it is left out.
fn current_revision(revision: &CurrentRevision) -> Option<types::CurrentRevision> {
    types::CurrentRevision::builder()
        .revision(text::cut_optional(Some(&revision.revision), MAX_REVISION)?)
        .change_identifier(text::cut_optional(Some(&revision.change_identifier), MAX_CHANGE_IDENTIFIER)?)
        .set_revision_summary(text::cut_optional(revision.summary.as_deref(), MAX_SUMMARY))
        .build()
        .ok()
}

/// Keys for the log, at most ten of them.
fn shown(keys: &[String]) -> String {
    let listed: Vec<String> = keys.iter().take(10).map(|key| text::cut(key, 100, "(empty)")).collect();
    let more = keys.len() - listed.len();
    if more > 0 { format!("{} and {more} more", listed.join(", ")) } else { listed.join(", ") }
}
