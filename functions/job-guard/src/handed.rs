//! The jobs that a worker had when it died: taken from CodePipeline, and not yet with a gate.
//!
//! AWS Lambda's record names the worker's invocation and no job, and the leases say which jobs that invocation had. Of a job
//! that the worker was reaching for, `reaching` finds out whether it got it: where it did not, the next worker takes the
//! job. Of a job that it had, nobody knows whether the gate was invoked: a gate that was has a moment to show itself by a
//! lease of its own.

use std::time::{Duration, Instant};

use codepipeline_job::JobId;
use jiff::Timestamp;
use stagegate_gate::{Handover, Lease, State};
use stagegate_state_store::{Key, StateError, StateStore};
use tokio::task::JoinSet;

use crate::death::Death;
use crate::guard::{Done, Guard, LOOK, NotDone, forget};
use crate::reaching::{self, Settled};
use crate::record::Record;
use crate::sweep::{MOST, conclude};

/// How long a gate has to start and to show itself. Its own lease comes after 200 ms.
const MOMENT: Duration = Duration::from_secs(2);

/// How many leases are read at the same time: all together have a part of the five seconds.
const AT_ONCE: usize = 16;

/// A job that the worker had, or was reaching for.
struct Found {
    job: JobId,
    key: Key<Lease>,
    /// As the worker left it.
    left: Lease,
    /// As it stands.
    lease: Lease,
}

/// Answers the jobs that were taken by the invocation of the record. Whatever fails with leases is left to the sweep.
pub(crate) async fn died(guard: &Guard, record: &Record, keys: &str, until: Instant) -> Result<Done, NotDone> {
    let now = Timestamp::now();
    let (run, function) = (record.request_id.as_deref(), record.function.as_deref());
    let state = State::from_environment(&guard.lifecycle.shared_config().await);
    let found = match (run, state.store()) {
        (Some(run), Some(store)) => find(store, run).await.unwrap_or_else(|error| {
            tracing::error!(
                request_id = run, function, reason = %error,
                "the jobs of a function that died could not be looked for; what it had is left to the next sweep"
            );
            Vec::new()
        }),
        _ => Vec::new(),
    };
    if found.is_empty() {
        tracing::warn!(
            request_id = run,
            function,
            keys,
            "a function died that was working on neither a job nor a hook, and had no job that it was to hand on"
        );
    }
    let Some(store) = state.store() else { return Ok(Done::default()) };
    let (mut done, had) = settle(guard, store, found).await;
    if had.is_empty() {
        return Ok(done);
    }
    tokio::time::sleep(MOMENT).await;
    let mut failed = None;
    for Found { job, key, left, lease } in &had {
        if !is_still_taken(store, job, key, lease).await {
            done.in_progress += 1;
            continue;
        }
        let death = Death::of(record.clone(), Some(left), now);
        match conclude(guard, store, (key, job), &death, until).await {
            Ok(Some(delivery)) => done = done.with(delivery),
            Ok(None) => {}
            // The other jobs wait as well.
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(done), Err)
}

/// The jobs that this invocation had taken or was reaching for.
async fn find(store: &StateStore, run: &str) -> Result<Vec<Found>, StateError> {
    let mut found = Vec::new();
    let mut keys = store.list(&Lease::handovers(), MOST).await?.into_iter();
    let mut reading: JoinSet<_> = keys.by_ref().take(AT_ONCE).map(|key| read(store.clone(), key)).collect();
    while let Some(read_one) = reading.join_next().await {
        if let Some(key) = keys.next() {
            reading.spawn(read(store.clone(), key));
        }
        let Ok(Some((key, lease))) = read_one else { continue };
        let Some(job) = Lease::job_of(&key).filter(|_| lease.request_id == run) else { continue };
        if lease.handover != Some(Handover::HandedOn) {
            found.push(Found { job, key, left: lease.clone(), lease });
        }
    }
    Ok(found)
}

/// The jobs that the worker had, and how many others are left to somebody else.
async fn settle(guard: &Guard, store: &StateStore, found: Vec<Found>) -> (Done, Vec<Found>) {
    let (mut done, mut had) = (Done::default(), Vec::new());
    let sdk = guard.lifecycle.shared_config().await;
    for mut one in found {
        if one.lease.handover != Some(Handover::Taken) {
            let settled = reaching::settle(&sdk, store, (&one.key, &one.job), &one.left).await;
            let Settled::Spent(lease) = settled else {
                done.in_progress += 1;
                continue;
            };
            one.lease = *lease;
        }
        had.push(one);
    }
    (done, had)
}

/// A lease that was listed; `None` where it was removed since, or cannot be read.
async fn read(store: StateStore, key: Key<Lease>) -> Option<(Key<Lease>, Lease)> {
    match tokio::time::timeout(LOOK, store.get(&key)).await {
        Ok(Ok(lease)) => lease.map(|lease| (key, lease.document)),
        // The sweep tells of it, and the other jobs wait.
        Ok(Err(_)) | Err(_) => {
            tracing::warn!(lease = %key, "a lease cannot be read now; it is left to the next sweep");
            None
        }
    }
}

/// Whether nobody else has shown to have the job: no gate by its lease, and the worker by no last write that was on its way.
async fn is_still_taken(store: &StateStore, job: &JobId, key: &Key<Lease>, lease: &Lease) -> bool {
    let look = async {
        let is_unchanged = store.get(key).await?.is_some_and(|now| now.document == *lease);
        Ok::<_, StateError>((is_unchanged, store.get(&Lease::key(job)).await?.is_some()))
    };
    match look.await {
        Ok((is_unchanged, false)) => is_unchanged,
        Ok((_, true)) => {
            tracing::info!(job_id = %job, "the worker died, and a gate works on the job");
            forget(store, key).await;
            false
        }
        Err(error) => {
            tracing::warn!(job_id = %job, reason = %error, "it is not known who has the job; it is left to the next sweep");
            false
        }
    }
}
