//! One queue.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stagegate_local_template::Queue as Declared;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{MessageAttribute, QueueMessage};
use crate::bus::later;

/// A queue. Times are given from outside.
pub(crate) struct Queue {
    declared: Declared,
    created: Timestamp,
    stored: Mutex<Vec<Stored>>,
    changed: Notify,
}

struct Stored {
    message: QueueMessage,
    visible_at: Timestamp,
    /// The handle of the last receipt.
    receipt: Option<String>,
    first_received: Option<Timestamp>,
}

/// A message that was received.
pub(crate) struct Received {
    pub(crate) message: QueueMessage,
    pub(crate) receipt_handle: String,
    pub(crate) first_received: Timestamp,
}

/// How many messages a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) visible: usize,
    /// Received and not deleted.
    pub(crate) in_flight: usize,
    /// Not visible yet.
    pub(crate) delayed: usize,
}

impl Queue {
    pub(crate) fn new(declared: Declared, created: Timestamp) -> Self {
        Self { declared, created, stored: Mutex::default(), changed: Notify::new() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.declared.name
    }

    pub(crate) fn arn(&self) -> &str {
        &self.declared.arn
    }

    pub(crate) fn declared(&self) -> &Declared {
        &self.declared
    }

    pub(crate) fn created(&self) -> Timestamp {
        self.created
    }

    pub(crate) fn is_called(&self, name: &str) -> bool {
        [&self.declared.name, &self.declared.arn, &self.declared.logical_id].into_iter().any(|known| known == name)
    }

    fn stored(&self) -> MutexGuard<'_, Vec<Stored>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a message that can be received after `delay`; gives its id.
    pub(crate) fn send(
        &self,
        now: Timestamp,
        body: String,
        attributes: BTreeMap<String, MessageAttribute>,
        delay: Duration,
    ) -> String {
        let delay = delay.max(Duration::from_secs(self.declared.delay_seconds));
        let message =
            QueueMessage { message_id: Uuid::new_v4().to_string(), body, attributes, sent: now, receive_count: 0 };
        let message_id = message.message_id.clone();
        self.put(message, later(now, delay));
        message_id
    }

    fn put(&self, message: QueueMessage, visible_at: Timestamp) {
        self.stored().push(Stored { message, visible_at, receipt: None, first_received: None });
        self.changed.notify_waiters();
    }

    /// Takes up to `most` messages, which nobody else sees for `visibility`. What was received too often goes to the
    /// dead-letter queue that `redrive` finds.
    pub(crate) fn receive(
        &self,
        now: Timestamp,
        most: usize,
        visibility: Option<Duration>,
        redrive: impl Fn(&str) -> Option<std::sync::Arc<Self>>,
    ) -> Vec<Received> {
        let visibility = visibility.unwrap_or(Duration::from_secs(self.declared.visibility_timeout_seconds));
        let mut received = Vec::new();
        let mut dead = Vec::new();
        let mut stored = self.stored();
        self.drop_expired(now, &mut stored);
        stored.retain_mut(|entry| {
            if received.len() == most || entry.visible_at > now {
                return true;
            }
            let is_dead = self
                .declared
                .redrive
                .as_ref()
                .is_some_and(|redrive| entry.message.receive_count >= redrive.max_receive_count);
            if is_dead {
                dead.push(entry.message.clone());
                return false;
            }
            entry.message.receive_count += 1;
            entry.visible_at = later(now, visibility);
            let receipt_handle = Uuid::new_v4().to_string();
            entry.receipt = Some(receipt_handle.clone());
            let first_received = *entry.first_received.get_or_insert(now);
            received.push(Received { message: entry.message.clone(), receipt_handle, first_received });
            true
        });
        drop(stored);
        let dead_letters = self.declared.redrive.as_ref().and_then(|policy| redrive(&policy.dead_letter_arn));
        if let Some(queue) = dead_letters {
            dead.into_iter().for_each(|message| queue.put(message, now));
        }
        received
    }

    fn drop_expired(&self, now: Timestamp, stored: &mut Vec<Stored>) {
        let retention = SignedDuration::from_secs(i64::try_from(self.declared.retention_seconds).unwrap_or(i64::MAX));
        stored.retain(|entry| now.duration_since(entry.message.sent) <= retention);
    }

    /// Deletes the message of a receipt. An old receipt deletes nothing.
    pub(crate) fn delete(&self, receipt_handle: &str) {
        self.stored().retain(|entry| entry.receipt.as_deref() != Some(receipt_handle));
    }

    pub(crate) fn purge(&self) {
        self.stored().clear();
    }

    pub(crate) fn counts(&self, now: Timestamp) -> Counts {
        let mut counts = Counts::default();
        let mut stored = self.stored();
        self.drop_expired(now, &mut stored);
        for entry in stored.iter() {
            match (entry.visible_at <= now, entry.receipt.is_some()) {
                (true, _) => counts.visible += 1,
                (false, true) => counts.in_flight += 1,
                (false, false) => counts.delayed += 1,
            }
        }
        counts
    }

    /// All messages, in the order in which they were sent.
    pub(crate) fn messages(&self) -> Vec<QueueMessage> {
        self.stored().iter().map(|entry| entry.message.clone()).collect()
    }

    /// Waits until a message is put into the queue. Call it before looking.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// When the next message that cannot be received yet can be.
    pub(crate) fn next_visible(&self, now: Timestamp) -> Option<Timestamp> {
        self.stored().iter().map(|entry| entry.visible_at).filter(|at| *at > now).min()
    }
}
