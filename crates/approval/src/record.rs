//! The record.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stagegate_state_store::{Document, Folder, Key};

use crate::step::TOLD_AFTER;
use crate::{ApprovalId, Grounds, Looks, Place, Release, Terms, Token};

/// Everything about one approval: the document `approvals/<id>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its name.
    pub id: ApprovalId,
    /// The action that waits.
    pub place: Place,
    /// What answers it.
    pub token: Token,
    /// The pipeline execution, where it is known.
    #[serde(default)]
    pub execution: Option<String>,
    /// The execution of the action, where it is known.
    #[serde(default)]
    pub action_execution: Option<String>,
    /// When Stagegate heard of it.
    pub requested_at: Timestamp,
    /// When CodePipeline gives up, where it is known.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// The action's `CustomData`.
    #[serde(default)]
    pub custom_data: Option<String>,
    /// The action's `ExternalEntityLink`.
    #[serde(default)]
    pub review_link: Option<String>,
    /// The pipeline in the console, without the token.
    #[serde(default)]
    pub console_link: Option<String>,
    /// How it is decided.
    pub terms: Terms,
    /// What it is about.
    pub release: Release,
    /// The Slack app and workspace in which it was posted; only from there are votes taken.
    #[serde(default)]
    pub installation: Option<Installation>,
    /// The votes, one a person.
    #[serde(default)]
    pub votes: Vec<Vote>,
    /// How far it is.
    pub phase: Phase,
    /// The messages about it.
    pub notices: Vec<Notice>,
    /// What the gate that may answer for people has seen.
    #[serde(default)]
    pub looks: Looks,
    /// How many reminders are due so far.
    #[serde(default)]
    pub reminders: u32,
    /// Whether others were asked.
    #[serde(default)]
    pub is_escalated: bool,
    /// The attempts to answer.
    #[serde(default)]
    pub answering: Tries,
    /// Whether the audit document is written.
    #[serde(default)]
    pub is_audited: bool,
    /// The attempts to write the audit document.
    #[serde(default)]
    pub auditing: Tries,
    /// Counts the changes that people should see.
    pub revision: u32,
    /// Who does what is owed.
    #[serde(default)]
    pub lease: Option<Lease>,
}

impl Document for Approval {
    const KIND: &'static str = "approval";
    const VERSION: u32 = 1;
}

impl Approval {
    /// Where the record is kept.
    pub fn key(id: &ApprovalId) -> Key<Self> {
        Key::new(&["approvals", id.as_str()])
    }

    /// The votes of one kind.
    pub fn votes_for(&self, ruling: Ruling) -> impl Iterator<Item = &Vote> {
        self.votes.iter().filter(move |vote| vote.ruling == ruling)
    }

    /// Whether people can still vote.
    pub fn is_requested(&self) -> bool {
        matches!(self.phase, Phase::Requested)
    }

    /// Whether people are told that CodePipeline does not take the answer.
    pub fn is_answer_stuck(&self) -> bool {
        matches!(self.phase, Phase::Deciding { .. }) && self.answering.failed >= TOLD_AFTER
    }

    /// How it ended, where it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Decided { outcome } | Phase::Closed { outcome } => Some(outcome),
            Phase::Requested | Phase::Deciding { .. } => None,
        }
    }

    /// The Slack messages that carry its buttons.
    pub fn messages(&self) -> impl Iterator<Item = &SlackMessage> {
        let asking = self.notices.iter().filter(|notice| notice.kind.asks());
        asking.filter_map(|notice| notice.delivery()?.message.as_ref())
    }
}

/// That an approval is open, so that open ones are found without reading all there ever were: `open/<id>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenApproval {
    /// The action that waits.
    pub place: Place,
    /// The pipeline execution, where it is known.
    #[serde(default)]
    pub execution: Option<String>,
}

impl Document for OpenApproval {
    const KIND: &'static str = "open-approval";
    const VERSION: u32 = 1;
}

impl OpenApproval {
    /// Where it is kept.
    pub fn key(id: &ApprovalId) -> Key<Self> {
        Key::new(&["open", id.as_str()])
    }

    /// Where all of them are kept.
    pub fn folder() -> Folder<Self> {
        Folder::new(&["open"])
    }
}

/// A Slack app in a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// The app.
    pub app: String,
    /// The workspace.
    pub team: String,
}

/// How far an approval is. It only ever goes forward.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// People are asked.
    Requested,
    /// It is decided here, and CodePipeline has yet to hear of it.
    Deciding {
        /// The decision.
        decision: Decision,
    },
    /// It is over, and not everybody has heard of it.
    Decided {
        /// How it ended.
        outcome: Outcome,
    },
    /// It is over, and there is nothing left to do.
    Closed {
        /// How it ended.
        outcome: Outcome,
    },
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

impl Ruling {
    /// As it stands in a sentence, and in CodePipeline's API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "Approved",
            Self::Rejected => "Rejected",
        }
    }
}

/// What was decided here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Yes or no.
    pub ruling: Ruling,
    /// By whom.
    pub reason: Reason,
    /// What CodePipeline is told, at most 512 characters. It is unlike that of any other decision, so that an answer whose
    /// outcome was lost is known again.
    pub summary: String,
    /// When.
    pub at: Timestamp,
}

/// Why something was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Enough people have voted so.
    Votes,
    /// Nobody has decided in time.
    Deadline,
    /// A gate has answered for people.
    Gate {
        /// The gate.
        gate: String,
        /// What it said.
        summary: String,
    },
}

/// How an approval ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// CodePipeline took the decision of here.
    Desk {
        /// The decision.
        decision: Decision,
        /// When CodePipeline took it.
        at: Timestamp,
    },
    /// Somebody answered in the console or by the API.
    Elsewhere {
        /// How, where it is known.
        ruling: Option<Ruling>,
        /// Who, as CodePipeline names them.
        by: Option<String>,
        /// Their comment.
        summary: Option<String>,
        /// When it was noticed.
        at: Timestamp,
    },
    /// A newer execution took the place of this one.
    Superseded {
        /// When it was noticed.
        at: Timestamp,
    },
    /// The execution was stopped or cancelled.
    Stopped {
        /// When it was noticed.
        at: Timestamp,
    },
    /// Nobody answered in the time that the action gives.
    Expired {
        /// When it was noticed.
        at: Timestamp,
    },
    /// The action does not wait any more, and CodePipeline does not say why.
    Gone {
        /// When it was noticed.
        at: Timestamp,
    },
}

impl Outcome {
    /// When it ended, or when that was noticed.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Desk { at, .. }
            | Self::Elsewhere { at, .. }
            | Self::Superseded { at }
            | Self::Stopped { at }
            | Self::Expired { at }
            | Self::Gone { at } => *at,
        }
    }
}

/// What one person wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// The person, by Slack user id.
    pub user: String,
    /// What to call them.
    pub name: String,
    /// Yes or no.
    pub ruling: Ruling,
    /// Why, in their words.
    #[serde(default)]
    pub comment: Option<String>,
    /// By what they may decide.
    pub grounds: Grounds,
    /// When Slack's request arrived.
    pub at: Timestamp,
}

/// A message that is to be sent, or was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it says.
    pub kind: NoticeKind,
    /// The channel, by its name in `stagegate.yaml`.
    pub channel: String,
    /// What became of it.
    pub state: NoticeState,
    /// The attempts at what is to be done next with it.
    #[serde(default)]
    pub tries: Tries,
}

impl Notice {
    pub(crate) fn new(kind: NoticeKind, channel: &str) -> Self {
        Self { kind, channel: channel.to_owned(), state: NoticeState::Waiting, tries: Tries::default() }
    }

    /// Where it is, if it was sent.
    pub fn delivery(&self) -> Option<&Delivery> {
        match &self.state {
            NoticeState::Sent(delivery) => Some(delivery),
            NoticeState::Waiting | NoticeState::Dropped { .. } => None,
        }
    }
}

/// What a message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Asks for a decision.
    Request,
    /// Asks others, because nobody has decided.
    Escalation,
    /// Reminds people.
    Reminder,
    /// Says that the gate leaves the decision to people, and why.
    Handover,
    /// Says how it ended, where the request cannot be changed.
    Result,
}

impl NoticeKind {
    /// Whether it has buttons, and changes with the approval.
    pub fn asks(self) -> bool {
        matches!(self, Self::Request | Self::Escalation)
    }
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It was not sent yet.
    Waiting,
    /// It was sent.
    Sent(Delivery),
    /// It is not sent, or not changed, any more.
    Dropped {
        /// Why.
        why: String,
    },
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Where it is in Slack; nothing for channels that do not say.
    #[serde(default)]
    pub message: Option<SlackMessage>,
    /// Which revision of the record it shows.
    pub shown: u32,
}

impl Delivery {
    /// Whether Slack does not let it be changed any more.
    pub(crate) fn is_final(&self) -> bool {
        self.shown == u32::MAX
    }
}

/// A message in Slack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlackMessage {
    /// The channel's id.
    pub channel: String,
    /// The message's time, by which it is known.
    pub ts: String,
    /// A link to it.
    #[serde(default)]
    pub link: Option<String>,
}

/// Attempts at something that have failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tries {
    /// How many.
    #[serde(default)]
    pub failed: u32,
    /// When it is tried again.
    #[serde(default)]
    pub again_at: Option<Timestamp>,
    /// What went wrong last, reading after "failed to".
    #[serde(default)]
    pub why: Option<String>,
}

/// One process at a time does what is owed. Where it dies, another one may after a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The invocation that has it.
    pub holder: String,
    /// Until when, unless it says more.
    pub until: Timestamp,
}
