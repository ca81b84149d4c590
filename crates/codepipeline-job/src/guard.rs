//! The deadline guard: answers when the handler does not.
//!
//! A handler that computes or sleeps without awaiting holds the thread, and with it every timer and connection of its
//! runtime. The guard is therefore a thread of the operating system. It waits on nothing but a channel, and makes a
//! runtime, a configuration and connections of its own only when it has to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::aws::Aws;
use crate::delivery::{self, Delivery, DeliveryError};
use crate::event::JobId;
use crate::failure::{Failure, FailureKind};
use crate::request::Request;
use crate::time::Schedule;

/// What the guard needs to answer.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) job: JobId,
    /// Names the run: the Lambda request id.
    pub(crate) run: String,
    pub(crate) schedule: Schedule,
    pub(crate) aws: Aws,
}

pub(crate) struct Guard {
    to_guard: mpsc::Sender<Signal>,
    /// True when an answer is on its way and CodePipeline has not confirmed it.
    answering: Arc<AtomicBool>,
    taken_over: oneshot::Receiver<()>,
    result: oneshot::Receiver<Result<Delivery, DeliveryError>>,
    thread: JoinHandle<()>,
}

enum Signal {
    Settled,
    Abandoned,
}

#[derive(Clone, Copy)]
enum Reason {
    Deadline,
    Abandoned,
}

impl Guard {
    /// Starts the guard.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(crate) fn start(watched: Watched) -> std::io::Result<Self> {
        let (to_guard, signals) = mpsc::channel();
        let (take_over, taken_over) = oneshot::channel();
        let (report, result) = oneshot::channel();
        let answering = Arc::new(AtomicBool::new(false));
        let answer_on_its_way = Arc::clone(&answering);
        let thread = std::thread::Builder::new().name("deadline-guard".to_owned()).spawn(move || {
            let Some(reason) = wait(&signals, watched.schedule.answer_by) else { return };
            // Nobody listens when the handler's side is gone, which is one of the reasons to be here.
            take_over.send(()).ok();
            let failure = failure_for(reason, answer_on_its_way.load(Ordering::SeqCst), &watched.schedule);
            drop(report.send(answer(&watched, &failure)));
        })?;
        Ok(Self { to_guard, answering, taken_over, result, thread })
    }

    /// Tells the guard that an answer is on its way.
    pub(crate) fn answering(&self) {
        self.answering.store(true, Ordering::SeqCst);
    }

    /// Waits until the guard has taken over the answer, for ever when it never does.
    pub(crate) async fn taken_over(&mut self) {
        if (&mut self.taken_over).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What became of the guard's answer, after it has taken over.
    pub(crate) async fn result(self, job: &JobId) -> Result<Delivery, DeliveryError> {
        self.result.await.unwrap_or_else(|_| Err(DeliveryError::GuardLost { job: job.clone() }))
    }

    /// The job is settled: the guard is not needed any more.
    pub(crate) fn dismiss(self) {
        // A guard that has already ended has taken over before.
        drop(self.to_guard.send(Signal::Settled));
    }

    /// Nobody will answer any more: the guard does so at once. Blocks until it has.
    pub(crate) fn answer_now(self) {
        drop(self.to_guard.send(Signal::Abandoned));
        if self.thread.join().is_err() {
            tracing::error!("the deadline guard panicked");
        }
    }
}

/// Waits until the job is settled (none) or the guard must answer.
fn wait(signals: &mpsc::Receiver<Signal>, answer_by: Option<Instant>) -> Option<Reason> {
    let signal = match answer_by {
        Some(answer_by) => signals.recv_timeout(answer_by.saturating_duration_since(Instant::now())),
        None => signals.recv().map_err(|_| RecvTimeoutError::Disconnected),
    };
    match signal {
        Ok(Signal::Settled) => None,
        Ok(Signal::Abandoned) | Err(RecvTimeoutError::Disconnected) => Some(Reason::Abandoned),
        Err(RecvTimeoutError::Timeout) => Some(Reason::Deadline),
    }
}

fn failure_for(reason: Reason, answering: bool, schedule: &Schedule) -> Failure {
    let elapsed = schedule.elapsed().as_secs_f64();
    match (reason, answering) {
        (_, true) => Failure::new(
            FailureKind::SystemUnavailable,
            "the result could not be delivered in time: CodePipeline did not confirm it; retry the action",
        ),
        (Reason::Deadline, false) => {
            let total = schedule.total().unwrap_or_default().as_secs_f64();
            Failure::job_failed(format!(
                "the function had no result after {elapsed:.1} s, and AWS Lambda stops it after {total:.1} s; give the \
                 function more time (its Timeout, at most 900 s) or let it do its work in parts"
            ))
        }
        (Reason::Abandoned, false) => Failure::job_failed(format!(
            "the function ended without a result after {elapsed:.1} s; this is a bug in it"
        )),
    }
}

/// Answers from this thread, with nothing that any other thread could hold.
fn answer(watched: &Watched, failure: &Failure) -> Result<Delivery, DeliveryError> {
    let unavailable = |detail: String| DeliveryError::Unavailable { job: watched.job.clone(), attempts: 0, detail };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| unavailable(format!("no runtime for the deadline guard: {error}")))?;
    let until = watched.schedule.last_moment();
    let request = Request::failure(failure, &watched.run);
    let result = runtime.block_on(async {
        let limit = tokio::time::Instant::from_std(until);
        let aws = watched.aws.separate();
        let client = tokio::time::timeout_at(limit, Box::pin(aws.codepipeline()))
            .await
            .map_err(|_| unavailable("the AWS configuration could not be loaded in time".to_owned()))?;
        Box::pin(delivery::deliver(client, &watched.job, request, until)).await
    });
    let duration_ms = watched.schedule.elapsed_ms();
    match &result {
        Ok(Delivery::AlreadyAnswered) => tracing::warn!(
            job_id = %watched.job, request_id = watched.run, outcome = %Delivery::AlreadyAnswered, duration_ms,
            "the job already had an answer; the deadline guard's was not needed",
        ),
        Ok(delivery) => tracing::error!(
            job_id = %watched.job, request_id = watched.run, outcome = %delivery, kind = %failure.kind(),
            answer = failure.message(), duration_ms, "the deadline guard answered the job",
        ),
        Err(error) => tracing::error!(
            job_id = %watched.job, request_id = watched.run, duration_ms, "the deadline guard failed to {error}",
        ),
    }
    // Connections still in use must not keep the thread.
    runtime.shutdown_background();
    result
}
