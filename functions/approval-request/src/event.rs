//! What the function is called with. Everything may be missing, and what is new is not looked at.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;
use stagegate_approval::{Place, Release, Request, Token};

/// What one message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// CodePipeline's SNS message about an approval.
    Asked(Box<Request>),
    /// An event about an approval action.
    Action(Hint),
    /// An event about a pipeline execution that has ended otherwise than by success or failure.
    Execution {
        /// The pipeline.
        pipeline: String,
        /// The execution.
        execution: String,
    },
    /// Nothing about an approval; why.
    Other(&'static str),
}

/// An approval action that has begun to wait, or does not wait any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The action.
    pub place: Place,
    /// Its pipeline execution.
    pub execution: String,
    /// The action's own execution.
    pub action_execution: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// Whether it has begun to wait.
    pub has_started: bool,
}

/// Reads what Lambda hands over: messages of SNS, or one event of EventBridge.
pub fn read(event: &Value) -> Vec<Message> {
    match event["Records"].as_array() {
        Some(records) => records.iter().map(record).collect(),
        None => vec![bus_event(event)],
    }
}

fn record(record: &Value) -> Message {
    let Some(text) = record["Sns"]["Message"].as_str() else { return Message::Other("a record that is not of SNS") };
    let Ok(message) = serde_json::from_str::<Value>(text) else {
        return Message::Other("an SNS message that is no JSON");
    };
    asked(&message).map_or(Message::Other("an SNS message that is not about an approval"), |request| {
        Message::Asked(Box::new(request))
    })
}

/// The format of CodePipeline's guide, "JSON data format for manual approval notifications".
fn asked(message: &Value) -> Option<Request> {
    let approval = &message["approval"];
    let text = |key: &str| approval[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Request {
        place: Place { pipeline: text("pipelineName")?, stage: text("stageName")?, action: text("actionName")? },
        token: Token::new(text("token")?),
        execution: None,
        action_execution: None,
        expires_at: approval["expires"].as_str().and_then(expires),
        custom_data: text("customData"),
        review_link: text("externalEntityLink"),
        // Not `approvalReviewLink`: the token is in it.
        console_link: message["consoleLink"].as_str().map(str::to_owned),
        release: Release::default(),
    })
}

/// `2016-07-07T20:22Z`, which has no seconds, or a whole timestamp.
fn expires(text: &str) -> Option<Timestamp> {
    let minutes = || Offset::UTC.to_timestamp(DateTime::strptime("%Y-%m-%dT%H:%MZ", text).ok()?).ok();
    text.parse().ok().or_else(minutes)
}

fn bus_event(event: &Value) -> Message {
    let detail = &event["detail"];
    let text = |key: &str| detail[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let state = text("state").unwrap_or_default();
    let (Some(pipeline), Some(execution)) = (text("pipeline"), text("execution-id")) else {
        return Message::Other("an event that names no pipeline execution");
    };
    match event["detail-type"].as_str() {
        Some("CodePipeline Pipeline Execution State Change") => match state.as_str() {
            "CANCELED" | "STOPPED" | "SUPERSEDED" => Message::Execution { pipeline, execution },
            _ => Message::Other("an execution whose approvals say themselves what becomes of them"),
        },
        Some("CodePipeline Action Execution State Change") => {
            let category = detail["type"]["category"].as_str();
            let (Some(stage), Some(action), Some("Approval")) = (text("stage"), text("action"), category) else {
                return Message::Other("an action that is not an approval");
            };
            let has_started = match state.as_str() {
                "STARTED" => true,
                "SUCCEEDED" | "FAILED" | "CANCELED" | "ABANDONED" => false,
                _ => return Message::Other("a state that is not known"),
            };
            Message::Action(Hint {
                place: Place { pipeline, stage, action },
                execution,
                action_execution: text("action-execution-id"),
                region: text("region").or_else(|| event["region"].as_str().map(str::to_owned)),
                has_started,
            })
        }
        _ => Message::Other("an event of another kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_without_seconds_are_read() {
        for (text, expected) in [
            ("2016-07-07T20:22Z", Some("2016-07-07T20:22:00Z")),
            ("2016-07-07T20:22:30Z", Some("2016-07-07T20:22:30Z")),
            ("tomorrow", None),
            ("", None),
        ] {
            assert_eq!(expires(text), expected.map(|text| text.parse().unwrap()), "{text}");
        }
    }
}
