//! What invokes a function: the `Events` of a SAM function, and the targets of rules (AWS SAM guide, "EventSource").

use serde_json::Value;

use crate::error::{Problem, Result, did_you_mean};
use crate::properties::Properties;
use crate::yaml::{Entry, Node};

/// One entry of a function's `Events`.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionEvent {
    /// The name of the entry.
    pub name: String,
    /// What happens.
    pub source: EventSource,
}

/// What invokes a function.
#[derive(Clone, Debug, PartialEq)]
pub enum EventSource {
    /// `SNS`: a message of a topic.
    Sns {
        /// The topic's ARN.
        topic_arn: String,
        /// `FilterPolicy`, as in the template.
        filter_policy: Option<Value>,
        /// `FilterPolicyScope`: `MessageAttributes` or `MessageBody`.
        filter_policy_scope: String,
        /// `RedrivePolicy`: the ARN of the queue for messages that could not be delivered.
        dead_letter_arn: Option<String>,
    },
    /// `EventBridgeRule` (or `CloudWatchEvent`): an event that matches a pattern.
    EventBridgeRule {
        /// The rule's name.
        rule_name: String,
        /// The event pattern.
        pattern: Value,
        /// The event bus, `default` where the template names none.
        event_bus: String,
        /// Whether the rule is on.
        enabled: bool,
        /// What the function gets of the event.
        input: TargetInput,
        /// How failed deliveries are retried.
        retry_policy: RetryPolicy,
    },
    /// `Schedule` (a rule) or `ScheduleV2` (EventBridge Scheduler).
    Schedule {
        /// The schedule's name.
        name: String,
        /// `rate(...)`, `cron(...)` or `at(...)`.
        expression: String,
        /// The time zone of the expression; UTC where the template names none.
        time_zone: String,
        /// Whether it is a `ScheduleV2`, which EventBridge Scheduler runs, and no rule.
        is_scheduler: bool,
        /// Whether the schedule is on.
        enabled: bool,
        /// What the function gets.
        input: TargetInput,
        /// How failed deliveries are retried.
        retry_policy: RetryPolicy,
    },
}

/// What a target gets of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TargetInput {
    /// The whole event.
    #[default]
    Event,
    /// `Input`: always this text.
    Constant(String),
    /// `InputPath`: the part of the event that this JSONPath names.
    Path(String),
    /// `InputTransformer`.
    Transformer {
        /// `InputPathsMap`: JSONPaths by name.
        paths: std::collections::BTreeMap<String, String>,
        /// `InputTemplate`, with `<name>` for what a path names.
        template: String,
    },
}

/// `RetryPolicy` of a target and where events go that could not be delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RetryPolicy {
    /// 0 to 185; EventBridge's default is 185.
    pub maximum_retry_attempts: Option<u64>,
    /// 60 to 86400 seconds; EventBridge's default is a day.
    pub maximum_event_age_seconds: Option<u64>,
    /// The ARN of the queue for events that could not be delivered.
    pub dead_letter_arn: Option<String>,
}

const TYPES: [&str; 5] = ["CloudWatchEvent", "EventBridgeRule", "SNS", "Schedule", "ScheduleV2"];

const TARGET_PROPERTIES: [&str; 5] = ["DeadLetterConfig", "Input", "InputPath", "InputTransformer", "RetryPolicy"];

/// Reads one entry of `Events`. `rule_name` is what SAM would name the rule.
pub(crate) fn read_function_event(entry: &Entry, rule_name: &str) -> Result<FunctionEvent> {
    let event = Properties::of(&entry.value, "an event")?;
    event.only(&["Type", "Properties"], "an event")?;
    let kind = event.require_string("Type", "an event")?;
    let none = Node { position: entry.value.position, kind: crate::yaml::Kind::Mapping(Vec::new()) };
    let properties = Properties::of(event.get("Properties").unwrap_or(&none), "`Properties`")?;
    let source = match kind.as_str() {
        "SNS" => read_sns(properties)?,
        "EventBridgeRule" | "CloudWatchEvent" => read_rule(properties, rule_name)?,
        "Schedule" | "ScheduleV2" => read_schedule(properties, rule_name, &kind)?,
        _ => {
            let hint = did_you_mean(&kind, TYPES);
            let at = event.get("Type").map_or(entry.key_position, |node| node.position);
            let message = format!("the event type `{kind}` is not supported here, only {}{hint}", TYPES.join(", "));
            return Err(Problem::at(at, message));
        }
    };
    Ok(FunctionEvent { name: entry.key.clone(), source })
}

fn read_sns(properties: Properties<'_>) -> Result<EventSource> {
    properties.only(&["FilterPolicy", "FilterPolicyScope", "RedrivePolicy", "Topic"], "an SNS event")?;
    let scope = properties.one_of("FilterPolicyScope", &["MessageAttributes", "MessageBody"])?;
    Ok(EventSource::Sns {
        topic_arn: properties.require_string("Topic", "an SNS event")?,
        filter_policy: properties.json("FilterPolicy"),
        filter_policy_scope: scope.unwrap_or_else(|| "MessageAttributes".to_owned()),
        dead_letter_arn: read_redrive_policy(properties)?,
    })
}

/// `RedrivePolicy` of a subscription.
pub(crate) fn read_redrive_policy(properties: Properties<'_>) -> Result<Option<String>> {
    let Some(given) = properties.mapping("RedrivePolicy")? else { return Ok(None) };
    given.only(&["deadLetterTargetArn"], "`RedrivePolicy`")?;
    given.require_string("deadLetterTargetArn", "`RedrivePolicy`").map(Some)
}

fn read_rule(properties: Properties<'_>, rule_name: &str) -> Result<EventSource> {
    let own = ["Enabled", "EventBusName", "Pattern", "RuleName", "State", "Target"];
    properties.only_in(&[&own, &TARGET_PROPERTIES], "an EventBridgeRule event")?;
    properties.require("Pattern", "an EventBridgeRule event")?;
    Ok(EventSource::EventBridgeRule {
        rule_name: properties.string("RuleName")?.unwrap_or_else(|| rule_name.to_owned()),
        pattern: properties.json("Pattern").unwrap_or_default(),
        event_bus: properties.string("EventBusName")?.unwrap_or_else(|| "default".to_owned()),
        enabled: read_enabled(properties)?,
        input: read_input(properties)?,
        retry_policy: read_retry_policy(properties)?,
    })
}

fn read_schedule(properties: Properties<'_>, rule_name: &str, kind: &str) -> Result<EventSource> {
    let version_1: &[&str] = &["Description", "Enabled", "Name", "Schedule", "State"];
    let version_2: &[&str] = &[
        "Description",
        "FlexibleTimeWindow",
        "GroupName",
        "KmsKeyArn",
        "Name",
        "OmitName",
        "PermissionsBoundary",
        "RoleArn",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "State",
    ];
    let (own, expression) =
        if kind == "Schedule" { (version_1, "Schedule") } else { (version_2, "ScheduleExpression") };
    properties.only_in(&[own, &TARGET_PROPERTIES], &format!("a {kind} event"))?;
    Ok(EventSource::Schedule {
        name: properties.string("Name")?.unwrap_or_else(|| rule_name.to_owned()),
        expression: read_expression(properties, expression, kind)?,
        time_zone: properties.string("ScheduleExpressionTimezone")?.unwrap_or_else(|| "UTC".to_owned()),
        is_scheduler: kind == "ScheduleV2",
        enabled: read_enabled(properties)?,
        input: read_input(properties)?,
        retry_policy: read_retry_policy(properties)?,
    })
}

/// A schedule expression; its inside is read by who runs it.
pub(crate) fn read_expression(properties: Properties<'_>, key: &str, what: &str) -> Result<String> {
    let text = properties.require_string(key, what)?;
    let inside = ["rate(", "cron(", "at("].iter().find_map(|start| text.strip_prefix(start)?.strip_suffix(')'));
    if inside.is_some_and(|inside| !inside.trim().is_empty()) {
        return Ok(text);
    }
    let at = properties.get(key).map_or(properties.position, |node| node.position);
    Err(Problem::at(at, format!("`{text}` is no schedule: write rate(5 minutes), cron(0 9 ? * MON-FRI *) or at(...)")))
}

/// `State`, or the older `Enabled`.
pub(crate) fn read_enabled(properties: Properties<'_>) -> Result<bool> {
    match properties.one_of("State", &["ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"])? {
        Some(state) => Ok(state != "DISABLED"),
        None => Ok(properties.boolean("Enabled")?.unwrap_or(true)),
    }
}

/// `Input`, `InputPath` or `InputTransformer`; no more than one of them.
pub(crate) fn read_input(properties: Properties<'_>) -> Result<TargetInput> {
    let given = ["Input", "InputPath", "InputTransformer"];
    let given: Vec<&str> = given.into_iter().filter(|key| properties.get(key).is_some()).collect();
    match given.as_slice() {
        [] => Ok(TargetInput::Event),
        ["Input"] => Ok(TargetInput::Constant(properties.require_string("Input", "a target")?)),
        ["InputPath"] => Ok(TargetInput::Path(properties.require_string("InputPath", "a target")?)),
        ["InputTransformer"] => {
            let node = properties.require("InputTransformer", "a target")?;
            let transformer = Properties::of(node, "`InputTransformer`")?;
            transformer.only(&["InputPathsMap", "InputTemplate"], "`InputTransformer`")?;
            Ok(TargetInput::Transformer {
                paths: transformer.string_map("InputPathsMap")?,
                template: transformer.require_string("InputTemplate", "`InputTransformer`")?,
            })
        }
        _ => Err(Problem::at(properties.position, format!("only one of {} may be given", given.join(", ")))),
    }
}

/// `RetryPolicy` and `DeadLetterConfig`.
pub(crate) fn read_retry_policy(properties: Properties<'_>) -> Result<RetryPolicy> {
    let mut policy = RetryPolicy::default();
    if let Some(given) = properties.mapping("RetryPolicy")? {
        given.only(&["MaximumEventAgeInSeconds", "MaximumRetryAttempts"], "`RetryPolicy`")?;
        policy.maximum_retry_attempts = given.integer("MaximumRetryAttempts", 0..=185)?;
        policy.maximum_event_age_seconds = given.integer("MaximumEventAgeInSeconds", 60..=86_400)?;
    }
    if let Some(given) = properties.mapping("DeadLetterConfig")? {
        given.only(&["Arn"], "`DeadLetterConfig`")?;
        policy.dead_letter_arn = Some(given.require_string("Arn", "`DeadLetterConfig`")?);
    }
    Ok(policy)
}
