//! One invocation as its caller sees it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// `X-Amz-Invocation-Type`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvocationType {
    /// The caller waits for the response.
    #[default]
    RequestResponse,
    /// The event is queued; the caller learns nothing but that it was accepted.
    Event,
    /// Nothing runs; name and payload are checked.
    DryRun,
}

impl InvocationType {
    /// The type by its name in the API. `None` for an unknown name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RequestResponse" => Some(Self::RequestResponse),
            "Event" => Some(Self::Event),
            "DryRun" => Some(Self::DryRun),
            _ => None,
        }
    }

    /// The HTTP status of an accepted invocation (AWS Lambda API reference, Invoke).
    pub fn status(self) -> u16 {
        match self {
            Self::RequestResponse => 200,
            Self::Event => 202,
            Self::DryRun => 204,
        }
    }
}

/// What an accepted invocation led to.
#[derive(Clone, Debug)]
pub struct InvokeResult {
    /// The request id, which the function sees too. Retries of one event share it.
    pub request_id: String,
    /// The version that ran: `$LATEST`, or the number of a published one. Empty for `Event` and `DryRun`.
    pub executed_version: String,
    /// What the function answered, or the error object. Empty for `Event` and `DryRun`.
    pub payload: Bytes,
    /// Set when the function failed. `X-Amz-Function-Error` is `Unhandled` then.
    pub function_error: Option<FunctionError>,
    /// The last 4 KB of the log of this invocation.
    pub log_tail: String,
    /// What the invocation took. `None` for `Event` and `DryRun`.
    pub metrics: Option<InvocationMetrics>,
}

impl InvokeResult {
    pub(crate) fn accepted(request_id: String) -> Self {
        let (executed_version, log_tail) = (String::new(), String::new());
        Self { request_id, executed_version, payload: Bytes::new(), function_error: None, log_tail, metrics: None }
    }
}

/// An event that was accepted.
#[derive(Debug)]
pub struct QueuedEvent {
    /// The request id, which the function sees too. Retries share it.
    pub request_id: String,
    pub(crate) attempted: oneshot::Receiver<()>,
}

impl QueuedEvent {
    /// Waits until the first attempt has ended, however it ended, or there will be none.
    pub async fn attempted(self) {
        let _ = self.attempted.await;
    }
}

/// An error of the function: returned by its handler, or the end of its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// For example `Runtime.ExitError`, `Runtime.OutOfMemory`, `Sandbox.Timedout`, or the handler's own type.
    pub error_type: String,
    /// For a person.
    pub message: String,
}

impl FunctionError {
    pub(crate) fn new(error_type: &str, message: impl Into<String>) -> Self {
        Self { error_type: error_type.to_owned(), message: message.into() }
    }

    /// The error object as it is in the payload.
    pub(crate) fn payload(&self) -> Bytes {
        json!({"errorType": self.error_type, "errorMessage": self.message}).to_string().into()
    }

    /// Reads the error object that a runtime has posted.
    pub(crate) fn from_payload(payload: &[u8], header: Option<&str>) -> Self {
        let value: Value = serde_json::from_slice(payload).unwrap_or_default();
        let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            error_type: text("errorType").or(header.map(str::to_owned)).unwrap_or_else(|| "Unhandled".to_owned()),
            message: text("errorMessage").unwrap_or_else(|| "the function gave no message".to_owned()),
        }
    }
}

/// What one invocation took, in real time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvocationMetrics {
    /// From the start of the process to its first call for an event; `None` for a warm start.
    pub init: Option<Duration>,
    /// From handing the event out to the end of the invocation.
    pub duration: Duration,
    /// Duration and init, rounded up to milliseconds.
    pub billed: Duration,
    /// The greatest resident set that the process had so far in its life, in KiB (`VmHWM`). Children of the process
    /// do not count. `None` where the system does not tell (other than Linux) or the process ended too soon.
    pub max_memory_kb: Option<u64>,
}

/// One finished attempt, as it is told to the host's observer.
#[derive(Clone, Copy, Debug)]
pub struct FinishedAttempt<'a> {
    /// The function's name.
    pub function: &'a str,
    /// `RequestResponse` or `Event`.
    pub invocation_type: InvocationType,
    /// 1 for the first attempt, up to 3 for an event.
    pub attempt: u32,
    /// What it led to.
    pub result: &'a InvokeResult,
}
