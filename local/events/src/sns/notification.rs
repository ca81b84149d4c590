//! The shapes in which a message reaches a function (AWS Lambda guide, "Using Lambda with Amazon SNS") and a queue
//! (Amazon SNS guide, "Parsing message formats").
//!
//! Signature and certificate are made up: nothing here signs messages.

use serde_json::{Map, Value, json};

use super::Message;

pub(super) struct Notification<'m> {
    pub(super) subscription_arn: &'m str,
    pub(super) message: &'m Message,
    /// The text for this protocol.
    pub(super) text: &'m str,
}

impl Notification<'_> {
    fn timestamp(&self) -> String {
        format!("{}", self.message.published.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }

    fn attributes(&self) -> Value {
        let attributes = self.message.attributes.iter();
        let members = attributes.map(|(name, a)| (name.clone(), json!({"Type": a.data_type, "Value": a.value})));
        Value::Object(members.collect::<Map<_, _>>())
    }

    fn certificate_url(&self) -> String {
        let region = self.message.topic_arn.split(':').nth(3).unwrap_or_default();
        format!("https://sns.{region}.amazonaws.com/SimpleNotificationService-local.pem")
    }

    fn unsubscribe_url(&self) -> String {
        let region = self.message.topic_arn.split(':').nth(3).unwrap_or_default();
        let subscription = self.subscription_arn;
        format!("https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={subscription}")
    }
}

pub(super) fn for_function(notification: &Notification<'_>) -> Value {
    let message = notification.message;
    json!({"Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": notification.subscription_arn,
        "Sns": {
            "Type": "Notification",
            "MessageId": message.message_id,
            "TopicArn": message.topic_arn,
            "Subject": message.subject,
            "Message": notification.text,
            "Timestamp": notification.timestamp(),
            "SignatureVersion": "1",
            "Signature": "bG9jYWw=",
            "SigningCertUrl": notification.certificate_url(),
            "UnsubscribeUrl": notification.unsubscribe_url(),
            "MessageAttributes": notification.attributes(),
        },
    }]})
}

pub(super) fn for_queue(notification: &Notification<'_>) -> Value {
    let message = notification.message;
    let mut body = json!({
        "Type": "Notification",
        "MessageId": message.message_id,
        "TopicArn": message.topic_arn,
        "Message": notification.text,
        "Timestamp": notification.timestamp(),
        "SignatureVersion": "1",
        "Signature": "bG9jYWw=",
        "SigningCertURL": notification.certificate_url(),
        "UnsubscribeURL": notification.unsubscribe_url(),
    });
    if let Some(subject) = &message.subject {
        body["Subject"] = subject.clone().into();
    }
    if !message.attributes.is_empty() {
        body["MessageAttributes"] = notification.attributes();
    }
    body
}
