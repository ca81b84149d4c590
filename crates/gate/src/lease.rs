//! A lease for each job that is being worked on, from which `job-guard` learns of a function that died unnoticed.
//!
//! It is written and removed by a thread of its own, which the work never waits for, and only once a job has run for a
//! moment: most jobs are answered sooner and cost no request. Whatever fails here never fails a job.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use codepipeline_job::{Attendance, Attendant, FailureKind, JobId, StartedJob};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use stagegate_config::UserParameters;
use stagegate_state_store::{Document, Folder, Key, Patience, StateError};
use stagegate_verdict::Execution;
use tokio::sync::oneshot;

use crate::{State, execution};

/// How long a job runs without a lease. The record that AWS Lambda makes of a function's end needs none.
const MOMENT: Duration = Duration::from_millis(200);
/// How long an invocation, whose job is answered, waits for its lease to be removed. `job-guard` removes what is left.
const FAREWELL: Duration = Duration::from_secs(3);
const PATIENCE: Patience =
    Patience { answer_within: Duration::from_secs(2), give_up_after: Duration::from_secs(5), attempts: 5 };
const FOLDER: &str = "jobs";
const HANDOVERS: &str = "handovers";
const KEPT: &str = "kept";

/// Who works on a job, and until when. It holds nothing that is secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The name of the function.
    pub function: String,
    /// The Lambda request id of the invocation.
    pub request_id: String,
    /// When the invocation began, by the function's own clock.
    pub started: Timestamp,
    /// When AWS Lambda ends it, whatever it is doing.
    pub deadline: Timestamp,
    /// The function's `MemorySize`.
    pub memory_mb: Option<u32>,
    /// The pipeline execution, as far as the job tells.
    pub execution: Execution,
    /// How far the job has come on its way to a gate; nothing where a gate works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// What the worker reaches for the job with. It is in the lease until the job is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<Nonce>,
    /// How the function ended, where `job-guard` knows it and may not have answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// How a function ended, as the answer of its job says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The kind of the failure.
    pub kind: FailureKind,
    /// Its message.
    pub message: String,
}

/// The number with which a job can be taken once, by whoever may call AcknowledgeJob. It opens nothing, and is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nonce(String);

impl Nonce {
    /// The nonce that PollForJobs gave.
    pub fn new(nonce: &str) -> Self {
        Self(nonce.to_owned())
    }

    /// The text for AcknowledgeJob.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Nonce(..)")
    }
}

/// How far a worker has come with a job that it hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// It reaches for the job, and it is not known whether CodePipeline has given it.
    Reaching,
    /// It has the job. The gate may have been invoked already.
    Taken,
    /// It has invoked the gate: the job is no longer the worker's.
    HandedOn,
    /// The worker died without it, and `job-guard` has taken it for the next one.
    Kept,
}

impl Document for Lease {
    const KIND: &'static str = "lease";
    const VERSION: u32 = 1;
    const MAX_BYTES: usize = 16 * 1024;
}

impl Lease {
    /// Where the lease of a job is: `jobs/<job id>.json`.
    pub fn key(job: &JobId) -> Key<Self> {
        Key::new(&[FOLDER, job.as_str()])
    }

    /// Where all leases are.
    pub fn folder() -> Folder<Self> {
        Folder::new(&[FOLDER])
    }

    /// The lease of a job that a worker reaches for. `run` is the worker's request id, and `time` what it has left. `None`
    /// outside of AWS Lambda.
    pub fn handover(run: &str, nonce: Option<&str>, time: Duration) -> Option<Self> {
        let now = Timestamp::now();
        Some(Self {
            function: variable("AWS_LAMBDA_FUNCTION_NAME")?,
            request_id: run.to_owned(),
            started: now,
            deadline: now.checked_add(SignedDuration::try_from(time).ok()?).ok()?,
            memory_mb: memory(),
            execution: Execution::default(),
            handover: Some(Handover::Reaching),
            nonce: nonce.map(Nonce::new),
            end: None,
        })
    }

    /// Where such a lease is: `handovers/<job id>.json`. There is one for all workers, so that whoever creates it is the
    /// one that may take the job.
    pub fn handover_key(job: &JobId) -> Key<Self> {
        Key::new(&[HANDOVERS, job.as_str()])
    }

    /// Where all leases of handed over jobs are.
    pub fn handovers() -> Folder<Self> {
        Folder::new(&[HANDOVERS])
    }

    /// Where the lease of a job is that was taken for the next worker: `kept/<job id>.json`.
    pub fn kept_key(job: &JobId) -> Key<Self> {
        Key::new(&[KEPT, job.as_str()])
    }

    /// Where all leases of jobs are that wait for the next worker.
    pub fn kept() -> Folder<Self> {
        Folder::new(&[KEPT])
    }

    /// The job of a lease that was listed. Earlier versions put the worker behind the job, with a dot between them.
    pub fn job_of(key: &Key<Self>) -> Option<JobId> {
        let name = key.name()?;
        JobId::parse(name.split_once('.').map_or(name, |(job, _)| job))
    }

    fn of(started: &StartedJob<'_>) -> Option<Self> {
        let now = Timestamp::now();
        let time = SignedDuration::try_from(started.time()?).ok()?;
        let parameters = |job: &codepipeline_job::Job| UserParameters::parse(job.user_parameters()).unwrap_or_default();
        Some(Self {
            function: variable("AWS_LAMBDA_FUNCTION_NAME")?,
            request_id: started.request_id().to_owned(),
            started: now,
            deadline: now.checked_add(time).ok()?,
            memory_mb: memory(),
            execution: started.job().map(|job| execution(&job, &parameters(&job))).unwrap_or_default(),
            handover: None,
            nonce: None,
            end: None,
        })
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The function's `MemorySize`.
fn memory() -> Option<u32> {
    variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").and_then(|size| size.parse().ok())
}

/// Gives each job of the process its lease, where the function has a state bucket.
pub(crate) struct Leases;

impl Attendant for Leases {
    fn started(&self, job: &StartedJob<'_>) -> Option<Box<dyn Attendance>> {
        if !State::is_configured() {
            return None;
        }
        let (lease, key) = (Lease::of(job)?, Lease::key(job.id()));
        let config = job.separate_config();
        let (answered, signals) = mpsc::channel();
        let (ended, end) = oneshot::channel();
        let is_settled = Arc::new(AtomicBool::new(false));
        let settled = Arc::clone(&is_settled);
        let keep = move || {
            // The work has the other threads; this one has all the time until the job is answered.
            match signals.recv_timeout(MOMENT) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
            }
            // From here on the answer waits for this thread, unless it came first.
            if settled.swap(true, Ordering::SeqCst) {
                return;
            }
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let state = runtime.block_on(async { State::from_environment(&config.await) }).with_patience(PATIENCE);
            let Some(store) = state.store() else { return };
            log(runtime.block_on(store.create(&key, &lease)).map(drop));
            if signals.recv().is_ok() {
                log(runtime.block_on(store.remove(&key)));
            }
            runtime.shutdown_background();
            drop(ended);
        };
        match std::thread::Builder::new().name("lease".to_owned()).spawn(keep) {
            Ok(_) => Some(Box::new(Kept { answered, is_settled, end })),
            Err(error) => {
                tracing::warn!(%error, "the job has no lease: no thread could be started");
                None
            }
        }
    }
}

fn log(done: Result<(), StateError>) {
    if let Err(error) = done {
        let reason = error.to_string();
        tracing::warn!(reason, "the lease of the job is not as it should be");
    }
}

struct Kept {
    answered: mpsc::Sender<()>,
    /// Whether it is settled that there is a lease, or that there will be none.
    is_settled: Arc<AtomicBool>,
    /// Ends with the thread.
    end: oneshot::Receiver<()>,
}

impl Attendance for Kept {
    fn answered(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        // A thread that has ended has nothing to remove.
        self.answered.send(()).ok();
        if !self.is_settled.swap(true, Ordering::SeqCst) {
            return Box::pin(std::future::ready(()));
        }
        Box::pin(async move {
            if tokio::time::timeout(FAREWELL, self.end).await.is_err() {
                tracing::warn!("the lease of the job was not removed in time");
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_lies_where_it_is_documented() {
        let job = JobId::parse("11111111-2222-4333-8444-555555555555").expect("an id");
        assert_eq!(Lease::key(&job).as_str(), "jobs/11111111-2222-4333-8444-555555555555.json");
        assert_eq!(Lease::folder().as_str(), "jobs/");
        let key = Lease::handover_key(&job);
        assert_eq!(key.as_str(), "handovers/11111111-2222-4333-8444-555555555555.json");
        let former = Key::new(&[HANDOVERS, &format!("{job}.a2e87b45")]);
        let kept = Lease::kept_key(&job);
        assert_eq!(kept.as_str(), "kept/11111111-2222-4333-8444-555555555555.json");
        for key in [key, former, kept, Lease::key(&job)] {
            assert_eq!(Lease::job_of(&key).as_ref(), Some(&job), "{key}");
        }
    }

    #[tokio::test]
    async fn an_answer_waits_only_for_a_lease_that_there_may_be() {
        for (settled_before, expected) in [(false, true), (true, false)] {
            let (answered, signals) = mpsc::channel();
            let (_ended, end) = oneshot::channel();
            let is_settled = Arc::new(AtomicBool::new(settled_before));
            let kept = Box::new(Kept { answered, is_settled: Arc::clone(&is_settled), end });
            let returned = tokio::select! {
                biased;
                () = kept.answered() => true,
                () = std::future::ready(()) => false,
            };
            assert_eq!(returned, expected);
            assert!(signals.try_recv().is_ok() && is_settled.load(Ordering::SeqCst), "no lease may begin from here on");
        }
    }

    #[test]
    fn leases_of_earlier_versions_are_read() {
        let earlier = serde_json::json!({
            "function": "stagegate-job-worker", "request_id": "r-1", "started": "2026-03-04T10:00:00Z",
            "deadline": "2026-03-04T10:01:00Z", "memory_mb": null, "execution": Execution::default(),
        });
        let mut read: Lease = serde_json::from_value(earlier.clone()).expect("a lease");
        assert_eq!((read.handover, &read.nonce), (None, &None));
        assert_eq!(serde_json::to_value(&read).expect("a lease"), earlier);
        for (handover, name) in [
            (Handover::Reaching, "reaching"),
            (Handover::Taken, "taken"),
            (Handover::HandedOn, "handed_on"),
            (Handover::Kept, "kept"),
        ] {
            read.handover = Some(handover);
            assert_eq!(serde_json::to_value(&read).expect("a lease")["handover"], name);
        }
    }
    #[test]
    fn a_nonce_is_kept_and_not_shown() {
        let lease = Lease {
            function: "stagegate-job-worker".to_owned(),
            request_id: "r-1".to_owned(),
            started: Timestamp::UNIX_EPOCH,
            deadline: Timestamp::UNIX_EPOCH,
            memory_mb: None,
            execution: Execution::default(),
            handover: Some(Handover::Reaching),
            nonce: Some(Nonce::new("canary")),
            end: None,
        };
        assert!(!format!("{lease:?}").contains("canary"), "{lease:?}");
        let written = serde_json::to_value(&lease).expect("a lease");
        assert_eq!(written["nonce"], "canary");
        assert_eq!(serde_json::from_value::<Lease>(written).expect("a lease"), lease);
    }
}
