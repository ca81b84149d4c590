//! Faults for tests of what speaks to the local AWS: which calls meet which fault, and what the fault looks like on the
//! wire. A local AWS without faults pays nothing for them.
//!
//! [`Rules`] decide by a seed, for calls and for anything else that has a name; [`CallPlan`] is the plan for calls at the
//! endpoint; [`spoil`] serves a request as a fault wants it.

mod calls;
mod rules;
mod wire;

use std::time::Duration;

pub use calls::{ApiCall, CallFaults, CallPlan};
pub use rules::{Rules, When};
pub use wire::{Wire, spoil};

/// What happens to a call of an API over HTTP.
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
    /// The connection ends before an answer, and nothing is done.
    CutOff,
    /// It is done, and the connection ends within the answer: after half of its body, or before it where it has none.
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
    /// An error of a code of its own, for example 400 `ExpiredToken`.
    pub fn new(status: u16, code: &str) -> Self {
        Self { status, code: code.to_owned(), message: format!("an injected fault: {code}") }
    }

    /// The error that AWS answers with at an HTTP status, as far as the status tells: 400 `ThrottlingException`, 403
    /// `AccessDeniedException`, 404 `ResourceNotFoundException`, 409 `ConflictException`, 412 `PreconditionFailed`, 429
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
        Self::new(status, code)
    }

    /// The same for S3, whose codes are its own (Amazon S3 API reference, "Error responses"): 403 `AccessDenied`, 404
    /// `NoSuchKey`, 409 `ConditionalRequestConflict`, 412 `PreconditionFailed`, 503 `SlowDown`, everything else
    /// `InternalError`. S3 documents no 429; some services in front of it send it, so it is there as `TooManyRequests`.
    pub fn of_s3_status(status: u16) -> Self {
        let code = match status {
            403 => "AccessDenied",
            404 => "NoSuchKey",
            409 => "ConditionalRequestConflict",
            412 => "PreconditionFailed",
            429 => "TooManyRequests",
            503 => "SlowDown",
            _ => "InternalError",
        };
        Self::new(status, code)
    }
}
