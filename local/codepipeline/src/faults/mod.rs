//! Faults for tests: calls of the API that are refused, slow or cut off, and events that are lost, doubled, late or out
//! of order. A local CodePipeline without [`Faults`] pays nothing for them.

mod endpoint;
mod plan;

use std::time::Duration;

use serde_json::Value;

pub(crate) use endpoint::faulty;
pub use plan::{FaultPlan, When};

/// Decides what goes wrong. It is asked once for each call at the endpoint and once for each event.
pub trait Faults: Send + Sync {
    /// What happens to a call of an operation, for example `PutJobSuccessResult`.
    fn call(&self, operation: &str) -> CallFault;

    /// What happens to an event on its way to EventBridge.
    fn event(&self, event: &Value) -> EventFault;
}

/// What happens to a call of the API over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CallFault {
    /// Nothing.
    #[default]
    None,
    /// It is answered with an error, and nothing is done.
    Refuse(Refusal),
    /// It is done, and answered with an error.
    LoseAnswer(Refusal),
    /// It is done after this much real time.
    Slow(Duration),
    /// The connection ends within an answer, and nothing is done.
    CutOff,
    /// It is done, and the connection ends within the answer.
    CutOffAfterwards,
}

/// An error that the endpoint answers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, for example 503.
    pub status: u16,
    /// The code, for example `ThrottlingException`.
    pub code: String,
    /// The message.
    pub message: String,
}

impl Refusal {
    /// The error that AWS answers with at an HTTP status, as far as the status tells: 400 `ThrottlingException`, 403
    /// `AccessDeniedException`, 404 `ResourceNotFoundException`, 409 `ConflictException`, 429
    /// `TooManyRequestsException`, 503 `ServiceUnavailable`, everything else `InternalFailure`.
    pub fn of_status(status: u16) -> Self {
        let code = match status {
            400 => "ThrottlingException",
            403 => "AccessDeniedException",
            404 => "ResourceNotFoundException",
            409 => "ConflictException",
            412 => "PreconditionFailed",
            429 => "TooManyRequestsException",
            503 => "ServiceUnavailable",
            _ => "InternalFailure",
        };
        Self { status, code: code.to_owned(), message: format!("an injected fault: {code}") }
    }
}

/// What happens to an event on its way to EventBridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFault {
    /// Nothing.
    #[default]
    None,
    /// It is lost.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It comes after this much time of the local clock; those after it do not wait.
    Delay(Duration),
    /// It comes after the next one, or after a fifth of a second where there is none.
    Reorder,
}
