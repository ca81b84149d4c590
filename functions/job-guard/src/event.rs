//! What the function is called with.

use codepipeline_job::JobId;
use serde_json::Value;
use stagegate_codedeploy_hook::Hook;
use thiserror::Error;

use crate::record::Record;

/// An event of the function.
#[derive(Debug)]
pub enum Event {
    /// AWS Lambda could not bring a job to its end.
    Died(JobId, Box<Record>),
    /// AWS Lambda could not bring a lifecycle hook of CodeDeploy to its end.
    HookDied(Hook, Box<Record>),
    /// AWS Lambda could not bring something to its end that is neither: jobs may wait that the function was handing on. The
    /// text names the keys of the event.
    NoJob(String, Box<Record>),
    /// The minute has passed.
    Tick,
}

/// Nothing that this function knows. The text holds keys, and no values: an event may hold credentials.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("understand the event: it is neither a record of AWS Lambda about an invocation nor a schedule's; {keys}")]
pub struct UnknownEvent {
    keys: String,
}

impl Event {
    /// Reads an event.
    ///
    /// # Errors
    ///
    /// When it is none of those that this function knows.
    pub fn read(event: &Value) -> Result<Self, UnknownEvent> {
        // An EventBridge destination has the record in an envelope (AWS Lambda guide).
        let record = match event.get("detail") {
            Some(detail) if detail.get("requestPayload").is_some() => detail,
            _ => event,
        };
        if let Some(payload) = record.get("requestPayload") {
            let read = || Box::new(Record::read(record));
            return Ok(match (JobId::find(payload), Hook::find(payload)) {
                (Ok(job), _) => Self::Died(job, read()),
                (Err(_), Ok(hook)) => Self::HookDied(hook, read()),
                (Err(error), Err(_)) => Self::NoJob(error.keys().to_owned(), read()),
            });
        }
        if event
            .get("source")
            .and_then(Value::as_str)
            .is_some_and(|source| source == "aws.events" || source == "aws.scheduler")
        {
            return Ok(Self::Tick);
        }
        let keys = JobId::find(event).map_or_else(|error| error.keys().to_owned(), |_| "it is a job itself".to_owned());
        Err(UnknownEvent { keys })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_are_told_apart_and_never_shown() {
        let job =
            json!({"CodePipeline.job": {"id": "j-1", "data": {"artifactCredentials": {"secretAccessKey": "canary"}}}});
        let record = json!({"version": "1.0", "requestContext": {"functionArn": 7}, "requestPayload": job});
        let cases = [
            (record.clone(), "died j-1"),
            (json!({"source": "lambda", "detail-type": "x", "detail": record}), "died j-1"),
            (json!({"requestPayload": "canary"}), "no job: the event is a string"),
            (json!({"requestPayload": {"DeploymentId": "canary"}}), "no job: the event has the keys `DeploymentId`"),
            (json!({"requestPayload": {"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "x"}}), "died d-1"),
            (json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}), "tick"),
            (json!({"source": "aws.s3", "detail": {"canary": 1}}), "the event has the keys `source`, `detail`"),
            (job, "it is a job itself"),
            (json!("canary"), "the event is a string"),
        ];
        for (event, expected) in cases {
            let read = Event::read(&event);
            assert!(!format!("{read:?}").contains("canary"), "{read:?}");
            let read = match read {
                Ok(Event::Died(job, _)) => format!("died {job}"),
                Ok(Event::HookDied(hook, _)) => format!("died {}", hook.deployment_id),
                Ok(Event::NoJob(keys, _)) => format!("no job: {keys}"),
                Ok(Event::Tick) => "tick".to_owned(),
                Err(error) => error.keys,
            };
            assert_eq!(read, expected, "{event}");
        }
    }

    /// The files that README commands and the tests of all functions use.
    #[test]
    fn recorded_events_are_what_they_are_listed_as() {
        let recorded = |name: &str| -> Value {
            let file = format!("{}/../../events/lambda/{name}.json", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
        };
        let Ok(Event::Died(job, record)) = Event::read(&recorded("on-failure-record")) else { panic!("no record") };
        assert_eq!(job.to_string(), "11111111-abcd-1111-abcd-111111abcdef");
        assert_eq!(record.function.as_deref(), Some("stagegate-test-gate"));
        assert!(format!("{:?}", record.cause).contains("120"), "{:?}", record.cause);
        assert!(matches!(Event::read(&recorded("scheduled")), Ok(Event::Tick)));
        assert!(Event::read(&recorded("sqs")).is_err());
    }
}
