//! What passes, for tests and the console.

use jiff::Timestamp;
use serde_json::Value;

use crate::origin::{Origin, Payload};
use crate::sns::Message;

/// How many observations an observer may lag behind before it misses some.
pub(crate) const KEPT: usize = 4096;

/// One thing that passed, by the local clock.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When.
    pub time: Timestamp,
    /// What.
    pub passed: Passed,
}

/// What passed.
#[derive(Clone, Debug)]
pub enum Passed {
    /// An event was put on a bus, whether or not a rule matches it.
    Event {
        /// The bus, for example `default`.
        bus: String,
        /// The event with its envelope.
        event: Value,
    },
    /// A message was published to a topic.
    Published(Message),
    /// A target has accepted a delivery.
    Delivered {
        /// What delivered it.
        from: Origin,
        /// The target's ARN.
        to: String,
        /// What the target got.
        payload: Payload,
    },
    /// A target has refused a delivery; it is tried again.
    Refused {
        /// What delivered it.
        from: Origin,
        /// The target's ARN.
        to: String,
        /// Why it was refused.
        why: String,
    },
    /// A delivery was given up.
    Undelivered {
        /// What delivered it.
        from: Origin,
        /// The target's ARN.
        to: String,
        /// Why the last attempt was refused.
        why: String,
        /// The queue that has it now, if there is one.
        dead_letter: Option<String>,
    },
}
