//! The one final answer of a job.

use std::fmt;

use crate::delivery::{self, Delivery, DeliveryError};
use crate::event::JobId;
use crate::failure::{Failure, FailureKind};
use crate::guard::{Guard, Watched};
use crate::outcome::{Continuation, Outcome, Success};
use crate::request::Request;

/// The answer that a job is still waiting for.
///
/// It is given once: every way to give it consumes the value. A value that is dropped without an answer is answered
/// with a failure by the deadline guard, and so is one that is still there when the time is up. Dropping it
/// blocks until that is done, because AWS Lambda freezes the process as soon as the function returns.
#[must_use = "CodePipeline waits 20 minutes for an answer"]
pub struct PendingAnswer {
    watched: Watched,
    guard: Option<Guard>,
}

impl PendingAnswer {
    /// Starts the deadline guard for a job.
    ///
    /// Where the system gives no thread for it, the job is failed at once: a job without a guard may hang.
    pub(crate) async fn new(watched: Watched) -> Result<Self, Result<Delivery, DeliveryError>> {
        match Guard::start(watched.clone()) {
            Ok(guard) => Ok(Self { watched, guard: Some(guard) }),
            Err(error) => {
                let failure = Failure::new(
                    FailureKind::SystemUnavailable,
                    format!("the function could not start its deadline guard: {error}; retry the action"),
                );
                Err(Self { watched, guard: None }.fail(failure).await)
            }
        }
    }

    /// The job's id.
    #[must_use]
    pub fn job_id(&self) -> &JobId {
        &self.watched.job
    }

    pub(crate) fn watched(&self) -> &Watched {
        &self.watched
    }

    /// Reports that the job is done.
    ///
    /// # Errors
    ///
    /// When the job has no answer: see [`DeliveryError`].
    pub async fn succeed(self, success: Success) -> Result<Delivery, DeliveryError> {
        self.finish(Ok(success.into())).await
    }

    /// Reports that the job goes on in another invocation.
    ///
    /// # Errors
    ///
    /// When the job has no answer: see [`DeliveryError`].
    pub async fn continue_later(self, continuation: Continuation) -> Result<Delivery, DeliveryError> {
        self.finish(Ok(continuation.into())).await
    }

    /// Reports that the job failed.
    ///
    /// # Errors
    ///
    /// When the job has no answer: see [`DeliveryError`].
    pub async fn fail(self, failure: Failure) -> Result<Delivery, DeliveryError> {
        self.finish(Err(failure)).await
    }

    /// Reports what a handler returned.
    ///
    /// # Errors
    ///
    /// When the job has no answer: see [`DeliveryError`].
    pub async fn finish(mut self, result: Result<Outcome, Failure>) -> Result<Delivery, DeliveryError> {
        let kind = result.as_ref().err().map(Failure::kind);
        let request = match result {
            Ok(outcome) => Request::outcome(outcome, &self.watched.job, &self.watched.run),
            Err(failure) => Request::failure(&failure, &self.watched.run),
        };
        let text = request.text().to_owned();
        let sent = self.send(request).await;
        let Some(guard) = self.guard.take() else {
            let sent = sent.unwrap_or_else(|| self.guard_lost());
            self.log(&sent, kind, &text);
            return sent;
        };
        match sent {
            Some(sent) => {
                guard.dismiss();
                self.log(&sent, kind, &text);
                sent
            }
            None => guard.result(&self.watched.job).await,
        }
    }

    /// Sends the answer; none when the deadline guard takes over before CodePipeline has confirmed it.
    async fn send(&mut self, request: Request) -> Option<Result<Delivery, DeliveryError>> {
        if let Some(guard) = &self.guard {
            guard.answering();
        }
        let watched = self.watched.clone();
        let until = watched.schedule.patience();
        // When this side has as long as the guard waits, then its giving up means that the guard is about to begin.
        let guard_follows = self.guard.is_some() && watched.schedule.answer_by == Some(until);
        let sending = Box::pin(async move {
            let client = watched.aws.codepipeline().await;
            let sent = delivery::deliver(client, &watched.job, request, until).await;
            if guard_follows && matches!(sent, Err(DeliveryError::Unavailable { .. })) {
                std::future::pending::<()>().await;
            }
            sent
        });
        let taken_over = Box::pin(self.taken_over());
        tokio::select! {
            biased;
            () = taken_over => None,
            sent = sending => Some(sent),
        }
    }

    fn guard_lost(&self) -> Result<Delivery, DeliveryError> {
        Err(DeliveryError::GuardLost { job: self.watched.job.clone() })
    }

    fn log(&self, sent: &Result<Delivery, DeliveryError>, kind: Option<FailureKind>, text: &str) {
        let Watched { job, run, schedule, .. } = &self.watched;
        let kind = kind.map(FailureKind::as_str);
        let duration_ms = schedule.elapsed_ms();
        match sent {
            Ok(Delivery::AlreadyAnswered) => tracing::warn!(
                job_id = %job, request_id = run, outcome = %Delivery::AlreadyAnswered, kind, answer = text, duration_ms,
                "the job already had an answer; this one was not needed",
            ),
            Ok(delivery) => tracing::info!(
                job_id = %job, request_id = run, outcome = %delivery, kind, answer = text, duration_ms, "job answered",
            ),
            Err(error) => tracing::error!(
                job_id = %job, request_id = run, outcome = "none", kind, answer = text, duration_ms,
                "failed to {error}",
            ),
        }
    }

    /// Waits until the deadline guard has taken over the answer.
    pub(crate) async fn taken_over(&mut self) {
        match &mut self.guard {
            Some(guard) => guard.taken_over().await,
            None => std::future::pending().await,
        }
    }

    /// What became of the answer that the deadline guard has taken over.
    pub(crate) async fn guards_result(mut self) -> Result<Delivery, DeliveryError> {
        match self.guard.take() {
            Some(guard) => guard.result(&self.watched.job).await,
            None => self.guard_lost(),
        }
    }
}

impl Drop for PendingAnswer {
    fn drop(&mut self) {
        if let Some(guard) = self.guard.take() {
            guard.answer_now();
        }
    }
}

impl fmt::Debug for PendingAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PendingAnswer").field("job", &self.watched.job).finish_non_exhaustive()
    }
}
