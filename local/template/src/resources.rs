//! The resources besides functions that the local AWS wires.

use serde_json::Value;

use crate::error::Result;
use crate::event_source::{
    RetryPolicy, TargetInput, read_enabled, read_expression, read_input, read_redrive_policy, read_retry_policy,
};
use crate::properties::{Properties, list};

/// `AWS::Serverless::LayerVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The layer's name.
    pub layer_name: String,
    /// The ARN of its version 1.
    pub arn: String,
    /// The folder that is mounted as `/opt`, relative to the template's folder.
    pub content_uri: String,
}

/// `AWS::Logs::LogGroup`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogGroup {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The log group's name.
    pub name: String,
    /// How many days its events are kept; for ever if `None`.
    pub retention_days: Option<u64>,
}

/// `AWS::S3::Bucket`.
#[derive(Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The bucket's name.
    pub name: String,
    /// The bucket's ARN.
    pub arn: String,
    /// Whether it keeps old versions.
    pub versioned: bool,
    /// `NotificationConfiguration`, resolved.
    pub notifications: Option<Value>,
}

/// `AWS::CodePipeline::CustomActionType`.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomActionType {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// Its properties in the form of CreateCustomActionType, which names them with a small letter.
    pub input: Value,
}

/// `AWS::SNS::Topic`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The topic's name.
    pub name: String,
    /// The topic's ARN.
    pub arn: String,
}

/// `AWS::SNS::Subscription`, or an entry of a topic's `Subscription`.
#[derive(Clone, Debug, PartialEq)]
pub struct Subscription {
    /// The topic's ARN.
    pub topic_arn: String,
    /// `lambda`, `sqs`, `https`, ...
    pub protocol: String,
    /// The function's or queue's ARN, the address, ...
    pub endpoint: String,
    /// `FilterPolicy`, resolved.
    pub filter_policy: Option<Value>,
    /// `MessageAttributes` or `MessageBody`.
    pub filter_policy_scope: String,
    /// Whether the endpoint gets the bare message.
    pub raw_message_delivery: bool,
    /// `RedrivePolicy`: the ARN of the queue for messages that could not be delivered.
    pub dead_letter_arn: Option<String>,
}

/// `AWS::Events::Rule`.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The rule's name.
    pub name: String,
    /// The rule's ARN.
    pub arn: String,
    /// The event bus, `default` where the template names none.
    pub event_bus: String,
    /// The event pattern.
    pub pattern: Option<Value>,
    /// `rate(...)` or `cron(...)`, in UTC.
    pub schedule: Option<String>,
    /// Whether the rule is on.
    pub enabled: bool,
    /// Who gets the events.
    pub targets: Vec<Target>,
}

/// A target of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The target's id.
    pub id: String,
    /// The target's ARN.
    pub arn: String,
    /// What the target gets of the event.
    pub input: TargetInput,
    /// How failed deliveries are retried.
    pub retry_policy: RetryPolicy,
}

/// `AWS::Scheduler::Schedule`.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The schedule's name.
    pub name: String,
    /// `rate(...)`, `cron(...)` or `at(...)`.
    pub expression: String,
    /// The time zone of the expression.
    pub time_zone: String,
    /// Whether the schedule is on.
    pub enabled: bool,
    /// Who is called.
    pub target: Target,
}

/// Name and ARN of a resource.
pub(crate) struct Identity<'t> {
    pub(crate) logical_id: &'t str,
    pub(crate) name: String,
    pub(crate) arn: String,
}

pub(crate) fn read_layer(properties: Properties<'_>, identity: Identity<'_>) -> Result<Layer> {
    let known = [
        "CompatibleArchitectures",
        "CompatibleRuntimes",
        "ContentUri",
        "Description",
        "LayerName",
        "LicenseInfo",
        "PublishLambdaVersion",
        "RetentionPolicy",
    ];
    properties.only(&known, "AWS::Serverless::LayerVersion")?;
    Ok(Layer {
        logical_id: identity.logical_id.to_owned(),
        layer_name: identity.name,
        arn: identity.arn,
        content_uri: properties.require_string("ContentUri", "AWS::Serverless::LayerVersion")?,
    })
}

pub(crate) fn read_log_group(properties: Properties<'_>, identity: Identity<'_>) -> Result<LogGroup> {
    let retention_days = properties.integer("RetentionInDays", 1..=3653)?;
    Ok(LogGroup { logical_id: identity.logical_id.to_owned(), name: identity.name, retention_days })
}

pub(crate) fn read_bucket(properties: Properties<'_>, identity: Identity<'_>) -> Result<Bucket> {
    let versioning = properties.mapping("VersioningConfiguration")?;
    let status = versioning.map(|given| given.one_of("Status", &["Enabled", "Suspended"])).transpose()?.flatten();
    Ok(Bucket {
        logical_id: identity.logical_id.to_owned(),
        name: identity.name,
        arn: identity.arn,
        versioned: status.as_deref() == Some("Enabled"),
        notifications: properties.json("NotificationConfiguration"),
    })
}

pub(crate) fn read_custom_action_type(logical_id: &str, properties: Properties<'_>) -> Result<CustomActionType> {
    const TYPE: &str = "AWS::CodePipeline::CustomActionType";
    let known = [
        "Category",
        "ConfigurationProperties",
        "InputArtifactDetails",
        "OutputArtifactDetails",
        "Provider",
        "Settings",
        "Tags",
        "Version",
    ];
    properties.only(&known, TYPE)?;
    let mut input = serde_json::Map::new();
    for key in ["Category", "Provider", "Version"] {
        input.insert(with_small_letter(key), properties.require_string(key, TYPE)?.into());
    }
    for key in ["ConfigurationProperties", "InputArtifactDetails", "OutputArtifactDetails", "Settings", "Tags"] {
        if let Some(value) = properties.json(key) {
            input.insert(with_small_letter(key), with_small_letters(value));
        }
    }
    Ok(CustomActionType { logical_id: logical_id.to_owned(), input: input.into() })
}

fn with_small_letters(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            members.into_iter().map(|(key, value)| (with_small_letter(&key), with_small_letters(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(with_small_letters).collect(),
        other => other,
    }
}

fn with_small_letter(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

pub(crate) fn read_topic(properties: Properties<'_>, identity: Identity<'_>) -> Result<(Topic, Vec<Subscription>)> {
    let mut subscriptions = Vec::new();
    if let Some(node) = properties.get("Subscription") {
        for item in list(node, "Subscription")? {
            let given = Properties::of(item, "a subscription")?;
            given.only(&["Endpoint", "Protocol"], "a topic's subscription")?;
            subscriptions.push(subscription(given, identity.arn.clone())?);
        }
    }
    Ok((Topic { logical_id: identity.logical_id.to_owned(), name: identity.name, arn: identity.arn }, subscriptions))
}

pub(crate) fn read_subscription(properties: Properties<'_>) -> Result<Subscription> {
    let known = [
        "DeliveryPolicy",
        "Endpoint",
        "FilterPolicy",
        "FilterPolicyScope",
        "Protocol",
        "RawMessageDelivery",
        "RedrivePolicy",
        "Region",
        "ReplayPolicy",
        "SubscriptionRoleArn",
        "TopicArn",
    ];
    properties.only(&known, "AWS::SNS::Subscription")?;
    subscription(properties, properties.require_string("TopicArn", "AWS::SNS::Subscription")?)
}

fn subscription(properties: Properties<'_>, topic_arn: String) -> Result<Subscription> {
    let scope = properties.one_of("FilterPolicyScope", &["MessageAttributes", "MessageBody"])?;
    Ok(Subscription {
        topic_arn,
        protocol: properties.require_string("Protocol", "a subscription")?,
        endpoint: properties.require_string("Endpoint", "a subscription")?,
        filter_policy: properties.json("FilterPolicy"),
        filter_policy_scope: scope.unwrap_or_else(|| "MessageAttributes".to_owned()),
        raw_message_delivery: properties.boolean("RawMessageDelivery")?.unwrap_or_default(),
        dead_letter_arn: read_redrive_policy(properties)?,
    })
}

pub(crate) fn read_rule(properties: Properties<'_>, identity: Identity<'_>) -> Result<Rule> {
    let known = [
        "Description",
        "EventBusName",
        "EventPattern",
        "Name",
        "RoleArn",
        "ScheduleExpression",
        "State",
        "Tags",
        "Targets",
    ];
    properties.only(&known, "AWS::Events::Rule")?;
    let schedule = properties.get("ScheduleExpression");
    let schedule = schedule.map(|_| read_expression(properties, "ScheduleExpression", "a rule")).transpose()?;
    let targets = properties.get("Targets").map(|node| list(node, "Targets")).transpose()?.unwrap_or_default();
    Ok(Rule {
        logical_id: identity.logical_id.to_owned(),
        name: identity.name,
        arn: identity.arn,
        event_bus: properties.string("EventBusName")?.unwrap_or_else(|| "default".to_owned()),
        pattern: properties.json("EventPattern"),
        schedule,
        enabled: read_enabled(properties)?,
        targets: targets.iter().map(|node| target(Properties::of(node, "a target")?)).collect::<Result<_>>()?,
    })
}

fn target(properties: Properties<'_>) -> Result<Target> {
    let known = ["Arn", "DeadLetterConfig", "Id", "Input", "InputPath", "InputTransformer", "RetryPolicy", "RoleArn"];
    properties.only(&known, "a target")?;
    Ok(Target {
        id: properties.require_string("Id", "a target")?,
        arn: properties.require_string("Arn", "a target")?,
        input: read_input(properties)?,
        retry_policy: read_retry_policy(properties)?,
    })
}

pub(crate) fn read_schedule(properties: Properties<'_>, identity: Identity<'_>) -> Result<Schedule> {
    let known = [
        "Description",
        "EndDate",
        "FlexibleTimeWindow",
        "GroupName",
        "KmsKeyArn",
        "Name",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "StartDate",
        "State",
        "Target",
    ];
    properties.only(&known, "AWS::Scheduler::Schedule")?;
    let node = properties.require("Target", "AWS::Scheduler::Schedule")?;
    let given = Properties::of(node, "`Target`")?;
    given.only(&["Arn", "DeadLetterConfig", "Input", "RetryPolicy", "RoleArn"], "a schedule's target")?;
    Ok(Schedule {
        logical_id: identity.logical_id.to_owned(),
        expression: read_expression(properties, "ScheduleExpression", "AWS::Scheduler::Schedule")?,
        time_zone: properties.string("ScheduleExpressionTimezone")?.unwrap_or_else(|| "UTC".to_owned()),
        enabled: read_enabled(properties)?,
        target: Target {
            id: identity.name.clone(),
            arn: given.require_string("Arn", "a schedule's target")?,
            input: read_input(given)?,
            retry_policy: read_retry_policy(given)?,
        },
        name: identity.name,
    })
}
