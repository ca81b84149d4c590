//! The function: polls, takes and hands on.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_codepipeline::config::retry::RetryConfig;
use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::{ActionOwner, Job};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use codepipeline_job::{Failure, FailureCause, FailureKind, JobId, Lifecycle};
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use stagegate_gate::State;
use thiserror::Error;

use crate::action::{Action, Actions, ActionsError};
use crate::event::job_event;
use crate::handover::{self, Handover};
use crate::kept;

/// What is left of the function's time when it takes no further job.
const MARGIN: Duration = Duration::from_secs(10);
/// The time of an invocation where nobody says so.
const TIME: Duration = Duration::from_secs(60);
/// How often a job is reached for.
const ATTEMPTS: u32 = 4;
/// The pause after the first attempt; it grows with each.
const PAUSE: Duration = Duration::from_millis(100);
/// How many jobs are asked for at once.
const BATCH: i32 = 10;
/// How long jobs count as waiting that were polled. The lease of a job that another worker has handed on lasts longer.
const FRESH: Duration = Duration::from_secs(5);

/// What is kept from one invocation to the next.
#[derive(Clone, Default)]
pub struct Worker {
    lifecycle: Lifecycle,
}

/// What an invocation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Jobs that a gate has now.
    pub handed_on: u32,
    /// Jobs that another worker took.
    pub taken_by_others: u32,
    /// Jobs that could not be handed on, and were failed.
    pub failed: u32,
}

/// Jobs may be waiting that could not be taken. Reads after "failed to".
#[derive(Debug, Error)]
pub enum NotDone {
    /// The environment is broken.
    #[error(transparent)]
    Actions(#[from] ActionsError),
    /// CodePipeline does not tell the versions of the action types.
    #[error("list the custom action types: {detail}")]
    List {
        /// What CodePipeline said.
        detail: String,
    },
    /// CodePipeline gave no jobs.
    #[error("poll for jobs of {action}: {detail}")]
    Poll {
        /// The action type.
        action: String,
        /// What CodePipeline said.
        detail: String,
    },
    /// A job was taken, and nobody has it.
    #[error("hand on a job that was taken: {0}")]
    Lost(#[from] codepipeline_job::DeliveryError),
}

impl From<NotDone> for Diagnostic {
    fn from(error: NotDone) -> Self {
        let error_type = match error {
            NotDone::Actions(_) => "JobWorker.Configuration",
            NotDone::List { .. } | NotDone::Poll { .. } => "JobWorker.Poll",
            NotDone::Lost(_) => "JobWorker.Lost",
        };
        Self { error_type: error_type.to_owned(), error_message: format!("failed to {error}") }
    }
}

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    let worker = Worker::default();
    stagegate_process::run(stagegate_process::serve(move |event: LambdaEvent<Value>| {
        let worker = worker.clone();
        // What the event says does not matter: whatever waits is taken.
        async move { Box::pin(worker.work(&event.context)).await }
    }))
}

/// The services that are called.
pub(crate) struct Clients {
    pub(crate) codepipeline: aws_sdk_codepipeline::Client,
    lambda: aws_sdk_lambda::Client,
    pub(crate) state: State,
    until: Instant,
    pub(crate) run: String,
}

impl Clients {
    /// Whether no further job is to be taken.
    pub(crate) fn time_is_over(&self) -> bool {
        let is_over = Instant::now() >= self.until;
        if is_over {
            tracing::info!("the time is over; the jobs that are left wait for the next minute");
        }
        is_over
    }

    /// What this invocation has left.
    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now()) + MARGIN
    }
}

impl Worker {
    /// Takes the jobs that wait and hands them on.
    ///
    /// # Errors
    ///
    /// When the environment is broken, CodePipeline gives no jobs of one of the action types, or a job is lost.
    pub async fn work(&self, context: &Context) -> Result<Done, NotDone> {
        let actions = Actions::from_environment();
        let actions = actions.inspect_err(|error| tracing::error!("failed to {error}"))?;
        let config = self.lifecycle.shared_config().await;
        let clients = Clients {
            codepipeline: aws_sdk_codepipeline::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            state: State::from_environment(&config).with_patience(handover::PATIENCE),
            until: until(context),
            run: context.request_id.clone(),
        };
        let mut done = Done::default();
        let told = |error: &NotDone| tracing::error!(request_id = clients.run, "failed to {error}");
        let mut failed = kept::take_all(self, &clients, &actions, &mut done).await.inspect_err(told).err();
        for action in &versions(&clients, &actions).await? {
            // The jobs of the other action types wait as well.
            if let Err(error) = self.take_all(&clients, action, &mut done).await.inspect_err(told) {
                failed = Some(error);
            }
        }
        failed.map_or(Ok(done), Err)
    }

    async fn take_all(&self, clients: &Clients, action: &Action, done: &mut Done) -> Result<(), NotDone> {
        loop {
            let polled_at = Instant::now();
            let polled = clients.codepipeline.poll_for_jobs().action_type_id(action.id()).max_batch_size(BATCH).send();
            let polled = polled.await.map_err(|error| NotDone::Poll {
                action: format!("{}/{}/{}", action.category, action.provider, action.version),
                detail: error.failure_message(),
            })?;
            let mut taken = 0;
            for job in polled.jobs() {
                if clients.time_is_over() {
                    return Ok(());
                }
                if polled_at.elapsed() >= FRESH {
                    break;
                }
                taken += u32::from(self.take(clients, action, job, done).await?);
            }
            // Whoever polls sees jobs that others are just taking; without progress they are better left alone.
            if taken == 0 {
                return Ok(());
            }
        }
    }

    /// Takes a job, if nobody else has, and hands it on.
    async fn take(&self, clients: &Clients, action: &Action, job: &Job, done: &mut Done) -> Result<bool, NotDone> {
        let (Some(id), Some(nonce)) = (job.id().and_then(JobId::parse), job.nonce()) else {
            tracing::error!("CodePipeline gave a job without id or nonce");
            return Ok(false);
        };
        let Some(handover) = reach(clients, &id, nonce, done).await else { return Ok(false) };
        let event = job_event(job.id(), job.account_id(), job.data());
        self.hand_on(clients, &action.function, (&id, event), handover, done).await?;
        Ok(true)
    }

    /// Hands a job on that is here, or fails it.
    pub(crate) async fn hand_on(
        &self,
        clients: &Clients,
        function: &str,
        (id, event): (&JobId, Value),
        handover: Handover<'_>,
        done: &mut Done,
    ) -> Result<(), NotDone> {
        let payload = Blob::new(event.to_string());
        let invoked = clients.lambda.invoke().function_name(function).invocation_type(InvocationType::Event);
        match invoked.payload(payload).send().await {
            Ok(_) => {
                tracing::info!(job_id = %id, function, "job handed on");
                done.handed_on += 1;
                handover.handed_on().await;
            }
            Err(error) => {
                let message = format!(
                    "failed to hand the job to {function}: {}; may the role of job-worker invoke it?",
                    error.failure_message()
                );
                let failure = Failure::new(kind_of(error.failure_kind()), message);
                tracing::error!(job_id = %id, answer = failure.message(), "the job is failed");
                self.lifecycle.fail_in_place(id, &failure, &clients.run, clients.until + MARGIN / 2).await?;
                done.failed += 1;
                handover.end().await;
            }
        }
        Ok(())
    }
}

/// Takes a job from CodePipeline; `None` where it is not here.
async fn reach<'a>(clients: &'a Clients, id: &'a JobId, nonce: &str, done: &mut Done) -> Option<Handover<'a>> {
    // From the moment that it is taken until a gate has it, nobody else would notice the end of this function.
    let begun = Handover::begin(clients.state.store(), (id, Some(nonce)), &clients.run, clients.left());
    let Some(mut handover) = begun.await else {
        tracing::info!(job_id = %id, "another worker has the job, or reaches for it");
        done.taken_by_others += 1;
        return None;
    };
    match acknowledge(clients, id, nonce).await {
        Taken::Here => {
            handover.taken().await;
            return Some(handover);
        }
        Taken::Spent(_) if handover.was_taken_here().await => {
            tracing::info!(job_id = %id, "the job is here: an attempt that was not answered has counted");
            return Some(handover);
        }
        Taken::Elsewhere => {
            tracing::info!(job_id = %id, "another worker has the job");
            done.taken_by_others += 1;
            handover.end().await;
        }
        Taken::No(detail) => {
            tracing::warn!(job_id = %id, detail, "the job could not be taken");
            handover.end().await;
        }
        // It may be here, and nobody will know. The lease stays: the next worker reaches in this one's place where the job
        // still waits, and job-guard finds out by the nonce where nobody does.
        Taken::Spent(detail) | Taken::Unknown(detail) => {
            tracing::error!(job_id = %id, detail, "it is not known who has taken the job");
        }
    }
    None
}

/// The action types with their versions, each of which a pipeline may use.
async fn versions(clients: &Clients, actions: &Actions) -> Result<Vec<Action>, NotDone> {
    let (mut all, every): (Vec<_>, Vec<_>) = actions.0.iter().cloned().partition(|action| action.version != "*");
    if every.is_empty() {
        return Ok(all);
    }
    let mut pages =
        clients.codepipeline.list_action_types().action_owner_filter(ActionOwner::Custom).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| NotDone::List { detail: error.failure_message() })?;
        for id in page.action_types().iter().filter_map(|found| found.id()) {
            let known = every
                .iter()
                .find(|action| action.provider == id.provider() && id.category().as_str() == action.category);
            all.extend(known.map(|action| Action { version: id.version().to_owned(), ..action.clone() }));
        }
    }
    Ok(all)
}

/// A function that is not there, or refuses, is the platform's to set right.
fn kind_of(kind: FailureKind) -> FailureKind {
    if kind == FailureKind::JobFailed { FailureKind::ConfigurationError } else { kind }
}

/// Who has a job.
enum Taken {
    Here,
    Elsewhere,
    /// Nobody, as far as this worker is concerned.
    No(String),
    /// The nonce is spent, and an attempt of this worker was not answered.
    Spent(String),
    /// An answer was lost.
    Unknown(String),
}

/// Takes a job by its nonce, which counts once. A call without an answer may have counted, so the next one is understood
/// in its light.
async fn acknowledge(clients: &Clients, job: &JobId, nonce: &str) -> Taken {
    let mut unanswered = None;
    for attempt in 1..=ATTEMPTS {
        let call = clients.codepipeline.acknowledge_job().job_id(job.as_str()).nonce(nonce);
        // The client's own attempts would hide an answer that was lost.
        let once = aws_sdk_codepipeline::config::Builder::new().retry_config(RetryConfig::disabled());
        let error = match call.customize().config_override(once).send().await {
            Ok(_) => return Taken::Here,
            Err(error) => error,
        };
        let detail = error.failure_message();
        // An answer that broke off says nothing either.
        let is_unanswered = error.code().is_none() || error.failure_kind() == FailureKind::SystemUnavailable;
        match error.code() {
            Some("InvalidNonceException") => return unanswered.map_or(Taken::Elsewhere, Taken::Spent),
            Some("JobNotFoundException") => return Taken::No(detail),
            _ if is_unanswered && attempt < ATTEMPTS => {
                unanswered = Some(detail);
                tokio::time::sleep(PAUSE * attempt).await;
            }
            _ if is_unanswered || unanswered.is_some() => return Taken::Unknown(detail),
            _ => return Taken::No(detail),
        }
    }
    Taken::No("it was not tried".to_owned())
}

/// When no further job is taken.
fn until(context: &Context) -> Instant {
    let end = SystemTime::UNIX_EPOCH + Duration::from_millis(context.deadline);
    let left = end.duration_since(SystemTime::now()).unwrap_or(TIME);
    Instant::now() + left.saturating_sub(MARGIN)
}
