//! An SNS topic: text for people, JSON for programs, and attributes for filter policies.

use std::error::Error;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::operation::publish::PublishError;
use aws_sdk_sns::types::MessageAttributeValue;
use codepipeline_job::{FailureCause, FailureKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{Channels, Letter, Mail, Outcome};

/// The members of the JSON that are also attributes of the message, where they are texts.
pub const ATTRIBUTES: [&str; 7] = ["kind", "subject", "pipeline", "project", "deployment", "stage", "status"];

/// The most bytes of a message. SNS takes 262144 with the attributes (Amazon SNS API reference, Publish).
const LARGEST: usize = 250_000;

impl Channels {
    pub(crate) async fn publish(&self, topic: &str, letter: &Letter<'_>, deadline: Instant) -> Outcome {
        let mail = match letter.say.mail() {
            Ok(mail) => mail,
            Err(error) => return Outcome::rejected(error.to_string()),
        };
        let data = letter.say.data();
        let mut publication = self.sns.publish().topic_arn(topic).subject(mail.subject());
        publication = publication.message_structure("json").message(message(&mail, &data));
        for (name, value) in attributes(&data) {
            let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            match value {
                Ok(value) => publication = publication.message_attributes(name, value),
                Err(error) => return Outcome::rejected(format!("publish to {topic}: {error}")),
            }
        }
        match tokio::time::timeout_at(deadline, publication.send()).await {
            Ok(Ok(_)) => Outcome::Delivered { message: None },
            Ok(Err(error)) => outcome(topic, &error),
            Err(_) => Outcome::Unknown { why: format!("publish to {topic}: there was no answer in time") },
        }
    }
}

/// The message by protocol: people who read e-mail get text, telephones the subject, and all others, which are programs, the
/// JSON. Where it is too much for SNS, lists in the JSON are cut, and it says so.
fn message(mail: &Mail, data: &Value) -> String {
    let mut message = String::new();
    for longest in [usize::MAX, 10, 0] {
        let mut data = data.clone();
        for list in data.as_object_mut().into_iter().flat_map(|members| members.values_mut()) {
            if let Value::Array(items) = list {
                items.truncate(longest);
            }
        }
        if longest < usize::MAX {
            data["is_cut"] = true.into();
        }
        let texts = json!({"default": data.to_string(), "email": mail.text(), "sms": mail.subject()});
        message = texts.to_string();
        if message.len() <= LARGEST {
            break;
        }
    }
    message
}

/// By what a subscription can choose its messages.
fn attributes(data: &Value) -> impl Iterator<Item = (&'static str, String)> {
    let text = |name: &'static str| Some((name, data.get(name)?.as_str()?.to_owned()));
    ATTRIBUTES.into_iter().filter_map(text).filter(|(_, value)| !value.is_empty())
}

fn outcome(topic: &str, error: &SdkError<PublishError>) -> Outcome {
    let why = format!("publish to {topic}: {}", error.failure_message());
    match error {
        SdkError::ServiceError(context) => {
            let kind = FailureKind::of_service_error(context.err().code(), context.raw().status().as_u16());
            match kind {
                FailureKind::SystemUnavailable => Outcome::later(None, why),
                _ if is_about_the_message(context.err()) => Outcome::rejected(why),
                _ => Outcome::refused(why),
            }
        }
        // The gateway before SNS has answered for it.
        SdkError::ResponseError(context) if context.raw().status().as_u16() >= 500 => Outcome::later(None, why),
        SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(|error| has_not_left(error)) => {
            Outcome::later(None, why)
        }
        SdkError::ConstructionFailure(_) => Outcome::refused(why),
        _ => Outcome::Unknown { why },
    }
}

/// Whether SNS does not take this message: it is too long, or something in it is not as it should be. A topic that lies in
/// another Region is an invalid parameter, too, and named.
fn is_about_the_message(error: &PublishError) -> bool {
    let is_about_the_topic = error.message().is_some_and(|message| message.contains("TopicArn"));
    matches!(error.code(), Some("InvalidParameter" | "InvalidParameterValue")) && !is_about_the_topic
}

/// Whether there was no connection on which the request could have left.
fn has_not_left(error: &(dyn Error + 'static)) -> bool {
    let mut source = Some(error);
    while let Some(cause) = source {
        let http = cause.downcast_ref::<hyper_util::client::legacy::Error>();
        if http.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            return true;
        }
        source = cause.source();
    }
    false
}
