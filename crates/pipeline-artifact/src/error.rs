//! What can go wrong with an artifact, in words for the person who reads them in the CodePipeline console.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::client::ArtifactLocation;
use crate::limits::Limit;
use crate::zip::{ArchiveFault, EntryFault, EntryRefusal};

/// An artifact could not be read or written. Reads after "failed to"; cheap to clone.
#[derive(Clone)]
pub struct ArtifactError(Arc<Report>);

struct Report {
    action: Action,
    location: ArtifactLocation,
    entry: Option<String>,
    problem: Problem,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Read,
    Write,
}

impl ArtifactError {
    pub(crate) fn reading(location: &ArtifactLocation, problem: impl Into<Problem>) -> Self {
        Self::new(Action::Read, location, None, problem.into())
    }

    pub(crate) fn reading_entry(location: &ArtifactLocation, entry: &str, problem: impl Into<Problem>) -> Self {
        Self::new(Action::Read, location, Some(entry.to_owned()), problem.into())
    }

    pub(crate) fn writing(location: &ArtifactLocation, problem: impl Into<Problem>) -> Self {
        Self::new(Action::Write, location, None, problem.into())
    }

    fn new(action: Action, location: &ArtifactLocation, entry: Option<String>, problem: Problem) -> Self {
        Self(Arc::new(Report { action, location: location.clone(), entry, problem }))
    }

    /// What went wrong.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The artifact.
    pub fn location(&self) -> &ArtifactLocation {
        &self.0.location
    }

    /// The path of the file in the artifact, where one file is concerned.
    pub fn entry(&self) -> Option<&str> {
        self.0.entry.as_deref()
    }

    /// Who can do something about it.
    pub fn kind(&self) -> FailureKind {
        self.0.problem.kind()
    }

    /// The artifact error that an [`EntryReader`](crate::EntryReader) has put into an `io::Error`.
    pub fn from_io(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { action, location, entry, problem } = &*self.0;
        let verb = match action {
            Action::Read => "read",
            Action::Write => "write",
        };
        match entry {
            Some(entry) => write!(f, "{verb} `{}` in artifact {location}: {problem}", Shown(entry)),
            None => write!(f, "{verb} artifact {location}: {problem}"),
        }
    }
}

impl fmt::Debug for ArtifactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactError")
            .field("action", &self.0.action)
            .field("location", &self.0.location)
            .field("entry", &self.0.entry)
            .field("problem", &self.0.problem)
            .finish()
    }
}

impl std::error::Error for ArtifactError {}

impl From<ArtifactError> for io::Error {
    fn from(error: ArtifactError) -> Self {
        let kind = match error.kind() {
            FailureKind::Permission => io::ErrorKind::PermissionDenied,
            FailureKind::InvalidArtifact => io::ErrorKind::InvalidData,
            FailureKind::Configuration | FailureKind::Unavailable => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// Who can do something about a failure; callers map it to CodePipeline's failure types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The pipeline, its bucket or the action is set up wrongly (`ConfigurationError`).
    Configuration,
    /// A right is missing (`PermissionError`).
    Permission,
    /// S3 or the network failed; the same call may succeed later (`SystemUnavailable`).
    Unavailable,
    /// The artifact itself cannot be used (`JobFailed`).
    InvalidArtifact,
}

/// What went wrong with an artifact.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// S3 answered 403, or the credentials were not accepted.
    #[error(
        "S3 denied access ({detail}); the pipeline's artifact credentials, which come from the pipeline's service role, \
         or the policies of the bucket or of its KMS key may lack the right (S3 also denies access to an object that does \
         not exist where s3:ListBucket is missing)"
    )]
    AccessDenied {
        /// S3's code and message.
        detail: String,
    },
    /// S3 could not use the KMS key of the object.
    #[error(
        "S3 could not use the KMS key ({detail}); check that the key is enabled and that its policy admits the pipeline's service role"
    )]
    KeyUnusable {
        /// S3's code and message.
        detail: String,
    },
    /// There is no object of that key.
    #[error(
        "the object does not exist; a lifecycle rule of the bucket may have expired it: run the pipeline again from its source"
    )]
    Missing,
    /// There is no bucket of that name.
    #[error("the bucket does not exist; check the artifact store of the pipeline")]
    BucketMissing,
    /// The bucket is in another Region than the one that was asked.
    #[error(
        "the bucket is in another AWS Region than the one that was asked ({detail}); run the function in the Region of the action"
    )]
    WrongRegion {
        /// S3's code and message.
        detail: String,
    },
    /// The object is in an archive storage class.
    #[error("the object is in an archive storage class and cannot be read; check the lifecycle rules of the bucket")]
    Archived,
    /// S3 refused the request for another reason.
    #[error("S3 refused the request ({detail})")]
    Rejected {
        /// S3's code and message.
        detail: String,
    },
    /// The object was replaced while it was read.
    #[error("the object was replaced while it was being read; run the action again")]
    Changed,
    /// S3 or the network failed.
    #[error("S3 is not available ({detail}); run the action again")]
    Unavailable {
        /// The SDK's description.
        detail: String,
    },
    /// The download broke off more often than it is resumed.
    #[error(
        "the download broke off at byte {at} after {resumes} attempts to resume it ({detail}); run the action again"
    )]
    Interrupted {
        /// Offset in the object.
        at: u64,
        /// Attempts to go on.
        resumes: u32,
        /// The last failure.
        detail: String,
    },
    /// The answer is not what was asked for.
    #[error("the answer does not fit the request ({detail}); is the endpoint really S3?")]
    UnexpectedAnswer {
        /// What does not fit.
        detail: String,
    },
    /// The task that downloads has been ended, as at shutdown.
    #[error("the download was stopped before the file was complete")]
    Stopped,
    /// The object has no bytes.
    #[error("the object is empty (0 bytes), not a ZIP archive; check what the previous action uploads")]
    Empty,
    /// The object is no ZIP archive.
    #[error("it is not a ZIP archive but {looks_like}; the action that wrote it must package its output as ZIP")]
    NotZip {
        /// What the first bytes look like.
        looks_like: String,
    },
    /// The archive is damaged or ambiguous.
    #[error("the ZIP archive is damaged or ambiguous: {0}")]
    Archive(#[from] ArchiveFault),
    /// The entry is of a kind that is not read.
    #[error("{0}")]
    Refused(#[from] EntryRefusal),
    /// The entry is damaged or ambiguous.
    #[error("the file is damaged or ambiguous: {0}")]
    Entry(#[from] EntryFault),
    /// A bound was exceeded.
    #[error("{observed} {limit} are more than the limit of {allowed}")]
    LimitExceeded {
        /// Which one.
        limit: Limit,
        /// The number met; counting stops there, so the whole may be larger.
        observed: u64,
        /// The number allowed.
        allowed: u64,
    },
    /// A file cannot be put into an output artifact.
    #[error("cannot put `{}` into the archive: {reason}", Shown(path))]
    Unwritable {
        /// The path asked for.
        path: String,
        /// Why not.
        reason: String,
    },
}

impl Problem {
    /// Who can do something about it.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::AccessDenied { .. } | Self::KeyUnusable { .. } => FailureKind::Permission,
            Self::Missing | Self::BucketMissing | Self::WrongRegion { .. } | Self::Archived | Self::Rejected { .. } => {
                FailureKind::Configuration
            }
            Self::Changed
            | Self::Unavailable { .. }
            | Self::Interrupted { .. }
            | Self::UnexpectedAnswer { .. }
            | Self::Stopped => FailureKind::Unavailable,
            Self::Empty
            | Self::NotZip { .. }
            | Self::Archive(_)
            | Self::Refused(_)
            | Self::Entry(_)
            | Self::LimitExceeded { .. }
            | Self::Unwritable { .. } => FailureKind::InvalidArtifact,
        }
    }
}

/// Text from an archive, made safe for a terminal and short enough for a message.
pub(crate) struct Shown<'a, T: ?Sized = String>(pub(crate) &'a T);

impl<T: AsRef<str> + ?Sized> fmt::Display for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 200;
        let text = self.0.as_ref();
        let mut characters = text.chars();
        for character in characters.by_ref().take(LONGEST) {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                write!(f, "{character}")?;
            }
        }
        if characters.next().is_some() {
            f.write_str("...")?;
        }
        Ok(())
    }
}
