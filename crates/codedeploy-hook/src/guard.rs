//! The deadline guard: answers `Failed` when the handler has no result in time.
//!
//! A thread of the operating system with a runtime and connections of its own, because a handler may hold the thread on
//! which all others wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::aws::Aws;
use crate::delivery::{self, Delivery, DeliveryError};
use crate::event::Hook;

/// The right to answer, of which there is one.
#[derive(Clone, Default)]
struct Claim(Arc<AtomicBool>);

impl Claim {
    fn take(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}

pub(crate) struct Guard {
    claim: Claim,
    settled: mpsc::Sender<()>,
    taken_over: oneshot::Receiver<()>,
    result: oneshot::Receiver<Result<Delivery, DeliveryError>>,
}

impl Guard {
    /// Starts the guard; it answers at `answer_by` and must be done at `last_moment`.
    pub(crate) fn start(hook: Hook, aws: Aws, answer_by: Instant, last_moment: Instant) -> std::io::Result<Self> {
        let claim = Claim::default();
        let (settled, signals) = mpsc::channel::<()>();
        let (take_over, taken_over) = oneshot::channel();
        let (report, result) = oneshot::channel();
        let guards = claim.clone();
        std::thread::Builder::new().name("deadline-guard".to_owned()).spawn(move || {
            let left = answer_by.saturating_duration_since(Instant::now());
            // A sender that is gone without a word belongs to a handler that is gone: that is answered at once.
            let waited = signals.recv_timeout(left);
            let wanted = matches!(waited, Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected));
            if !wanted || !guards.take() {
                return;
            }
            take_over.send(()).ok();
            report.send(answer(&hook, &aws, last_moment)).ok();
        })?;
        Ok(Self { claim, settled, taken_over, result })
    }

    /// Takes the right to answer away from the guard; `false` where it has used it.
    pub(crate) fn dismiss(&self) -> bool {
        let taken = self.claim.take();
        if taken {
            // A guard that has ended needs no signal.
            self.settled.send(()).ok();
        }
        taken
    }

    /// Waits until the guard answers; for ever where it never does.
    pub(crate) async fn taken_over(&mut self) {
        if (&mut self.taken_over).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// What became of the guard's answer.
    pub(crate) async fn result(self) -> Option<Result<Delivery, DeliveryError>> {
        self.result.await.ok()
    }
}

fn answer(hook: &Hook, aws: &Aws, until: Instant) -> Result<Delivery, DeliveryError> {
    let deployment = hook.deployment_id.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
        DeliveryError::Unavailable { deployment, attempts: 0, reason: format!("no runtime for the guard: {error}") }
    })?;
    let result = runtime.block_on(async {
        let (_, client) = aws.separate().await;
        delivery::deliver(&client, hook, false, until).await
    });
    runtime.shutdown_background();
    let deployment = &hook.deployment_id;
    match &result {
        Ok(delivery) => {
            tracing::error!(deployment, ?delivery, "the deadline guard answered the hook: no result in time")
        }
        Err(error) => tracing::error!(deployment, "the deadline guard failed to {error}"),
    }
    result
}
