//! Deliveries to functions, queues, topics and event buses, with retries and dead letters.
//!
//! A function has a delivery when its event was queued; what the function makes of it is the business of its own
//! settings. AWS documents the number and the age of retries and that the time between them grows, not the times; here
//! they are 1 s, 2 s, 4 s, ... up to 10 minutes of clock time.

mod retry;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_lambda::{InvokeError, QueuedEvent};

use crate::bus::Inner;
use crate::origin::{Origin, Payload};
use crate::sns::Publication;
use crate::sqs::MessageAttribute;
use crate::watch::Passed;
pub(crate) use retry::Retry;

/// Something on its way to a target.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) from: Origin,
    /// The target's ARN.
    pub(crate) to: String,
    pub(crate) payload: String,
    /// The attributes that a queue gets.
    pub(crate) attributes: BTreeMap<String, MessageAttribute>,
    pub(crate) retry: Retry,
}

/// Why a target does not take a delivery.
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    /// Whether it makes sense to try again.
    pub(crate) may_pass: bool,
}

impl Inner {
    /// Sends a delivery, subject to the fault if there is one. Gives the events that functions have taken.
    pub(crate) fn send(self: &Arc<Self>, delivery: Delivery) -> Vec<QueuedEvent> {
        let Some(fault) = &self.fault else { return self.deliver(delivery).into_iter().collect() };
        let plan = self.traffic().plan(delivery, fault);
        for (delay, delivery) in plan.later {
            // The time counts from now, however late the task begins.
            let (inner, due) = (Arc::clone(self), self.time_after(delay));
            self.spawn(async move {
                inner.clock.sleep_until(due).await;
                inner.deliver(delivery);
            });
        }
        plan.now.into_iter().filter_map(|delivery| self.deliver(delivery)).collect()
    }

    fn deliver(self: &Arc<Self>, delivery: Delivery) -> Option<QueuedEvent> {
        match self.attempt(&delivery) {
            Ok(queued) => queued,
            Err(refusal) => {
                self.refused(delivery, refusal);
                None
            }
        }
    }

    /// One attempt.
    fn attempt(self: &Arc<Self>, delivery: &Delivery) -> Result<Option<QueuedEvent>, Refusal> {
        let queued = self.hand_over(delivery)?;
        self.observe(Passed::Delivered {
            from: delivery.from.clone(),
            to: delivery.to.clone(),
            payload: Payload(delivery.payload.clone()),
        });
        Ok(queued)
    }

    fn hand_over(self: &Arc<Self>, delivery: &Delivery) -> Result<Option<QueuedEvent>, Refusal> {
        let Delivery { to, payload, .. } = delivery;
        match to.split(':').nth(2) {
            Some("lambda") => Ok(Some(self.lambda.send_event(to, payload.clone())?)),
            Some("sqs") => {
                let queue = self.queues.by_arn(to).ok_or_else(|| Refusal::missing(to))?;
                queue.send(self.clock.now(), payload.clone(), delivery.attributes.clone(), Duration::ZERO);
                Ok(None)
            }
            Some("sns") => {
                let publication = Publication::of(payload.clone());
                self.publish(to, publication).map_err(|error| Refusal::lasting(error.code, error.message))?;
                Ok(None)
            }
            Some("events") => {
                let bus = to.rsplit('/').next().unwrap_or_default();
                let event = self.destination_event(delivery);
                self.put_event(bus, event);
                Ok(None)
            }
            _ => Err(Refusal::missing(to)),
        }
    }

    /// The event that an event bus gets of the record of a function's invocation (AWS Lambda guide, "Destinations").
    fn destination_event(&self, delivery: &Delivery) -> Value {
        let record: Value = serde_json::from_str(&delivery.payload).unwrap_or_default();
        let is_success = record["requestContext"]["condition"] == "Success";
        let detail_type =
            format!("Lambda Function Invocation Result - {}", if is_success { "Success" } else { "Failure" });
        let function = record["requestContext"]["functionArn"].clone();
        self.envelope("lambda", &detail_type, &json!([function]), record)
    }
}

impl Refusal {
    fn missing(arn: &str) -> Self {
        Self::lasting("RESOURCE_NOT_FOUND", format!("nothing here has the ARN {arn}"))
    }

    fn lasting(code: &'static str, message: String) -> Self {
        Self { code, message, may_pass: false }
    }
}

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        let (code, may_pass) = match error {
            InvokeError::TooManyRequests { .. } => ("TOO_MANY_REQUESTS", true),
            InvokeError::Service { .. } => ("SERVICE_UNAVAILABLE", true),
            InvokeError::ResourceNotFound { .. } => ("RESOURCE_NOT_FOUND", false),
            InvokeError::InvalidRequestContent { .. } | InvokeError::RequestTooLarge { .. } => {
                ("INVALID_REQUEST", false)
            }
            InvokeError::ShuttingDown { .. } => ("SERVICE_UNAVAILABLE", false),
        };
        Self { code, message: error.to_string(), may_pass }
    }
}
