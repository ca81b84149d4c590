//! Jobs that `job-guard` has taken from CodePipeline, because a worker died that was reaching for them.
//!
//! CodePipeline gives such a job to nobody any more: its lease below `kept/` is the only way to it.

use aws_sdk_codepipeline::types::{ActionTypeId, JobData};
use codepipeline_job::{FailureCause, JobId};
use stagegate_gate::{Handover as Phase, Lease};
use stagegate_state_store::{Key, StateStore};

use crate::action::Actions;
use crate::event::job_event;
use crate::handover::Handover;
use crate::worker::{Clients, Done, NotDone, Worker};

/// The most leases that are looked at.
const MOST: usize = 1000;

/// Hands the jobs on that are kept. What cannot be found out now is left to the next minute, and at last to `job-guard`.
pub(crate) async fn take_all(
    worker: &Worker,
    clients: &Clients,
    actions: &Actions,
    done: &mut Done,
) -> Result<(), NotDone> {
    let Some(store) = clients.state.store() else { return Ok(()) };
    let keys = store.list(&Lease::kept(), MOST).await.unwrap_or_else(|error| {
        tracing::warn!(reason = %error, "it is not known which jobs are kept for this worker; they wait for the next minute");
        Vec::new()
    });
    for key in &keys {
        if clients.time_is_over() {
            return Ok(());
        }
        let Some(job) = Lease::job_of(key) else { continue };
        let begun = Handover::begin(Some(store), (&job, None), &clients.run, clients.left());
        let Some(handover) = begun.await else {
            done.taken_by_others += 1;
            continue;
        };
        take(worker, clients, actions, (store, key, &job), handover, done).await?;
    }
    Ok(())
}

/// Hands a job on, if it is still kept.
async fn take(
    worker: &Worker,
    clients: &Clients,
    actions: &Actions,
    (store, key, job): (&StateStore, &Key<Lease>, &JobId),
    mut handover: Handover<'_>,
    done: &mut Done,
) -> Result<(), NotDone> {
    let found = if is_kept(store, key).await { details(clients, actions, job).await } else { None };
    let Some((function, account, data)) = found else {
        handover.end().await;
        return Ok(());
    };
    // Only the lease tells that no other worker has the job: there is no nonce that would count once.
    if !handover.taken().await {
        handover.end().await;
        return Ok(());
    }
    if let Err(error) = store.remove(key).await {
        // It may be gone all the same, so this worker's lease stays, by which job-guard answers.
        tracing::error!(job_id = %job, reason = %error, "the job is not handed on: it may be kept for others as well");
        return Ok(());
    }
    let event = job_event(Some(job.as_str()), account.as_deref(), Some(&data));
    worker.hand_on(clients, &function, (job, event), handover, done).await
}

/// Whether no other worker has come first since the leases were listed.
async fn is_kept(store: &StateStore, key: &Key<Lease>) -> bool {
    match store.get(key).await {
        Ok(lease) => lease.is_some_and(|lease| lease.document.handover == Some(Phase::Kept)),
        Err(error) => {
            tracing::warn!(lease = %key, reason = %error, "a job that is kept cannot be looked at now");
            false
        }
    }
}

/// The function for a job, its account and its data.
async fn details(clients: &Clients, actions: &Actions, job: &JobId) -> Option<(String, Option<String>, JobData)> {
    let details = match clients.codepipeline.get_job_details().job_id(job.as_str()).send().await {
        Ok(output) => output.job_details?,
        Err(error) => {
            let detail = error.failure_message();
            tracing::warn!(job_id = %job, detail, "CodePipeline does not give the job that is kept");
            return None;
        }
    };
    let data = details.data?;
    let id: &ActionTypeId = data.action_type_id()?;
    let Some(function) = actions.function_of(id) else {
        tracing::error!(job_id = %job, provider = id.provider(), "a job is kept whose action type has no function here");
        return None;
    };
    Some((function.to_owned(), details.account_id, data))
}
