//! Requests without an answer.

use std::error::Error;

use stagegate_network_policy::Refusal;

/// There is no answer. Reads after "it" or a name; shows no URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The request has not left this machine.
    #[error("cannot be reached ({0})")]
    Unreachable(String),
    /// The request is not to leave this machine, by the policy of the client.
    #[error("is not called ({0})")]
    Forbidden(String),
    /// The request may have arrived.
    #[error("gave no complete answer ({0})")]
    Unanswered(String),
}

impl Failure {
    /// Whether the request may have arrived.
    pub fn was_sent(&self) -> bool {
        matches!(self, Self::Unanswered(_))
    }

    /// What happened.
    pub fn detail(&self) -> &str {
        match self {
            Self::Unreachable(detail) | Self::Forbidden(detail) | Self::Unanswered(detail) => detail,
        }
    }

    /// A request that never left is told from one of which the server may have got hold.
    pub(crate) fn of(error: &hyper_util::client::legacy::Error) -> Self {
        if let Some(refusal) = refusal(error) {
            return Self::Forbidden(refusal.to_string());
        }
        let detail = causes(error);
        if error.is_connect() { Self::Unreachable(detail) } else { Self::Unanswered(detail) }
    }
}

/// The refusal of a policy that stands behind an error.
fn refusal<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Refusal> {
    let mut source = Some(error);
    while let Some(cause) = source {
        let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(refusal) = inner.and_then(|inner| inner.downcast_ref()) {
            return Some(refusal);
        }
        source = cause.source();
    }
    None
}

/// An error and what caused it. None of them names the URL.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
