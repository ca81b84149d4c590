//! The job event: the id first, whatever else is broken.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::text;

/// The key of the event that CodePipeline sends to a Lambda function (AWS CodePipeline guide).
pub(crate) const JOB_KEY: &str = "CodePipeline.job";
/// The longest id of any kind of job: a third-party job's (AWS model).
const MAX_ID: usize = 512;
const MAX_KEYS_SHOWN: usize = 20;
const MAX_KEY_SHOWN: usize = 60;

/// The id of a job, by which it is answered.
///
/// CodePipeline's ids are lower-case UUIDs. The form is not checked here: what CodePipeline says about an id counts,
/// and a job is better answered in vain than not at all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct JobId(String);

impl JobId {
    /// Finds the id in an event, however broken the rest of the event is.
    ///
    /// # Errors
    ///
    /// When there is no text at `CodePipeline.job`.`id`. The error holds the event's keys and none of its values,
    /// because an event holds live credentials.
    pub fn find(event: &Value) -> Result<Self, NoJobId> {
        match event.get(JOB_KEY).and_then(|job| job.get("id")) {
            Some(Value::String(id)) if is_id(id) => Ok(Self(id.clone())),
            _ => Err(NoJobId { keys: describe_keys(event) }),
        }
    }

    /// The id of a job that is known from elsewhere than its event; `None` where the text cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_id(text).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The event is no job: nobody can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "find a job id at `CodePipeline.job`.`id` of the event; is the function called by a CodePipeline action? {keys}"
)]
pub struct NoJobId {
    keys: String,
}

impl NoJobId {
    /// The keys of the event, and of the job in it, in a sentence of bounded length.
    #[must_use]
    pub fn keys(&self) -> &str {
        &self.keys
    }
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic())
}

fn describe_keys(event: &Value) -> String {
    let Value::Object(fields) = event else {
        return format!("the event is {}", type_name(event));
    };
    let mut text = format!("the event has {}", keys_of(fields));
    match fields.get(JOB_KEY) {
        Some(Value::Object(job)) => text.push_str(&format!("; the job has {}", keys_of(job))),
        Some(other) => text.push_str(&format!("; the job is {}", type_name(other))),
        None => {}
    }
    text
}

fn keys_of(fields: &serde_json::Map<String, Value>) -> String {
    if fields.is_empty() {
        return "no keys".to_owned();
    }
    let shown: Vec<String> =
        fields.keys().take(MAX_KEYS_SHOWN).map(|key| format!("`{}`", text::cut(key, MAX_KEY_SHOWN, ""))).collect();
    let more = fields.len() - shown.len();
    if more > 0 {
        format!("the keys {} and {more} more", shown.join(", "))
    } else {
        format!("the keys {}", shown.join(", "))
    }
}

/// A value's JSON type, with its article.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_the_id_whatever_else_is_broken() {
        for event in [
            json!({"CodePipeline.job": {"id": "j-1"}}),
            json!({"CodePipeline.job": {"id": "j-1", "accountId": 5, "data": null}}),
            json!({"CodePipeline.job": {"id": "j-1", "data": [[[]]]}, "other": 1}),
        ] {
            assert_eq!(JobId::find(&event).unwrap().as_str(), "j-1", "{event}");
        }
    }

    #[test]
    fn tells_the_keys_of_an_event_without_an_id() {
        let many: serde_json::Map<String, Value> = (0..30).map(|n| (format!("k{n:02}"), json!("secret"))).collect();
        for (event, expected) in [
            (json!("secret"), "the event is a string"),
            (json!({}), "the event has no keys"),
            (json!({"Records": "secret", "v": 1}), "the event has the keys `Records`, `v`"),
            (json!({"CodePipeline.job": "secret"}), "the event has the keys `CodePipeline.job`; the job is a string"),
            (
                json!({"CodePipeline.job": {"id": 7, "data": "secret"}}),
                "the event has the keys `CodePipeline.job`; the job has the keys `id`, `data`",
            ),
            (
                json!({"CodePipeline.job": {"id": ""}}),
                "the event has the keys `CodePipeline.job`; the job has the keys `id`",
            ),
            (
                json!({"CodePipeline.job": {"id": "a b"}}),
                "the event has the keys `CodePipeline.job`; the job has the keys `id`",
            ),
            (Value::Object(many), "`k19` and 10 more"),
        ] {
            let error = JobId::find(&event).unwrap_err();
            assert!(error.keys().ends_with(expected), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        let long = json!({"x".repeat(5000): 1});
        assert!(JobId::find(&long).unwrap_err().to_string().len() < 300);
    }
}
