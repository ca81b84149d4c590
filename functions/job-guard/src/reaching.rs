//! Jobs that a worker was reaching for when it died.
//!
//! Nobody knows whether its AcknowledgeJob has counted, and nothing that CodePipeline tells says so: GetJobDetails has no
//! state, and what PollForJobs does not give may only be with another worker. But a nonce counts once (AWS CodePipeline
//! guide, "Create a custom action"), and the worker has left it in the lease. So the guard calls AcknowledgeJob itself:
//! where the nonce is spent, the worker has had the job; where it is not, the guard has it now, and keeps it for the next
//! worker. It takes over the lease before, as a worker would, so that nobody else reaches for the job meanwhile.

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::error::ProvideErrorMetadata;
use aws_sdk_codepipeline::types::JobStatus;
use codepipeline_job::{FailureCause, JobId};
use jiff::{SignedDuration, Timestamp};
use stagegate_gate::{Handover, Lease};
use stagegate_state_store::{Key, Replaced, StateError, StateStore, Stored};

use crate::guard::forget;

/// How long AcknowledgeJob may take. A worker may reach in the guard's place ten seconds after it has taken over the lease,
/// for what it has polled in the last five.
const REACH: Duration = Duration::from_secs(2);
/// How long a job is kept. A worker comes each minute.
const KEPT: SignedDuration = SignedDuration::from_mins(3);

/// What became of a job.
#[derive(Debug)]
pub(crate) enum Settled {
    /// Whoever wrote the lease has had it. This is the lease as it stands now.
    Spent(Box<Lease>),
    /// It waits for the next worker.
    Waits,
    /// Somebody else is at it.
    Elsewhere,
    /// It could not be found out.
    Unknown,
}

/// Finds out who has the job of a lease, and keeps it for the next worker where nobody has.
pub(crate) async fn settle(
    sdk: &SdkConfig,
    store: &StateStore,
    (key, job): (&Key<Lease>, &JobId),
    left: &Lease,
) -> Settled {
    // A lease of an earlier version, or of a job that was kept already.
    let Some(nonce) = &left.nonce else { return Settled::Unknown };
    let claimed = match claim(store, key, left).await {
        Ok(Some(claimed)) => claimed,
        Ok(None) => return Settled::Elsewhere,
        Err(error) => {
            tracing::warn!(job_id = %job, reason = %error, "the lease of a job that a worker reached for could not be taken over");
            return Settled::Unknown;
        }
    };
    let call = Client::new(sdk).acknowledge_job().job_id(job.as_str()).nonce(nonce.expose()).send();
    let detail = match tokio::time::timeout(REACH, call).await {
        Ok(Ok(answer)) if answer.status() == Some(&JobStatus::InProgress) => {
            return keep(store, (key, job), claimed).await;
        }
        Ok(Ok(answer)) => format!("AcknowledgeJob has answered with the status {:?}", answer.status()),
        Ok(Err(error)) if error.code() == Some("InvalidNonceException") => return Settled::Spent(Box::new(claimed)),
        Ok(Err(error)) => error.failure_message(),
        Err(_) => "AcknowledgeJob was not answered in time".to_owned(),
    };
    tracing::warn!(job_id = %job, detail, "it could not be found out who has a job that a worker reached for");
    Settled::Unknown
}

/// Takes the place of a worker that died; `None` where somebody else has done so.
async fn claim(store: &StateStore, key: &Key<Lease>, left: &Lease) -> Result<Option<Lease>, StateError> {
    let Some(Stored { document, version }) = store.get(key).await? else { return Ok(None) };
    if document != *left {
        return Ok(None);
    }
    let claimed = Lease { started: Timestamp::now(), ..document };
    Ok(match store.replace(key, &version, &claimed).await? {
        Replaced::Now(_) => Some(claimed),
        Replaced::Changed(_) => None,
    })
}

/// Keeps a job that is the guard's now. Where that fails, the lease that says nothing of it stays, and the nonce is spent.
async fn keep(store: &StateStore, (key, job): (&Key<Lease>, &JobId), claimed: Lease) -> Settled {
    let deadline = claimed.started.checked_add(KEPT).unwrap_or(claimed.deadline);
    let kept = Lease { handover: Some(Handover::Kept), nonce: None, deadline, ..claimed };
    if let Err(error) = store.create(&Lease::kept_key(job), &kept).await {
        tracing::error!(job_id = %job, reason = %error, "a job that waited could not be kept for the next worker; the sweep fails it");
        return Settled::Unknown;
    }
    tracing::info!(job_id = %job, "a worker died before it had the job, which is kept for the next one");
    forget(store, key).await;
    Settled::Waits
}
