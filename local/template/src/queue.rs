//! `AWS::SQS::Queue`.

use serde_json::Value;

use crate::error::{Problem, Result};
use crate::physical;
use crate::properties::Properties;
use crate::resources::Identity;
use crate::settings::Settings;

/// A standard queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The queue's name.
    pub name: String,
    /// The queue's ARN.
    pub arn: String,
    /// The queue's URL.
    pub url: String,
    /// How many seconds a received message is hidden.
    pub visibility_timeout_seconds: u64,
    /// How many seconds a new message is hidden.
    pub delay_seconds: u64,
    /// How many seconds a message is kept.
    pub retention_seconds: u64,
    /// How many seconds a receiver waits who does not say.
    pub receive_wait_seconds: i64,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
}

/// `RedrivePolicy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    /// The ARN of the dead-letter queue.
    pub dead_letter_arn: String,
    /// How often a message may be received.
    pub max_receive_count: u32,
}

const READ: [&str; 6] = [
    "DelaySeconds",
    "MessageRetentionPeriod",
    "QueueName",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "VisibilityTimeout",
];

/// Properties that change nothing for a queue on one machine.
const WITHOUT_EFFECT: [&str; 6] = [
    "KmsDataKeyReusePeriodSeconds",
    "KmsMasterKeyId",
    "MaximumMessageSize",
    "RedriveAllowPolicy",
    "SqsManagedSseEnabled",
    "Tags",
];

pub(crate) fn read_queue(properties: Properties<'_>, identity: Identity<'_>, settings: &Settings) -> Result<Queue> {
    properties.only_in(&[&READ, &WITHOUT_EFFECT], "AWS::SQS::Queue")?;
    let wait = properties.integer("ReceiveMessageWaitTimeSeconds", 0..=20)?.unwrap_or_default();
    Ok(Queue {
        logical_id: identity.logical_id.to_owned(),
        url: physical::queue_url(settings, &identity.name),
        name: identity.name,
        arn: identity.arn,
        visibility_timeout_seconds: properties.integer("VisibilityTimeout", 0..=43_200)?.unwrap_or(30),
        delay_seconds: properties.integer("DelaySeconds", 0..=900)?.unwrap_or_default(),
        retention_seconds: properties.integer("MessageRetentionPeriod", 60..=1_209_600)?.unwrap_or(345_600),
        receive_wait_seconds: i64::try_from(wait).unwrap_or_default(),
        redrive: read_redrive(properties)?,
    })
}

fn read_redrive(properties: Properties<'_>) -> Result<Option<Redrive>> {
    let Some(node) = properties.get("RedrivePolicy") else { return Ok(None) };
    let policy = node.to_json();
    let count = match &policy["maxReceiveCount"] {
        Value::Number(count) => count.as_u64(),
        Value::String(count) => count.parse().ok(),
        _ => None,
    };
    let count = count.and_then(|count| u32::try_from(count).ok()).filter(|count| (1..=1000).contains(count));
    let arn = policy["deadLetterTargetArn"].as_str();
    let wrong = || {
        let message = "`RedrivePolicy` needs a `deadLetterTargetArn` and a `maxReceiveCount` from 1 to 1000";
        Problem::at(node.position, message)
    };
    let (arn, max_receive_count) = arn.zip(count).ok_or_else(wrong)?;
    Ok(Some(Redrive { dead_letter_arn: arn.to_owned(), max_receive_count }))
}
