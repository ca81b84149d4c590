//! What happens to a delivery that its target refuses (Amazon EventBridge guide, "How EventBridge retries delivering
//! events" and "Using dead-letter queues").

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use stagegate_local_template::RetryPolicy;

use super::{Delivery, Refusal};
use crate::bus::{Inner, later};
use crate::origin::Origin;
use crate::sqs::MessageAttribute;
use crate::watch::Passed;

/// EventBridge's defaults.
const DEFAULT_ATTEMPTS: u64 = 185;
const DEFAULT_AGE: Duration = Duration::from_secs(86_400);

const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(600));

/// How often and how long a delivery is tried again, and where it goes when that did not help.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    attempts: u64,
    age: Duration,
    dead_letter: Option<String>,
}

impl Default for Retry {
    fn default() -> Self {
        Self { attempts: DEFAULT_ATTEMPTS, age: DEFAULT_AGE, dead_letter: None }
    }
}

impl Retry {
    /// As often as by default, with a queue for what stays undelivered.
    pub(crate) fn with_dead_letter(dead_letter: Option<String>) -> Self {
        Self { dead_letter, ..Self::default() }
    }
}

impl From<&RetryPolicy> for Retry {
    fn from(policy: &RetryPolicy) -> Self {
        Self {
            attempts: policy.maximum_retry_attempts.unwrap_or(DEFAULT_ATTEMPTS),
            age: policy.maximum_event_age_seconds.map_or(DEFAULT_AGE, Duration::from_secs),
            dead_letter: policy.dead_letter_arn.clone(),
        }
    }
}

impl Inner {
    /// Tries a refused delivery again where that may help, in a task of its own.
    pub(super) fn refused(self: &Arc<Self>, delivery: Delivery, refusal: Refusal) {
        if !refusal.may_pass || delivery.retry.attempts == 0 {
            self.give_up(&delivery, &refusal, 0, None);
            return;
        }
        self.note_refusal(&delivery, &refusal);
        let (inner, begun) = (Arc::clone(self), self.clock.now());
        self.spawn(async move { inner.try_again(delivery, refusal, begun).await });
    }

    async fn try_again(self: &Arc<Self>, delivery: Delivery, mut refusal: Refusal, begun: Timestamp) {
        let (mut due, mut backoff) = (later(begun, BACKOFF.0), BACKOFF.0);
        for retry in 1..=delivery.retry.attempts {
            self.clock.sleep_until(due).await;
            backoff = (backoff * 2).min(BACKOFF.1);
            due = later(self.clock.now(), backoff);
            if self.clock.now().duration_since(begun).unsigned_abs() > delivery.retry.age {
                self.give_up(&delivery, &refusal, retry - 1, Some("MaximumEventAgeInSeconds"));
                return;
            }
            match self.attempt(&delivery) {
                Ok(_) => return,
                Err(again) if !again.may_pass => {
                    self.give_up(&delivery, &again, retry, None);
                    return;
                }
                Err(again) => {
                    self.note_refusal(&delivery, &again);
                    refusal = again;
                }
            }
        }
        self.give_up(&delivery, &refusal, delivery.retry.attempts, Some("MaximumRetryAttempts"));
    }

    fn note_refusal(&self, delivery: &Delivery, refusal: &Refusal) {
        let Delivery { from, to, .. } = delivery;
        self.observe(Passed::Refused { from: from.clone(), to: to.clone(), why: refusal.message.clone() });
    }

    /// Puts a delivery into its dead-letter queue, if there is one.
    fn give_up(&self, delivery: &Delivery, refusal: &Refusal, retries: u64, exhausted: Option<&str>) {
        let Delivery { from, to, retry, .. } = delivery;
        let queue = retry.dead_letter.as_deref().and_then(|arn| self.queues.by_arn(arn));
        if let Some(queue) = &queue {
            let text = |name: &str, value: &str| (name.to_owned(), MessageAttribute::text(value));
            let mut attributes = delivery.attributes.clone();
            attributes.extend([
                text("ERROR_CODE", refusal.code),
                text("ERROR_MESSAGE", &refusal.message),
                text("RETRY_ATTEMPTS", &retries.to_string()),
                text("TARGET_ARN", to),
            ]);
            attributes.extend(exhausted.map(|condition| text("EXHAUSTED_RETRY_CONDITION", condition)));
            if let Origin::Rule(arn) | Origin::Schedule(arn) = from {
                attributes.extend([text("RULE_ARN", arn)]);
            }
            queue.send(self.clock.now(), delivery.payload.clone(), attributes, Duration::ZERO);
        }
        let why = &refusal.message;
        let is_lost = queue.is_none();
        tracing::warn!(from = from.arn(), to, why, retries, is_lost, "a delivery was given up");
        self.observe(Passed::Undelivered {
            from: from.clone(),
            to: to.clone(),
            why: why.clone(),
            dead_letter: queue.map(|queue| queue.arn().to_owned()),
        });
    }
}
