//! SNS standard topics.
//!
//! A topic keeps what an e-mail subscriber would get in its inbox. Functions and queues get their deliveries; to other
//! endpoints (web hooks, phones) nothing is sent from here.

mod api;
mod form;
mod notification;
mod publication;
mod topic;
mod xml;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::sqs::MessageAttribute;

pub(crate) use api::router;
pub(crate) use publication::Publication;
pub(crate) use topic::{Filter, Subscription, Topic};

/// A message of a topic, as an e-mail subscriber gets it.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The topic's ARN.
    pub topic_arn: String,
    /// The message's id.
    pub message_id: String,
    /// The subject, if there is one.
    pub subject: Option<String>,
    /// The text. That of an approval holds its token: do not log it.
    pub message: String,
    /// The attributes.
    pub attributes: BTreeMap<String, MessageAttribute>,
    /// When it was published, by the local clock.
    pub published: Timestamp,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message")
            .field("topic_arn", &self.topic_arn)
            .field("message_id", &self.message_id)
            .field("subject", &self.subject)
            .field("published", &self.published)
            .finish_non_exhaustive()
    }
}
