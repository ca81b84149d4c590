//! What S3's answers mean for documents.

use std::error::Error;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Action, Problem};

/// How a request failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no object of that key.
    Missing,
    /// The condition did not hold.
    Refused,
    /// S3 did not do it and asks to try again.
    Busy(String),
    /// There was no answer, or one that does not say whether it was done.
    Unanswered(String),
    /// It is of no use to try again.
    Fatal(Problem),
}

impl Fault {
    /// Reads the failure of a request to `bucket`. Only S3's code and message are kept.
    pub(crate) fn of<E>(error: &SdkError<E>, action: Action, bucket: &str) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let SdkError::ServiceError(service) = error else {
            return Self::Unanswered(with_causes(error));
        };
        let status = service.raw().status().as_u16();
        let code = service.err().code().unwrap_or_default();
        let detail = match service.err().message() {
            Some(message) if !code.is_empty() => format!("{}: {}", shown(code), shown(message)),
            Some(message) => format!("HTTP {status}: {}", shown(message)),
            None => format!("HTTP {status} {}", shown(code)).trim_end().to_owned(),
        };
        match (status, code) {
            (_, code) if code.starts_with("KMS.") => Self::Fatal(Problem::KeyUnusable { detail }),
            (_, "NoSuchBucket") => Self::Fatal(Problem::BucketMissing),
            (404, _) => Self::Missing,
            (412, _) => Self::Refused,
            (409 | 429, _) | (_, "SlowDown") => Self::Busy(detail),
            (301 | 307, _) | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed") => {
                Self::Fatal(Problem::WrongRegion { detail })
            }
            (401 | 403, _) | (_, "ExpiredToken" | "InvalidToken") => {
                Self::Fatal(Problem::AccessDenied { detail, rights: rights(action, bucket) })
            }
            (408 | 500.., _) | (_, "RequestTimeout") => Self::Unanswered(detail),
            _ => Self::Fatal(Problem::Rejected { detail }),
        }
    }
}

fn rights(action: Action, bucket: &str) -> String {
    match action {
        Action::Read => format!(
            "s3:GetObject on the objects of the bucket {bucket}, and s3:ListBucket on the bucket, without which S3 denies \
             documents that do not exist"
        ),
        Action::Write => format!("s3:PutObject and s3:GetObject on the objects of the bucket {bucket}"),
        Action::Remove => format!("s3:DeleteObject on the objects of the bucket {bucket}"),
        Action::List => format!("s3:ListBucket on the bucket {bucket}"),
    }
}

/// An error and what led to it, without repetitions.
fn with_causes(error: &dyn Error) -> String {
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
    shown(&text)
}

/// Text from an answer, on one line and short enough for a message.
fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(300).collect()
}
