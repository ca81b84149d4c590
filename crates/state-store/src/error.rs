//! What can go wrong with a document, in words for the person who has to do something about it.

use std::fmt;

/// A document could not be read, written or listed. Reads after "failed to"; never shows what a document contains.
#[derive(Clone, thiserror::Error)]
#[error("{action} s3://{bucket}/{key}: {problem}{}", outcome(*.may_have_been_written))]
pub struct StateError {
    action: Action,
    bucket: String,
    key: String,
    problem: Problem,
    may_have_been_written: bool,
}

fn outcome(may_have_been_written: bool) -> &'static str {
    if may_have_been_written { "; an attempt that was not answered may still have been done" } else { "" }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Read,
    Write,
    Remove,
    List,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read the state document",
            Self::Write => "write the state document",
            Self::Remove => "remove the state document",
            Self::List => "list the state documents below",
        })
    }
}

/// Who can do something about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A right is missing; the text names it.
    Permission,
    /// S3 or the network failed, or too many others wrote the same document; the same call may succeed later.
    Unavailable,
    /// The bucket is missing, in another Region, or refuses the request.
    Configuration,
    /// What is stored is not what was expected. Somebody has to look at it.
    Corrupt,
    /// A document or a list is over its bound.
    Limit,
}

impl StateError {
    pub(crate) fn new(action: Action, bucket: &str, key: &str, problem: Problem) -> Self {
        Self { action, bucket: bucket.to_owned(), key: key.to_owned(), problem, may_have_been_written: false }
    }

    pub(crate) fn unanswered(mut self, may_have_been_written: bool) -> Self {
        self.may_have_been_written |= may_have_been_written;
        self
    }

    /// Who can do something about it.
    pub fn kind(&self) -> ErrorKind {
        self.problem.kind()
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The object's key, or the folder that was listed.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether an attempt to write was not answered and may have been done all the same. Whoever tries again must then
    /// be ready to find the document written; [`StateStore::update`](crate::StateStore::update) would apply its change
    /// a second time.
    pub fn may_have_been_written(&self) -> bool {
        self.may_have_been_written
    }
}

impl fmt::Debug for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateError").field("kind", &self.kind()).field("text", &self.to_string()).finish()
    }
}

/// What went wrong.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("S3 denied access ({detail}); the function's role needs {rights}")]
    AccessDenied { detail: String, rights: String },
    #[error(
        "S3 could not use the bucket's KMS key ({detail}); check that the key is enabled and admits the function's role \
         with kms:Decrypt and kms:GenerateDataKey"
    )]
    KeyUnusable { detail: String },
    #[error("the bucket does not exist; check the name of the state bucket in the function's environment")]
    BucketMissing,
    #[error("the bucket is in another AWS Region ({detail}); keep the state bucket in the Region of the function")]
    WrongRegion { detail: String },
    #[error("S3 refused the request ({detail})")]
    Rejected { detail: String },
    #[error("S3 is not available ({detail}, {attempts} attempts); run it again")]
    Unavailable { detail: String, attempts: u32 },
    #[error("others changed it each of the {attempts} times that this was tried; run it again")]
    Contended { attempts: u32 },
    #[error("more than {remembered} others have written it since, so that the outcome is not known; look at it")]
    OutcomeUnknown { remembered: usize },
    #[error("what is stored there cannot be used: {reason}; restore an earlier version of the object or delete it")]
    Corrupt { reason: String },
    #[error(
        "it has version {version}, and this Stagegate knows {known}; deploy all functions from the same version of Stagegate"
    )]
    Newer { version: u32, known: u32 },
    #[error("the {kind} cannot be written as JSON")]
    Unwritable { kind: &'static str },
    #[error("the {kind} has {} bytes, and {limit} are allowed", size_text(*.size))]
    TooLarge { kind: &'static str, size: Option<usize>, limit: usize },
    #[error("there are more than {limit} objects")]
    TooMany { limit: usize },
}

fn size_text(size: Option<usize>) -> String {
    size.map_or_else(|| "more".to_owned(), |size| size.to_string())
}

impl Problem {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::AccessDenied { .. } | Self::KeyUnusable { .. } => ErrorKind::Permission,
            Self::BucketMissing | Self::WrongRegion { .. } | Self::Rejected { .. } | Self::Newer { .. } => {
                ErrorKind::Configuration
            }
            Self::Unavailable { .. } | Self::Contended { .. } | Self::OutcomeUnknown { .. } => ErrorKind::Unavailable,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::TooLarge { .. } | Self::TooMany { .. } | Self::Unwritable { .. } => ErrorKind::Limit,
        }
    }
}
