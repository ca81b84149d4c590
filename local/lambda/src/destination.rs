//! Destinations of asynchronous invocations: the record (AWS Lambda guide, "Capturing records of Lambda asynchronous
//! invocations") and who takes it.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::config::FunctionConfig;
use crate::invocation::InvokeResult;

/// How much of an error a dead letter tells (AWS Lambda guide, "Dead-letter queues").
const MAX_ERROR_MESSAGE_BYTES: usize = 1024;

/// Takes the records for destinations that are no function of the host, for example an SNS topic.
pub trait DestinationSink: Send + Sync {
    /// Delivers a record. It must not block; a sink that fails says so in its own log.
    fn deliver(&self, destination_arn: &str, record: &DestinationRecord);

    /// Takes an event for a function's dead-letter queue or topic. It must not block. Without an own one it warns that
    /// the event is lost.
    fn dead_letter(&self, function_arn: &str, queue_arn: &str, letter: &DeadLetter) {
        let request = &letter.request_id;
        tracing::warn!(function_arn, queue_arn, %request, "a dead letter is lost: nothing here has this ARN");
    }
}

/// An event that a function could not handle, for its dead-letter queue (AWS Lambda guide, "Dead-letter queues").
#[derive(Clone)]
pub struct DeadLetter {
    /// The event as it was. For a CodePipeline job it holds credentials: do not log it.
    pub payload: Bytes,
    /// `RequestID`.
    pub request_id: String,
    /// `ErrorCode`: the HTTP status of the last attempt, 200 where the function itself failed.
    pub error_code: u16,
    /// `ErrorMessage`: the first 1024 bytes of the error.
    pub error_message: String,
}

impl DeadLetter {
    pub(crate) fn new(request_id: &str, payload: Bytes, outcome: &Outcome) -> Self {
        let error = outcome.last.as_ref().and_then(|last| last.function_error.as_ref());
        let mut error_message = error.map_or("the event became too old".to_owned(), |error| error.message.clone());
        error_message.truncate(error_message.floor_char_boundary(MAX_ERROR_MESSAGE_BYTES));
        // An event without any attempt was throttled all the time.
        let error_code = if outcome.last.is_some() { 200 } else { 429 };
        Self { payload, request_id: request_id.to_owned(), error_code, error_message }
    }
}

impl std::fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("request_id", &self.request_id)
            .field("error_code", &self.error_code)
            .finish_non_exhaustive()
    }
}

/// A sink that only warns that a record went nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct WarnAboutDestinations;

impl DestinationSink for WarnAboutDestinations {
    fn deliver(&self, destination_arn: &str, record: &DestinationRecord) {
        let function = &record.request_context.function_arn;
        tracing::warn!(destination_arn, %function, "an invocation record is lost: nothing here has this ARN");
    }
}

/// What a destination is told about an event.
///
/// Its `requestPayload` is the whole event: for a CodePipeline job that includes the artifact credentials, so a record
/// must not be logged. `Debug` leaves the payloads out.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationRecord {
    /// `1.0`.
    pub version: String,
    /// When the record was made, by the local clock.
    #[serde(serialize_with = "with_milliseconds")]
    pub timestamp: Timestamp,
    /// Which event it is about.
    pub request_context: RequestContext,
    /// The event.
    pub request_payload: Value,
    /// How the last attempt ended; left out if the event was never tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_context: Option<ResponseContext>,
    /// What the last attempt answered; left out if the event was never tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_payload: Option<Value>,
}

/// Which event a record is about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestContext {
    /// The request id, the same for all attempts.
    pub request_id: String,
    /// The function's ARN with its version behind it, `$LATEST` where that is not published.
    pub function_arn: String,
    /// Why the record was made.
    pub condition: Condition,
    /// How often the event was tried.
    pub approximate_invoke_count: u32,
}

/// Why a record was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Condition {
    /// The event was handled.
    Success,
    /// The last attempt failed too.
    RetriesExhausted,
    /// The event became too old.
    EventAgeExceeded,
}

/// How the last attempt ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseContext {
    /// The HTTP status of the invocation; 200 even when the function failed.
    pub status_code: u16,
    /// The version that ran.
    pub executed_version: String,
    /// `Unhandled` when the function failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_error: Option<String>,
}

impl DestinationRecord {
    pub(crate) fn new(
        timestamp: Timestamp,
        config: &FunctionConfig,
        request_id: &str,
        request_payload: &[u8],
        outcome: &Outcome,
    ) -> Self {
        let last = outcome.last.as_ref();
        Self {
            version: "1.0".to_owned(),
            timestamp,
            request_context: RequestContext {
                request_id: request_id.to_owned(),
                function_arn: config.qualified_arn(),
                condition: outcome.condition,
                approximate_invoke_count: outcome.attempts,
            },
            request_payload: payload_value(request_payload),
            response_context: last.map(|result| ResponseContext {
                status_code: 200,
                executed_version: result.executed_version.clone(),
                function_error: result.function_error.as_ref().map(|_| "Unhandled".to_owned()),
            }),
            response_payload: last.map(|result| payload_value(&result.payload)),
        }
    }
}

impl std::fmt::Debug for DestinationRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DestinationRecord")
            .field("timestamp", &self.timestamp)
            .field("request_context", &self.request_context)
            .field("response_context", &self.response_context)
            .finish_non_exhaustive()
    }
}

/// How an event ended.
pub(crate) struct Outcome {
    pub(crate) condition: Condition,
    pub(crate) attempts: u32,
    pub(crate) last: Option<InvokeResult>,
}

fn payload_value(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| String::from_utf8_lossy(payload).into_owned().into())
}

fn with_milliseconds<S: serde::Serializer>(timestamp: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{timestamp:.3}"))
}
