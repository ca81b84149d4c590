//! A vote or an override on its way.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stagegate_approval::{ApprovalId, Installation, Ruling};
use stagegate_slack::interaction::Origin;

/// What a modal carries, from the click to its submission. Slack keeps it, and signs what it sends back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) approval: ApprovalId,
    pub(crate) ruling: Ruling,
    /// The message that was clicked in.
    pub(crate) channel: String,
    pub(crate) ts: String,
    /// Whether a comment must be written, as far as that was known at the click.
    pub(crate) needs_comment: bool,
}

/// A vote that was cast by a verified request, and is not counted yet. There are no secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastVote {
    /// The approval.
    pub approval: ApprovalId,
    /// Yes or no.
    pub ruling: Ruling,
    /// Why, in their words.
    pub comment: Option<String>,
    /// Who has cast it.
    pub sender: Sender,
}

/// Who has sent something by a verified request, from where and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sender {
    /// The person.
    pub user: String,
    /// The app whose button it was.
    pub app: String,
    /// The workspace.
    pub team: String,
    /// The channel of the message that was clicked in.
    pub channel: String,
    /// That message.
    pub ts: String,
    /// When the request arrived.
    pub at: Timestamp,
}

impl Sender {
    /// Whoever has clicked in a message and then submitted a modal.
    pub(crate) fn of(origin: &Origin, channel: String, ts: String, at: Timestamp) -> Self {
        let (user, app, team) = (origin.user.to_string(), origin.app.to_string(), origin.team.to_string());
        Self { user, app, team, channel, ts, at }
    }

    /// The app in its workspace.
    pub(crate) fn installation(&self) -> Installation {
        Installation { app: self.app.clone(), team: self.team.clone() }
    }
}

/// What the modal of an override carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedOverride {
    pub(crate) approval: ApprovalId,
    /// The message that was clicked in.
    pub(crate) channel: String,
    pub(crate) ts: String,
}

/// An override that was asked for by a verified request, and is not given yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastOverride {
    /// The approval whose gate it is about.
    pub approval: ApprovalId,
    /// Why, in their words.
    pub why: String,
    /// Who wants it.
    pub sender: Sender,
}

/// What the function hands over to itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// A vote to be counted.
    #[serde(rename = "stagegate.vote")]
    Vote(CastVote),
    /// An override to be given.
    #[serde(rename = "stagegate.override")]
    Override(CastOverride),
}

impl Work {
    /// The approval that it is about.
    pub fn approval(&self) -> &ApprovalId {
        match self {
            Self::Vote(vote) => &vote.approval,
            Self::Override(cast) => &cast.approval,
        }
    }

    /// Reads an event that is not one of the URL.
    pub fn read(event: &Value) -> Option<Self> {
        serde_json::from_value(event.clone()).ok()
    }
}
