//! The API of SQS, in AWS JSON 1.0.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{self, Model, Service, without_nulls};

use super::queue::{Queue, Received};
use super::{MessageAttribute, digest};
use crate::bus::Bus;

static SERVICE: Service = Service {
    name: "SQS",
    target_prefix: "AmazonSQS.",
    violation: "InvalidParameterValue",
    invalid_token: "InvalidParameterValue",
};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(&SERVICE, include_str!("shapes.txt")));

/// The greatest message, with its attributes, in bytes (Amazon SQS quotas, 2026).
const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// Serves the API at `/`. Signatures are not checked.
pub(crate) fn router(bus: Bus) -> Router {
    aws_json::router_1_0(&SERVICE, move |operation, input| {
        let bus = bus.clone();
        async move { call(&bus, &operation, &input).await }
    })
}

async fn call(bus: &Bus, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let input = MODEL.check(operation, input)?;
    match operation {
        "SendMessage" => send_message(bus, &input),
        "ReceiveMessage" => receive_message(bus, &input).await,
        "DeleteMessage" => {
            queue(bus, &input)?.delete(text(&input, "ReceiptHandle"));
            Ok(json!({}))
        }
        "GetQueueAttributes" => get_queue_attributes(bus, &input),
        "GetQueueUrl" => {
            let name = text(&input, "QueueName");
            let found = bus.inner.queues.all().find(|queue| queue.name() == name);
            let queue = found.ok_or_else(|| does_not_exist(bus, name))?;
            Ok(json!({"QueueUrl": queue.declared().url}))
        }
        "ListQueues" => {
            let prefix = text(&input, "QueueNamePrefix");
            let found = bus.inner.queues.all().filter(|queue| queue.name().starts_with(prefix));
            Ok(json!({"QueueUrls": found.map(|queue| queue.declared().url.clone()).collect::<Vec<_>>()}))
        }
        "PurgeQueue" => {
            queue(bus, &input)?.purge();
            Ok(json!({}))
        }
        _ => Err(MODEL.unknown_operation(operation)),
    }
}

fn text<'a>(input: &'a Value, member: &str) -> &'a str {
    input[member].as_str().unwrap_or_default()
}

fn queue(bus: &Bus, input: &Value) -> Result<Arc<Queue>, ApiError> {
    let url = text(input, "QueueUrl");
    bus.inner.queues.by_url(url).ok_or_else(|| does_not_exist(bus, url))
}

fn does_not_exist(bus: &Bus, name: &str) -> ApiError {
    let known: Vec<&str> = bus.inner.queues.all().map(|queue| queue.name()).collect();
    let known =
        if known.is_empty() { "there is none here".to_owned() } else { format!("known are {}", known.join(", ")) };
    let message = format!("the specified queue {name} does not exist; {known}");
    ApiError::new("QueueDoesNotExist", message)
}

fn send_message(bus: &Bus, input: &Value) -> Result<Value, ApiError> {
    let queue = queue(bus, input)?;
    let body = text(input, "MessageBody");
    let attributes = attributes(&input["MessageAttributes"])?;
    let size: usize = attributes.iter().map(|(name, a)| name.len() + a.data_type.len() + a.value.len()).sum();
    if body.len() + size > MAX_MESSAGE_BYTES {
        let message = format!("the message has {} bytes, {MAX_MESSAGE_BYTES} are allowed", body.len() + size);
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    let delay = Duration::from_secs(input["DelaySeconds"].as_u64().unwrap_or_default());
    let md5_of_attributes = digest::of_attributes(&attributes);
    let message_id = queue.send(bus.inner.clock.now(), body.to_owned(), attributes, delay);
    Ok(without_nulls(json!({
        "MessageId": message_id,
        "MD5OfMessageBody": digest::of_body(body),
        "MD5OfMessageAttributes": md5_of_attributes,
    })))
}

fn attributes(given: &Value) -> Result<BTreeMap<String, MessageAttribute>, ApiError> {
    let read = |(name, value): (&String, &Value)| {
        let data_type = text(value, "DataType").to_owned();
        let member = if data_type.starts_with("Binary") { "BinaryValue" } else { "StringValue" };
        let value = value[member].as_str().ok_or_else(|| {
            let message = format!("the message attribute '{name}' of the type {data_type} needs a {member}");
            ApiError::new("InvalidParameterValue", message)
        })?;
        Ok((name.clone(), MessageAttribute { data_type, value: value.to_owned() }))
    };
    given.as_object().into_iter().flatten().map(read).collect()
}

async fn receive_message(bus: &Bus, input: &Value) -> Result<Value, ApiError> {
    let queue = queue(bus, input)?;
    let clock = &bus.inner.clock;
    let most = input["MaxNumberOfMessages"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(1);
    let visibility = input["VisibilityTimeout"].as_u64().map(Duration::from_secs);
    let wait = input["WaitTimeSeconds"].as_i64().unwrap_or(queue.declared().receive_wait_seconds);
    let until = clock.now().checked_add(SignedDuration::from_secs(wait)).unwrap_or(Timestamp::MAX);
    loop {
        let changed = queue.changed();
        let now = clock.now();
        let received = queue.receive(now, most, visibility, |arn| bus.inner.queues.by_arn(arn));
        if !received.is_empty() {
            let messages: Vec<Value> = received.iter().map(|received| message(received, input)).collect();
            return Ok(json!({"Messages": messages}));
        }
        if now >= until {
            return Ok(json!({}));
        }
        let next = queue.next_visible(now).unwrap_or(until).min(until);
        tokio::select! {
            () = changed => {}
            () = clock.sleep_until(next) => {}
        }
    }
}

fn message(received: &Received, input: &Value) -> Value {
    let message = &received.message;
    let wanted = |lists: &[&str], name: &str| {
        let names = lists.iter().flat_map(|list| input[*list].as_array().into_iter().flatten());
        names.filter_map(Value::as_str).any(|wanted| {
            wanted == "All"
                || wanted == ".*"
                || wanted == name
                || wanted.strip_suffix(".*").is_some_and(|prefix| name.starts_with(prefix))
        })
    };
    let system = [
        ("SentTimestamp", message.sent.as_millisecond().to_string()),
        ("ApproximateReceiveCount", message.receive_count.to_string()),
        ("ApproximateFirstReceiveTimestamp", received.first_received.as_millisecond().to_string()),
    ];
    let lists = ["AttributeNames", "MessageSystemAttributeNames"];
    let system: Map<String, Value> = system
        .into_iter()
        .filter(|(name, _)| wanted(&lists, name))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let chosen: BTreeMap<String, MessageAttribute> = message
        .attributes
        .iter()
        .filter(|(name, _)| wanted(&["MessageAttributeNames"], name))
        .map(|(name, attribute)| (name.clone(), attribute.clone()))
        .collect();
    let attributes: Map<String, Value> = chosen
        .iter()
        .map(|(name, attribute)| {
            let member = if attribute.is_binary() { "BinaryValue" } else { "StringValue" };
            (name.clone(), json!({"DataType": attribute.data_type, member: attribute.value}))
        })
        .collect();
    let or_null = |map: Map<String, Value>| if map.is_empty() { Value::Null } else { Value::Object(map) };
    without_nulls(json!({
        "MessageId": message.message_id,
        "ReceiptHandle": received.receipt_handle,
        "MD5OfBody": digest::of_body(&message.body),
        "Body": message.body,
        "Attributes": or_null(system),
        "MD5OfMessageAttributes": digest::of_attributes(&chosen),
        "MessageAttributes": or_null(attributes),
    }))
}

fn get_queue_attributes(bus: &Bus, input: &Value) -> Result<Value, ApiError> {
    let queue = queue(bus, input)?;
    let counts = queue.counts(bus.inner.clock.now());
    let declared = queue.declared();
    let all = [
        ("ApproximateNumberOfMessages", counts.visible.to_string()),
        ("ApproximateNumberOfMessagesDelayed", counts.delayed.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", counts.in_flight.to_string()),
        ("CreatedTimestamp", queue.created().as_second().to_string()),
        ("DelaySeconds", declared.delay_seconds.to_string()),
        ("MaximumMessageSize", MAX_MESSAGE_BYTES.to_string()),
        ("MessageRetentionPeriod", declared.retention_seconds.to_string()),
        ("QueueArn", declared.arn.clone()),
        ("ReceiveMessageWaitTimeSeconds", declared.receive_wait_seconds.to_string()),
        ("VisibilityTimeout", declared.visibility_timeout_seconds.to_string()),
    ];
    let names: Vec<&str> = input["AttributeNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let known = |name: &&str| *name != "All" && all.iter().all(|(known, _)| known != name);
    if let Some(unknown) = names.iter().copied().find(known) {
        return Err(ApiError::new("InvalidAttributeName", format!("unknown attribute {unknown}")));
    }
    let wanted = all.into_iter().filter(|(name, _)| names.iter().any(|wanted| *wanted == "All" || wanted == name));
    let attributes: Map<String, Value> = wanted.map(|(name, value)| (name.to_owned(), value.into())).collect();
    Ok(if attributes.is_empty() { json!({}) } else { json!({"Attributes": attributes}) })
}
