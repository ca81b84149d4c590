//! Why a job failed, in CodePipeline's words.

use std::error::Error;
use std::fmt;

use aws_sdk_codepipeline::config::http::HttpResponse;
use aws_sdk_codepipeline::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_codepipeline::types::FailureType;
use serde::{Deserialize, Serialize};

/// The `type` of `failureDetails` (AWS model of PutJobFailureResult).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FailureKind {
    /// The action or its policy is set up wrongly: a person must change it.
    ConfigurationError,
    /// The job did its work, and the result is bad; also what fits nowhere else.
    JobFailed,
    /// A right is missing.
    PermissionError,
    /// The revision is not the one that was expected.
    RevisionOutOfSync,
    /// The revision, or the artifact made from it, does not exist any more.
    RevisionUnavailable,
    /// Something that the job needs does not answer; trying again may help.
    SystemUnavailable,
}

impl FailureKind {
    /// The kind's name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ConfigurationError => "ConfigurationError",
            Self::JobFailed => "JobFailed",
            Self::PermissionError => "PermissionError",
            Self::RevisionOutOfSync => "RevisionOutOfSync",
            Self::RevisionUnavailable => "RevisionUnavailable",
            Self::SystemUnavailable => "SystemUnavailable",
        }
    }

    /// What an AWS error code and HTTP status mean for a job.
    ///
    /// Throttling and server errors are [`SystemUnavailable`](Self::SystemUnavailable), refused signatures and missing
    /// rights are [`PermissionError`](Self::PermissionError), everything else is [`JobFailed`](Self::JobFailed).
    #[must_use]
    pub fn of_service_error(code: Option<&str>, status: u16) -> Self {
        const RIGHTS: [&str; 9] = [
            "AccessDenied",
            "AccessDeniedException",
            "UnauthorizedOperation",
            "ExpiredToken",
            "ExpiredTokenException",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ];
        match code {
            Some(code) if RIGHTS.contains(&code) => Self::PermissionError,
            Some(code) if is_throttling(code) => Self::SystemUnavailable,
            _ if status == 429 || status >= 500 => Self::SystemUnavailable,
            _ if matches!(status, 401 | 403) => Self::PermissionError,
            _ => Self::JobFailed,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl From<FailureKind> for FailureType {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::ConfigurationError => Self::ConfigurationError,
            FailureKind::JobFailed => Self::JobFailed,
            FailureKind::PermissionError => Self::PermissionError,
            FailureKind::RevisionOutOfSync => Self::RevisionOutOfSync,
            FailureKind::RevisionUnavailable => Self::RevisionUnavailable,
            FailureKind::SystemUnavailable => Self::SystemUnavailable,
        }
    }
}

/// A failed job: the kind and a message for the person who looks at the action in the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) external_execution_id: Option<String>,
}

impl Failure {
    /// A failure of any kind. The message is cut to 5000 when it is sent; an empty one is replaced.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), external_execution_id: None }
    }

    /// A [`FailureKind::JobFailed`].
    #[must_use]
    pub fn job_failed(message: impl Into<String>) -> Self {
        Self::new(FailureKind::JobFailed, message)
    }

    /// A [`FailureKind::ConfigurationError`].
    #[must_use]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(FailureKind::ConfigurationError, message)
    }

    /// A failure with the text of an error and of everything that caused it.
    #[must_use]
    pub fn from_error(kind: FailureKind, error: &dyn Error) -> Self {
        Self::new(kind, error_chain(error))
    }

    /// Names the run in another system; without it, the Lambda request id is sent. Cut to 1500.
    #[must_use]
    pub fn external_execution_id(mut self, id: impl Into<String>) -> Self {
        self.external_execution_id = Some(id.into());
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.kind
    }

    /// The message, not yet cut.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.message)
    }
}

/// An error that knows which kind of failure it is: implement it, and `?` turns the error into a [`Failure`].
pub trait FailureCause: Error {
    /// The kind of failure.
    fn failure_kind(&self) -> FailureKind;

    /// The message for people; the error and its causes, separated by colons, unless the error has a better one.
    fn failure_message(&self) -> String
    where
        Self: Sized + 'static,
    {
        error_chain(self)
    }
}

impl<E: FailureCause + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::new(error.failure_kind(), error.failure_message())
    }
}

/// Gives the kind where an error does not know it.
pub trait OrFail<T> {
    /// Turns an error into a [`Failure`] of this kind, with the texts of its causes.
    ///
    /// # Errors
    ///
    /// The error that was there, as a failure.
    fn or_fail(self, kind: FailureKind) -> Result<T, Failure>;
}

impl<T, E: Error + 'static> OrFail<T> for Result<T, E> {
    fn or_fail(self, kind: FailureKind) -> Result<T, Failure> {
        self.map_err(|error| Failure::from_error(kind, &error))
    }
}

/// Errors of every AWS SDK client.
impl<E> FailureCause for SdkError<E, HttpResponse>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn failure_kind(&self) -> FailureKind {
        match self {
            Self::ServiceError(context) => {
                FailureKind::of_service_error(context.err().code(), context.raw().status().as_u16())
            }
            // An answer that is not in the service's form, such as that of a proxy, still has a status.
            Self::ResponseError(context) => match context.raw().status().as_u16() {
                status @ 400..500 => FailureKind::of_service_error(None, status),
                _ => FailureKind::SystemUnavailable,
            },
            Self::TimeoutError(_) | Self::DispatchFailure(_) => FailureKind::SystemUnavailable,
            _ => FailureKind::JobFailed,
        }
    }

    fn failure_message(&self) -> String {
        match self {
            Self::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                let code = context.err().code().unwrap_or("no error code");
                match context.err().message() {
                    Some(message) => format!("AWS answered {status} {code}: {message}"),
                    None => format!("AWS answered {status} {code}"),
                }
            }
            Self::ResponseError(context) => {
                format!("AWS answered {} in a form that cannot be read", context.raw().status().as_u16())
            }
            _ => error_chain(self),
        }
    }
}

fn is_throttling(code: &str) -> bool {
    const BUSY: [&str; 9] = [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "SlowDown",
        "ServiceUnavailable",
    ];
    BUSY.contains(&code)
}

/// An error and its causes; a cause whose text is already part of what was said is not repeated.
fn error_chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        if !said.is_empty() && !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use thiserror::Error;

    use super::*;

    #[derive(Debug, Error)]
    #[error("read the report")]
    struct Outer(#[source] std::io::Error);

    impl FailureCause for Outer {
        fn failure_kind(&self) -> FailureKind {
            FailureKind::RevisionUnavailable
        }
    }

    fn outer() -> Outer {
        Outer(std::io::Error::other("disk gone"))
    }

    #[test]
    fn errors_become_failures() {
        let by_question_mark: Result<(), Failure> = (|| Err(outer())?)();
        assert_eq!(
            by_question_mark.unwrap_err(),
            Failure::new(FailureKind::RevisionUnavailable, "read the report: disk gone")
        );
        let by_hand = Err::<(), _>(outer()).or_fail(FailureKind::SystemUnavailable).unwrap_err();
        assert_eq!(by_hand.to_string(), "SystemUnavailable: read the report: disk gone");
    }

    #[test]
    fn service_errors_have_a_kind() {
        for (code, status, expected) in [
            (Some("AccessDenied"), 403, FailureKind::PermissionError),
            (Some("AccessDeniedException"), 400, FailureKind::PermissionError),
            (None, 403, FailureKind::PermissionError),
            (Some("ThrottlingException"), 400, FailureKind::SystemUnavailable),
            (None, 429, FailureKind::SystemUnavailable),
            (Some("InternalFailure"), 500, FailureKind::SystemUnavailable),
            (Some("SlowDown"), 503, FailureKind::SystemUnavailable),
            (Some("ValidationException"), 400, FailureKind::JobFailed),
            (Some("NoSuchKey"), 404, FailureKind::JobFailed),
        ] {
            assert_eq!(FailureKind::of_service_error(code, status), expected, "{code:?} {status}");
        }
    }
}
