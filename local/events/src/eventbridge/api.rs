//! The API of EventBridge, in AWS JSON 1.1.

use std::sync::LazyLock;

use axum::Router;
use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{self, Model, Service};

use super::DEFAULT_BUS;
use crate::bus::Bus;

static SERVICE: Service = Service {
    name: "EventBridge",
    target_prefix: "AWSEvents.",
    violation: "ValidationException",
    invalid_token: "ValidationException",
};

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(&SERVICE, include_str!("shapes.txt")));

/// An entry that is not taken: its code and its message.
type Refused = (&'static str, String);

/// Serves the API at `/`. Signatures are not checked.
pub(crate) fn router(bus: Bus) -> Router {
    aws_json::router(&SERVICE, move |operation, input| {
        let bus = bus.clone();
        async move { call(&bus, &operation, &input) }
    })
}

fn call(bus: &Bus, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let input = MODEL.check(operation, input)?;
    match operation {
        "PutEvents" => Ok(put_events(bus, &input)),
        _ => Err(MODEL.unknown_operation(operation)),
    }
}

/// Each entry is taken or refused on its own.
fn put_events(bus: &Bus, input: &Value) -> Value {
    let entries = input["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let put = |entry: &Value| {
        let (name, event) = event(bus, entry)?;
        let id = event["id"].clone();
        bus.inner.put_event(&name, event);
        Ok(id)
    };
    let results: Vec<Result<Value, Refused>> = entries.iter().map(put).collect();
    let failed = results.iter().filter(|result| result.is_err()).count();
    let answers = results.into_iter().map(|result| match result {
        Ok(id) => json!({"EventId": id}),
        Err((code, message)) => json!({"ErrorCode": code, "ErrorMessage": message}),
    });
    json!({"FailedEntryCount": failed, "Entries": answers.collect::<Vec<_>>()})
}

fn event(bus: &Bus, entry: &Value) -> Result<(String, Value), Refused> {
    let required = |name: &str| {
        let given = entry[name].as_str().filter(|text| !text.is_empty());
        given.ok_or_else(|| {
            ("InvalidArgument", format!("Parameter {name} is not valid. Reason: {name} is a required argument."))
        })
    };
    let source = required("Source")?;
    if source.starts_with("aws.") {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".to_owned()));
    }
    let detail_type = required("DetailType")?;
    let detail = serde_json::from_str::<Value>(required("Detail")?).ok().filter(Value::is_object);
    let detail = detail.ok_or_else(|| ("MalformedDetail", "Detail is malformed.".to_owned()))?;
    let name = entry["EventBusName"].as_str().unwrap_or(DEFAULT_BUS);
    let name = name.rsplit('/').next().unwrap_or(name);
    if !bus.inner.buses.contains(name) {
        return Err(("InvalidArgument", format!("Event bus {name} does not exist.")));
    }
    let resources = if entry["Resources"].is_array() { entry["Resources"].clone() } else { json!([]) };
    let mut event = bus.inner.envelope(source, detail_type, &resources, detail);
    if let Some(time) = time(&entry["Time"]) {
        event["time"] = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
    }
    Ok((name.to_owned(), event))
}

/// Seconds since 1970; a fraction does not show in an event.
fn time(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().or_else(|| format!("{:.0}", value.as_f64()?.floor()).parse().ok())?;
    Timestamp::from_second(seconds).ok()
}
