//! The lease of a job on its way from CodePipeline to a gate.
//!
//! A worker creates it before it reaches for the job, and leaves a job alone whose lease is another's. So of the workers
//! that have a lease one reaches for a job, and where CodePipeline says that the nonce is spent, after an attempt of its
//! own that was not answered, it was that attempt that counted. `job-guard` finds in it what a worker that died had.
//!
//! A worker whose lease cannot be written takes jobs all the same: the nonce counts once in any case.

use std::time::Duration;

use codepipeline_job::JobId;
use jiff::{SignedDuration, Timestamp};
use stagegate_gate::{Handover as Phase, Lease};
use stagegate_state_store::{Created, Key, Patience, Replaced, StateError, StateStore, Version};
use tokio::time::Instant;

/// How long S3 is waited for. A job can be handed on without it.
pub(crate) const PATIENCE: Patience =
    Patience { answer_within: Duration::from_secs(2), give_up_after: Duration::from_secs(5), attempts: 5 };
/// How long a worker reaches for a job. Whoever is at it longer is dead, and the next one may reach in its place.
const REACH: SignedDuration = SignedDuration::from_secs(10);
/// How long a lease can be removed without looking, because nobody can have reached in this worker's place.
const OWN: Duration = Duration::from_secs(5);
/// How long the lease of a job is kept that a gate has: longer than a worker takes jobs that it has polled before.
const KEPT: SignedDuration = SignedDuration::from_secs(10);

/// The lease of a job, in the hands of a worker.
pub(crate) struct Handover<'a> {
    store: Option<&'a StateStore>,
    job: &'a JobId,
    key: Key<Lease>,
    lease: Option<Lease>,
    hold: Hold,
    begun: Instant,
}

/// Whose the lease is.
enum Hold {
    /// This worker's, by this write.
    Ours {
        version: Version,
        /// Whether no other worker has reached for the job before, as far as leases tell.
        is_first: bool,
    },
    /// It may be this worker's.
    Unknown,
    /// There is none, or it is another's.
    None,
}

impl<'a> Handover<'a> {
    /// Begins to reach for a job, with its nonce where it is still to be taken from CodePipeline. `run` is this worker's
    /// request id, and `time` what it has left. `None` where the job is another worker's.
    pub(crate) async fn begin(
        store: Option<&'a StateStore>,
        (job, nonce): (&'a JobId, Option<&str>),
        run: &str,
        time: Duration,
    ) -> Option<Self> {
        let (key, lease) = (Lease::handover_key(job), Lease::handover(run, nonce, time));
        let begun = Instant::now();
        let hold = match store.zip(lease.as_ref()) {
            None => Hold::None,
            Some((store, lease)) => match write(store, &key, lease).await {
                Ok(Some(hold)) => hold,
                Ok(None) => return None,
                Err(error) => {
                    tracing::warn!(job_id = %job, reason = %error, "the job has no lease while it is handed on");
                    if error.may_have_been_written() { Hold::Unknown } else { Hold::None }
                }
            },
        };
        Some(Self { store, job, key, lease, hold, begun })
    }

    /// Notes that the job is this worker's. `false` where that may not stand in the lease.
    pub(crate) async fn taken(&mut self) -> bool {
        self.note(Phase::Taken).await
    }

    /// Whether it was this worker that took the job, when its nonce is spent and one of its attempts was not answered.
    pub(crate) async fn was_taken_here(&mut self) -> bool {
        // Who reaches in the place of another cannot know whether a call of the other one has counted after all.
        matches!(self.hold, Hold::Ours { is_first: true, .. }) && self.note(Phase::Taken).await
    }

    /// Notes that a gate has the job. The lease stays for a while: a worker that has polled before may still reach for
    /// the job, and is not to think that it has it.
    pub(crate) async fn handed_on(mut self) {
        if !self.note(Phase::HandedOn).await {
            self.end().await;
        }
    }

    /// Ends it, because the job is not this worker's.
    pub(crate) async fn end(self) {
        let is_taken = self.lease.as_ref().is_some_and(|lease| lease.handover == Some(Phase::Taken));
        let may_be_own = !matches!(self.hold, Hold::None);
        if let Some(store) = self.store.filter(|_| may_be_own && (is_taken || self.begun.elapsed() < OWN))
            && let Err(error) = store.remove(&self.key).await
        {
            tracing::warn!(job_id = %self.job, reason = %error, "the lease of a job is left that is not on its way");
        }
    }

    /// Writes how far the job has come. `false` where that may not stand in the lease.
    async fn note(&mut self, phase: Phase) -> bool {
        let (Some(store), Some(lease)) = (self.store, &mut self.lease) else { return false };
        let Hold::Ours { version, is_first } = &self.hold else { return false };
        let mut noted = Lease { handover: Some(phase), nonce: None, ..lease.clone() };
        if phase == Phase::HandedOn {
            noted.deadline = Timestamp::now().checked_add(KEPT).unwrap_or(noted.deadline);
        }
        self.hold = match store.replace(&self.key, version, &noted).await {
            Ok(Replaced::Now(version)) => {
                *lease = noted;
                Hold::Ours { version, is_first: *is_first }
            }
            Ok(Replaced::Changed(_)) => {
                tracing::warn!(job_id = %self.job, "another worker has reached for the job in the meantime");
                Hold::None
            }
            Err(error) => {
                tracing::warn!(job_id = %self.job, reason = %error, ?phase, "the lease of the job does not say how far it is");
                Hold::Unknown
            }
        };
        matches!(self.hold, Hold::Ours { .. })
    }
}

/// Creates the lease, or takes the place of a worker that died when it reached for the job. `None` where it is another's.
async fn write(store: &StateStore, key: &Key<Lease>, lease: &Lease) -> Result<Option<Hold>, StateError> {
    let other = match store.create(key, lease).await? {
        Created::Now(version) => return Ok(Some(Hold::Ours { version, is_first: true })),
        Created::AlreadyExists(other) => other,
    };
    if !is_given_up(&other.document, Timestamp::now()) {
        return Ok(None);
    }
    Ok(match store.replace(key, &other.version, lease).await? {
        Replaced::Now(version) => Some(Hold::Ours { version, is_first: false }),
        Replaced::Changed(_) => None,
    })
}

/// Whether a worker reaches for a job no longer, and has not taken it as far as it knew.
fn is_given_up(lease: &Lease, now: Timestamp) -> bool {
    lease.handover == Some(Phase::Reaching) && now.duration_since(lease.started) > REACH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_reaches_for_long_gives_a_job_up() {
        let started: Timestamp = "2026-03-04T10:00:00Z".parse().expect("a time");
        for (handover, seconds, expected) in [
            (Some(Phase::Reaching), 10, false),
            (Some(Phase::Reaching), 11, true),
            // By another clock.
            (Some(Phase::Reaching), -3, false),
            (Some(Phase::Taken), 999, false),
            (Some(Phase::HandedOn), 999, false),
            (None, 999, false),
        ] {
            let lease = Lease {
                function: "stagegate-job-worker".to_owned(),
                request_id: "r-1".to_owned(),
                started,
                deadline: started + SignedDuration::from_secs(60),
                memory_mb: None,
                execution: Default::default(),
                handover,
                nonce: None,
                end: None,
            };
            let now = started + SignedDuration::from_secs(seconds);
            assert_eq!(is_given_up(&lease, now), expected, "{handover:?} after {seconds} s");
        }
    }
}
