//! From the SDK's errors to problems that a person understands.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Problem, Shown};

/// The problem behind a failed S3 call. Only S3's code and message are kept: the answer's headers and the request stay
/// out of errors.
pub(crate) fn problem_of<E>(error: &SdkError<E>) -> Problem
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let SdkError::ServiceError(service) = error else {
        return Problem::Unavailable { detail: with_causes(error) };
    };
    let status = service.raw().status().as_u16();
    let code = service.err().code().unwrap_or_default();
    let detail = match service.err().message() {
        Some(message) if !code.is_empty() => format!("{}: {}", Shown(code), Shown(message)),
        Some(message) => format!("HTTP {status}: {}", Shown(message)),
        None if !code.is_empty() => format!("HTTP {status} {}", Shown(code)),
        None => format!("HTTP {status}"),
    };
    match (status, code) {
        (_, code) if code.starts_with("KMS.") => Problem::KeyUnusable { detail },
        (_, "NoSuchBucket") => Problem::BucketMissing,
        (404, _) => Problem::Missing,
        (412, _) => Problem::Changed,
        (_, "InvalidObjectState") => Problem::Archived,
        (301 | 307, _)
        | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            Problem::WrongRegion { detail }
        }
        (401 | 403, _) | (_, "ExpiredToken" | "InvalidToken") => Problem::AccessDenied { detail },
        (408 | 429, _) | (500.., _) | (_, "RequestTimeout" | "SlowDown") => Problem::Unavailable { detail },
        _ => Problem::Rejected { detail },
    }
}

/// Whether S3 answered that the object has no bytes in the range (416).
pub(crate) fn is_range_not_satisfiable<E>(error: &SdkError<E>) -> bool {
    error.raw_response().is_some_and(|response| response.status().as_u16() == 416)
}

/// An error and what led to it, without repetitions.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    Shown(&text).to_string()
}
