//! What can go wrong at the desk.

use codepipeline_job::FailureCause;
use stagegate_channel::SecretError;
use stagegate_slack::SlackError;
use stagegate_state_store::StateError;

/// Something failed. Reads after "failed to"; never shows a secret.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The function is set up wrongly.
    #[error("{0}")]
    Configuration(String),
    /// A document.
    #[error(transparent)]
    State(#[from] StateError),
    /// A channel.
    #[error("{0}")]
    Channel(String),
    /// Slack.
    #[error(transparent)]
    Slack(#[from] SlackError),
    /// A secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// Another AWS service.
    #[error("{what}: {why}")]
    Aws {
        /// What was wanted, reading after "failed to".
        what: String,
        /// What AWS said.
        why: String,
    },
}

impl DeskError {
    /// The failure of a call of AWS.
    pub(crate) fn aws(what: impl Into<String>, error: &(impl FailureCause + 'static)) -> Self {
        Self::Aws { what: what.into(), why: error.failure_message() }
    }
}
