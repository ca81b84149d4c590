//! Topics, their subscriptions and their inbox.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Message;
use super::notification::{self, Notification};
use super::publication::{Publication, PublishError, Texts};
use crate::bus::Inner;
use crate::delivery::{Delivery, Retry};
use crate::origin::Origin;
use crate::pattern::EventPattern;
use crate::sqs::MessageAttribute;
use crate::watch::Passed;

/// How many messages an inbox keeps; older ones are dropped.
const INBOX: usize = 1000;

pub(crate) struct Topic {
    pub(crate) logical_id: String,
    pub(crate) name: String,
    pub(crate) arn: String,
    pub(crate) subscriptions: Vec<Subscription>,
    inbox: Mutex<VecDeque<Message>>,
}

pub(crate) struct Subscription {
    pub(crate) arn: String,
    /// `lambda`, `sqs`, `email`, ...
    pub(crate) protocol: String,
    pub(crate) endpoint: String,
    pub(crate) filter: Option<Filter>,
    pub(crate) raw_message_delivery: bool,
    /// The queue for what could not be delivered.
    pub(crate) dead_letter: Option<String>,
}

/// A filter policy.
pub(crate) struct Filter {
    pub(crate) pattern: EventPattern,
    /// Whether it looks at the message's text in place of its attributes.
    pub(crate) is_of_body: bool,
}

impl Topic {
    pub(crate) fn new(logical_id: String, name: String, arn: String, subscriptions: Vec<Subscription>) -> Self {
        Self { logical_id, name, arn, subscriptions, inbox: Mutex::default() }
    }

    fn inbox(&self) -> MutexGuard<'_, VecDeque<Message>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.inbox().iter().cloned().collect()
    }

    pub(crate) fn is_called(&self, name: &str) -> bool {
        [&self.name, &self.arn, &self.logical_id].into_iter().any(|known| known == name)
    }
}

impl Inner {
    /// Publishes to a topic; gives the message's id.
    ///
    /// # Errors
    ///
    /// `NotFound` or `InvalidParameter`, as SNS.
    pub(crate) fn publish(self: &Arc<Self>, topic_arn: &str, publication: Publication) -> Result<String, PublishError> {
        let Some(topic) = self.topics.iter().find(|topic| topic.arn == topic_arn) else {
            let known: Vec<&str> = self.topics.iter().map(|topic| topic.arn.as_str()).collect();
            let known = if known.is_empty() { "there is none here".to_owned() } else { known.join(", ") };
            let message = format!("Topic does not exist: {topic_arn}; known are: {known}");
            return Err(PublishError { code: "NotFound", message });
        };
        let texts = publication.texts()?;
        let message = Message {
            topic_arn: topic.arn.clone(),
            message_id: Uuid::new_v4().to_string(),
            subject: publication.subject,
            message: texts.of("email").to_owned(),
            attributes: publication.attributes,
            published: self.clock.now(),
        };
        let mut inbox = topic.inbox();
        if inbox.len() == INBOX {
            inbox.pop_front();
        }
        inbox.push_back(message.clone());
        drop(inbox);
        self.observe(Passed::Published(message.clone()));
        for subscription in &topic.subscriptions {
            if let Some(delivery) = subscription.delivery(topic, &message, &texts) {
                self.send(delivery);
            }
        }
        Ok(message.message_id)
    }
}

impl Subscription {
    /// What goes to a function or a queue, unless the filter policy keeps it back.
    fn delivery(&self, topic: &Topic, message: &Message, texts: &Texts) -> Option<Delivery> {
        let text = texts.of(&self.protocol);
        if self.filter.as_ref().is_some_and(|filter| !filter.passes(text, message)) {
            return None;
        }
        let notification = Notification { subscription_arn: &self.arn, message, text };
        let (payload, attributes) = match (self.protocol.as_str(), self.raw_message_delivery) {
            ("lambda", _) => (notification::for_function(&notification).to_string(), Default::default()),
            ("sqs", true) => (text.to_owned(), message.attributes.clone()),
            ("sqs", false) => (notification::for_queue(&notification).to_string(), Default::default()),
            _ => return None,
        };
        let from = Origin::Topic(topic.arn.clone());
        let retry = Retry::with_dead_letter(self.dead_letter.clone());
        Some(Delivery { from, to: self.endpoint.clone(), payload, attributes, retry })
    }
}

impl Filter {
    fn passes(&self, text: &str, message: &Message) -> bool {
        if !self.is_of_body {
            let members = message.attributes.iter();
            let members = members.filter_map(|(name, attribute)| Some((name.clone(), filterable(attribute)?)));
            return self.pattern.matches(&Value::Object(members.collect::<Map<_, _>>()));
        }
        // What is no JSON object satisfies no policy on its members.
        serde_json::from_str(text).is_ok_and(|body: Value| body.is_object() && self.pattern.matches(&body))
    }
}

/// What a filter policy sees of an attribute: binary ones are not looked at.
fn filterable(attribute: &MessageAttribute) -> Option<Value> {
    match attribute.data_type.as_str() {
        "String.Array" => serde_json::from_str(&attribute.value).ok(),
        "Number" => serde_json::from_str(&attribute.value).ok(),
        kind if kind.starts_with("Number.") => serde_json::from_str(&attribute.value).ok(),
        _ if attribute.is_binary() => None,
        _ => Some(attribute.value.clone().into()),
    }
}
