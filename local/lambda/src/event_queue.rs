//! Asynchronous invocation: an event is queued, tried up to three times, and reported to a destination (AWS Lambda
//! guide, "Asynchronous invocation"). All waiting is done by the local clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::destination::{Condition, DeadLetter, DestinationRecord, Outcome};
use crate::error::InvokeError;
use crate::host::{Function, Inner, MAX_QUEUED_EVENTS, Request};
use crate::invocation::{InvocationType, InvokeResult};

/// How long Lambda waits before the first and the second retry of a failed event.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

/// The shortest and the longest wait after a throttled attempt.
const THROTTLE_BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

impl Inner {
    /// Accepts an event and sees it through in a task of its own. `attempted` is told when its first attempt has ended.
    pub(crate) fn enqueue(
        self: &Arc<Self>,
        function: &Arc<Function>,
        request: Request,
        attempted: Option<oneshot::Sender<()>>,
    ) -> Result<InvokeResult, InvokeError> {
        let Ok(slot) = Arc::clone(&self.event_slots).try_acquire_owned() else {
            let function = function.config.name.clone();
            return Err(InvokeError::TooManyRequests { function, limit: MAX_QUEUED_EVENTS, what: "queued events" });
        };
        let accepted = InvokeResult::accepted(request.request_id.clone());
        let (inner, reference) = (Arc::clone(self), format!("{}:{}", function.config.name, function.config.version));
        self.tasks.spawn(async move {
            tokio::select! {
                biased;
                () = inner.cancelled.cancelled() => {
                    tracing::info!(function = %reference, "shutting down: a queued event is dropped");
                }
                () = inner.see_through(&reference, request, attempted) => {}
            }
            drop(slot);
        });
        Ok(accepted)
    }

    async fn see_through(self: &Arc<Self>, reference: &str, request: Request, attempted: Option<oneshot::Sender<()>>) {
        let outcome = self.try_until_settled(reference, &request, attempted).await;
        // The settings in force now count, as the function may have been updated meanwhile.
        let Some(function) = self.function(reference) else { return };
        let config = &function.config;
        let destination = match outcome.condition {
            Condition::Success => config.event_invoke.on_success.as_deref(),
            Condition::RetriesExhausted | Condition::EventAgeExceeded => config.event_invoke.on_failure.as_deref(),
        };
        if outcome.condition != Condition::Success {
            let (attempts, condition) = (outcome.attempts, outcome.condition);
            tracing::warn!(function = reference, attempts, ?condition, "an event could not be handled");
            if let Some(queue) = &config.event_invoke.dead_letter {
                let letter = DeadLetter::new(&request.request_id, request.payload.clone(), &outcome);
                self.options.destinations.dead_letter(&config.arn, queue, &letter);
            }
        }
        let Some(destination) = destination else { return };
        let record = DestinationRecord::new(self.clock.now(), config, &request.request_id, &request.payload, &outcome);
        self.deliver(destination, &record);
    }

    async fn try_until_settled(
        self: &Arc<Self>,
        reference: &str,
        request: &Request,
        mut attempted: Option<oneshot::Sender<()>>,
    ) -> Outcome {
        let queued_at = self.clock.now();
        let (mut attempts, mut backoff, mut last) = (0, THROTTLE_BACKOFF.0, None);
        loop {
            let Some(function) = self.function(reference) else {
                return Outcome { condition: Condition::RetriesExhausted, attempts, last };
            };
            let settings = &function.config.event_invoke;
            if self.age(queued_at) > settings.maximum_event_age {
                return Outcome { condition: Condition::EventAgeExceeded, attempts, last };
            }
            let result = self.attempt(&function, request.again(attempts + 1)).await;
            if let Some(attempted) = attempted.take_if(|_| result.is_ok()) {
                let _ = attempted.send(());
            }
            match result {
                Ok(result) if result.function_error.is_none() => {
                    return Outcome { condition: Condition::Success, attempts: attempts + 1, last: Some(result) };
                }
                Ok(result) => {
                    attempts += 1;
                    last = Some(result);
                    if attempts > u32::from(settings.maximum_retry_attempts) {
                        return Outcome { condition: Condition::RetriesExhausted, attempts, last };
                    }
                    let delay = RETRY_DELAYS[usize::try_from(attempts - 1).unwrap_or(1).min(1)];
                    self.clock.sleep(delay).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "an event waits");
                    self.clock.sleep(backoff).await;
                    backoff = (backoff * 2).min(THROTTLE_BACKOFF.1);
                }
            }
        }
    }

    fn age(&self, queued_at: Timestamp) -> Duration {
        self.clock.now().duration_since(queued_at).unsigned_abs()
    }

    /// Invokes the function of this host that has the ARN, or hands the record on.
    fn deliver(self: &Arc<Self>, destination: &str, record: &DestinationRecord) {
        let Some(function) = self.function(destination) else {
            self.options.destinations.deliver(destination, record);
            return;
        };
        let payload = match serde_json::to_vec(record) {
            Ok(payload) if payload.len() <= crate::host::MAX_EVENT_PAYLOAD_BYTES => payload,
            Ok(payload) => {
                let size = payload.len();
                tracing::warn!(destination, size, "an invocation record is lost: it is too large for an event");
                return;
            }
            Err(error) => {
                tracing::error!(destination, %error, "an invocation record is lost");
                return;
            }
        };
        let request = Request {
            request_id: uuid::Uuid::new_v4().to_string(),
            payload: payload.into(),
            client_context: None,
            qualifier: None,
            invocation_type: InvocationType::Event,
            attempt: 1,
        };
        if let Err(error) = self.enqueue(&function, request, None) {
            tracing::warn!(destination, %error, "an invocation record is lost");
        }
    }
}

impl Request {
    /// The same event, for another attempt.
    fn again(&self, attempt: u32) -> Self {
        Self {
            request_id: self.request_id.clone(),
            payload: self.payload.clone(),
            client_context: self.client_context.clone(),
            qualifier: self.qualifier.clone(),
            invocation_type: self.invocation_type,
            attempt,
        }
    }
}
