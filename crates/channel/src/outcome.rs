//! What became of a message.

use std::time::Duration;

use stagegate_notice::Message;
use stagegate_slack::{ErrorKind, SlackError};

use crate::SecretError;

/// How long a channel that is down is left alone.
const LATER: Duration = Duration::from_secs(30);

/// What became of a message. The texts read after "failed to" and show no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The channel has taken it.
    Delivered {
        /// Where it is, in channels that say so.
        message: Option<Message>,
    },
    /// The channel takes nothing at this time, and would not later either, until somebody has done something about it.
    Refused {
        /// Why, and what to do.
        why: String,
    },
    /// The channel does not take this message, and never will; it may take others.
    Rejected {
        /// Why.
        why: String,
    },
    /// It was not taken, and may be later.
    Later {
        /// How long the channel should be left alone.
        after: Duration,
        /// Why.
        why: String,
    },
    /// Nobody knows whether it was taken: sent again, it may be there twice.
    Unknown {
        /// What happened.
        why: String,
    },
}

/// Whether a message is there that may have been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is.
    There(Message),
    /// It is not.
    NotThere,
    /// The channel did not answer, and may do so later.
    Later {
        /// How long it should be left alone.
        after: Duration,
    },
    /// The channel cannot be asked.
    Unknown,
}

impl Outcome {
    /// It was delivered.
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Delivered { .. })
    }

    /// Why it was not delivered.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Delivered { .. } => None,
            Self::Refused { why } | Self::Rejected { why } | Self::Later { why, .. } | Self::Unknown { why } => {
                Some(why)
            }
        }
    }

    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }

    pub(crate) fn rejected(why: impl Into<String>) -> Self {
        Self::Rejected { why: why.into() }
    }

    pub(crate) fn later(after: Option<Duration>, why: impl Into<String>) -> Self {
        Self::Later { after: after.unwrap_or(LATER), why: why.into() }
    }

    /// An answer with a status of 500 and more says that nothing was done; an answer that did not come says nothing.
    pub(crate) fn of_slack(error: &SlackError) -> Self {
        let why = error.to_string();
        let has_failed_itself = error.status().is_some_and(|status| status >= 500);
        match error.kind() {
            _ if error.may_have_been_done() && !has_failed_itself => Self::Unknown { why },
            ErrorKind::RateLimited => Self::later(error.retry_after(), why),
            ErrorKind::Unavailable => Self::later(None, why),
            _ if error.is_about_the_message() => Self::Rejected { why },
            ErrorKind::Permission | ErrorKind::NotFound | ErrorKind::Rejected => Self::Refused { why },
        }
    }

    pub(crate) fn of_secret(error: &SecretError) -> Self {
        let why = error.to_string();
        match error {
            SecretError::Refused { .. } => Self::later(None, why),
            SecretError::NotConfigured { .. } | SecretError::Missing { .. } | SecretError::Empty { .. } => {
                Self::Refused { why }
            }
        }
    }
}
