//! SQS standard queues in memory.

mod api;
mod digest;
mod queue;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

pub(crate) use api::router;
pub(crate) use queue::Queue;

/// An attribute of a message of SQS or SNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageAttribute {
    /// `String`, `Number`, `Binary` or `String.Array`, with or without a type of the sender's own behind a dot.
    pub data_type: String,
    /// The value; for `Binary` in base64.
    pub value: String,
}

impl MessageAttribute {
    /// An attribute of the type `String`.
    pub fn text(value: &str) -> Self {
        Self { data_type: "String".to_owned(), value: value.to_owned() }
    }

    pub(crate) fn is_binary(&self) -> bool {
        self.data_type.split('.').next() == Some("Binary")
    }
}

/// A message in a queue.
#[derive(Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Its id.
    pub message_id: String,
    /// Its text. That of a dead letter may hold credentials: do not log it.
    pub body: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// When it was sent, by the local clock.
    pub sent: Timestamp,
    /// How often it was received.
    pub receive_count: u32,
}

impl std::fmt::Debug for QueueMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueueMessage")
            .field("message_id", &self.message_id)
            .field("attributes", &self.attributes)
            .field("sent", &self.sent)
            .field("receive_count", &self.receive_count)
            .finish_non_exhaustive()
    }
}

/// All queues.
#[derive(Default)]
pub(crate) struct Queues {
    queues: Vec<Arc<Queue>>,
}

impl Queues {
    pub(crate) fn new(queues: Vec<Queue>) -> Self {
        Self { queues: queues.into_iter().map(Arc::new).collect() }
    }

    pub(crate) fn by_arn(&self, arn: &str) -> Option<Arc<Queue>> {
        self.queues.iter().find(|queue| queue.arn() == arn).cloned()
    }

    /// The queue of this name, ARN or logical id.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<Queue>> {
        self.queues.iter().find(|queue| queue.is_called(name)).cloned()
    }

    /// The queue of this URL, of which the name at the end counts.
    fn by_url(&self, url: &str) -> Option<Arc<Queue>> {
        let name = url.rsplit('/').next()?;
        self.queues.iter().find(|queue| queue.name() == name).cloned()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Queue>> {
        self.queues.iter()
    }
}
