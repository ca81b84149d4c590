//! The function: from an event to the answers of jobs and hooks.

use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};

use codepipeline_job::{Delivery, DeliveryError, JobId, Lifecycle};
use jiff::Timestamp;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use serde::Serialize;
use serde_json::Value;
use stagegate_codedeploy_hook::{self as codedeploy, Hook, HookLifecycle};
use stagegate_gate::{Lease, State};
use stagegate_state_store::{Key, StateError, StateStore};
use thiserror::Error;

use crate::death::Death;
use crate::event::{Event, UnknownEvent};
use crate::handed;
use crate::record::Record;
use crate::{sweep, unfinished};

/// What is left of the function's time when an answer must be there.
const MARGIN: Duration = Duration::from_secs(1);
/// How long an answer may take where no deadline says so.
const PATIENCE: Duration = Duration::from_secs(25);
/// How long an answer waits for a lease: for that of its own job, which only makes its text better, and for those of others.
pub(crate) const LOOK: Duration = Duration::from_millis(1500);
/// How long the removal of a lease may take. Its job is answered, and the others wait.
const FAREWELL: Duration = Duration::from_secs(3);

/// What is kept from one invocation to the next.
#[derive(Clone, Default)]
pub struct Guard {
    pub(crate) lifecycle: Lifecycle,
    hooks: HookLifecycle,
}

/// What an invocation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Jobs and hooks that were answered here.
    pub answered: u32,
    /// Jobs and hooks that had an answer.
    pub already_answered: u32,
    /// Leases that are left to somebody else: a gate at work, another worker, the next minute.
    pub in_progress: u32,
}

/// Jobs are left without an answer. AWS Lambda will try again. Reads after "failed to".
#[derive(Debug, Error)]
pub enum NotDone {
    /// The event is not known.
    #[error(transparent)]
    UnknownEvent(#[from] UnknownEvent),
    /// An answer was not delivered.
    #[error(transparent)]
    NotAnswered(#[from] DeliveryError),
    /// The answer of a hook was not delivered.
    #[error(transparent)]
    HookNotAnswered(#[from] codedeploy::DeliveryError),
    /// The leases could not be listed.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<NotDone> for Diagnostic {
    fn from(error: NotDone) -> Self {
        let error_type = match error {
            NotDone::UnknownEvent(_) => "JobGuard.UnknownEvent",
            NotDone::NotAnswered(_) | NotDone::HookNotAnswered(_) => "JobGuard.NotAnswered",
            NotDone::State(_) => "JobGuard.State",
        };
        Self { error_type: error_type.to_owned(), error_message: format!("failed to {error}") }
    }
}

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    let guard = Guard::default();
    stagegate_process::run(stagegate_process::serve(move |event: LambdaEvent<Value>| {
        let guard = guard.clone();
        async move { guard.handle(&event.payload, &event.context).await }
    }))
}

impl Guard {
    /// Handles one event.
    ///
    /// # Errors
    ///
    /// When it is not known, or a job that is known to be left behind has no answer yet.
    pub async fn handle(&self, event: &Value, context: &Context) -> Result<Done, NotDone> {
        let until = until(context);
        let done = match Event::read(event) {
            Ok(Event::Died(job, record)) => self.died(&job, *record, until).await,
            Ok(Event::HookDied(hook, record)) => self.hook_died(&hook, *record, until).await,
            Ok(Event::NoJob(keys, record)) => handed::died(self, &record, &keys, until).await,
            Ok(Event::Tick) => sweep::sweep(self, until).await,
            Err(error) => Err(error.into()),
        };
        done.inspect_err(|error| tracing::error!(request_id = context.request_id, "failed to {error}"))
    }

    async fn died(&self, job: &JobId, record: Record, until: Instant) -> Result<Done, NotDone> {
        let state = State::from_environment(&self.lifecycle.shared_config().await);
        let lease = match state.store() {
            Some(store) => look(store, job).await,
            None => None,
        };
        let death = Death::of(record, lease.as_ref(), Timestamp::now());
        let Some(store) = state.store() else {
            return Ok(Done::default().with(self.answer(job, &death, until).await?));
        };
        let key = Lease::key(job);
        let (delivery, ()) = tokio::join!(self.answer(job, &death, until), unfinished::note(store, &key, job, &death));
        let delivery = delivery?;
        forget(store, &key).await;
        Ok(Done::default().with(delivery))
    }

    /// Fails a lifecycle hook. CodeDeploy takes no text, so what happened is in the log only.
    async fn hook_died(&self, hook: &Hook, record: Record, until: Instant) -> Result<Done, NotDone> {
        let death = Death::of(record, None, Timestamp::now());
        let delivery = Box::pin(self.hooks.fail_in_place(hook, until)).await?;
        let (deployment, function) = (&hook.deployment_id, death.function.as_deref());
        let (failure, request_id) = (death.failure(), death.request_id.as_deref());
        Ok(match delivery {
            codedeploy::Delivery::AlreadyAnswered => {
                tracing::info!(deployment, request_id, function, cause = ?death.cause, "the hook has its answer");
                Done { already_answered: 1, ..Done::default() }
            }
            _ => {
                let reason = failure.message();
                tracing::error!(
                    deployment, request_id, function, cause = ?death.cause, reason,
                    "the job guard failed the hook of a function that died"
                );
                Done { answered: 1, ..Done::default() }
            }
        })
    }

    /// Answers a job, unless it has an answer.
    pub(crate) async fn answer(&self, job: &JobId, death: &Death, until: Instant) -> Result<Delivery, DeliveryError> {
        let failure = death.failure();
        let run = death.request_id.as_deref().unwrap_or_default();
        let delivery = Box::pin(self.lifecycle.fail_in_place(job, &failure, run, until)).await?;
        let function = death.function.as_deref();
        match delivery {
            Delivery::AlreadyAnswered => {
                tracing::info!(job_id = %job, request_id = run, function, cause = ?death.cause, "the job has its answer");
            }
            _ => tracing::error!(
                job_id = %job, request_id = run, function, cause = ?death.cause, answer = failure.message(),
                "the job guard answered the job of a function that died",
            ),
        }
        Ok(delivery)
    }
}

impl Done {
    pub(crate) fn with(mut self, delivery: Delivery) -> Self {
        match delivery {
            Delivery::AlreadyAnswered => self.already_answered += 1,
            _ => self.answered += 1,
        }
        self
    }
}

/// The lease of a job, if it can be had quickly.
async fn look(store: &StateStore, job: &JobId) -> Option<Lease> {
    match tokio::time::timeout(LOOK, store.get(&Lease::key(job))).await {
        Ok(Ok(lease)) => lease.map(|lease| lease.document),
        Ok(Err(error)) => {
            tracing::warn!(job_id = %job, reason = %error, "the lease of the job could not be read");
            None
        }
        Err(_) => {
            tracing::warn!(job_id = %job, "the lease of the job could not be read in time");
            None
        }
    }
}

/// Removes a lease that nobody needs any more. The next minute tries again where it fails.
pub(crate) async fn forget(store: &StateStore, lease: &Key<Lease>) {
    match tokio::time::timeout(FAREWELL, store.remove(lease)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%lease, reason = %error, "the lease of an answered job could not be removed");
        }
        Err(_) => tracing::warn!(%lease, "the lease of an answered job could not be removed in time"),
    }
}

/// When the last answer must be there.
fn until(context: &Context) -> Instant {
    let end = SystemTime::UNIX_EPOCH + Duration::from_millis(context.deadline);
    let left = end.duration_since(SystemTime::now()).unwrap_or(PATIENCE);
    Instant::now() + left.saturating_sub(MARGIN)
}
