//! Looks through the leases for a job whose function died unnoticed.

use std::time::Instant;

use codepipeline_job::{Delivery, DeliveryError, JobId};
use jiff::{SignedDuration, Timestamp};
use stagegate_gate::{Handover, Lease, State};
use stagegate_state_store::{ErrorKind, Key, StateStore};

use crate::death::Death;
use crate::guard::{Done, Guard, NotDone, forget};
use crate::reaching::{self, Settled};

/// How long after its deadline a function counts as dead. AWS Lambda's record comes within seconds, and knows more.
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// The most leases that are looked at.
pub(crate) const MOST: usize = 20_000;

/// Answers the jobs whose time is over, and removes their leases.
pub(crate) async fn sweep(guard: &Guard, until: Instant) -> Result<Done, NotDone> {
    let state = State::from_environment(&guard.lifecycle.shared_config().await);
    let Some(store) = state.store() else {
        tracing::warn!("there is no state bucket, so there are no leases to look through");
        return Ok(Done::default());
    };
    let mut done = Done::default();
    let mut failed = None;
    let mut keys = store.list(&Lease::folder(), MOST).await?;
    keys.extend(store.list(&Lease::handovers(), MOST).await?);
    keys.extend(store.list(&Lease::kept(), MOST).await?);
    for key in keys {
        if Instant::now() >= until {
            tracing::warn!("the time is over; the leases that are left wait for the next minute");
            break;
        }
        match look_at(guard, store, &key, until).await {
            Ok(Some(delivery)) => done = done.with(delivery),
            Ok(None) => done.in_progress += 1,
            // The other jobs wait as well.
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(done), Err)
}

/// Answers the job of a lease where its time is over.
async fn look_at(
    guard: &Guard,
    store: &StateStore,
    key: &Key<Lease>,
    until: Instant,
) -> Result<Option<Delivery>, NotDone> {
    let lease = match store.get(key).await {
        // It was removed since it was listed.
        Ok(None) => return Ok(None),
        Ok(Some(lease)) => lease.document,
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            tracing::error!(reason = %error, "a lease cannot be read; it expires by the bucket's lifecycle rule");
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let job = Lease::job_of(key);
    let Some(job) = job.filter(|_| is_over(&lease, Timestamp::now())) else { return Ok(None) };
    let is_with_gate = *key != Lease::key(&job)
        && (lease.handover == Some(Handover::HandedOn) || matches!(store.get(&Lease::key(&job)).await, Ok(Some(_))));
    if is_with_gate {
        // A gate has got the job, whose own lease counts now.
        forget(store, key).await;
        return Ok(None);
    }
    if lease.handover == Some(Handover::Reaching) {
        match reaching::settle(&guard.lifecycle.shared_config().await, store, (key, &job), &lease).await {
            Settled::Spent(_) | Settled::Unknown => {}
            Settled::Waits | Settled::Elsewhere => return Ok(None),
        }
    }
    conclude(guard, store, (key, &job), &Death::silent(&lease), until).await
}

/// Answers the job of a lease, and removes the lease.
pub(crate) async fn conclude(
    guard: &Guard,
    store: &StateStore,
    (key, job): (&Key<Lease>, &JobId),
    death: &Death,
    until: Instant,
) -> Result<Option<Delivery>, NotDone> {
    match guard.answer(job, death, until).await {
        Ok(delivery) => {
            forget(store, key).await;
            Ok(Some(delivery))
        }
        Err(error @ DeliveryError::Refused { .. }) => {
            // CodePipeline does not know the job, and will not know it in a minute.
            tracing::error!("failed to {error}; its lease is removed");
            forget(store, key).await;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn is_over(lease: &Lease, now: Timestamp) -> bool {
    // A lease that only tells other workers that a gate has the job needs no grace: nobody is answered by it.
    let grace = if lease.handover == Some(Handover::HandedOn) { SignedDuration::ZERO } else { GRACE };
    now.duration_since(lease.deadline) > grace
}
