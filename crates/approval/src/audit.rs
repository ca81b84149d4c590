//! What is kept for good.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use stagegate_state_store::{Document, Folder, Key};

use crate::{Approval, ApprovalId, Outcome, Place, Release, Terms, VerdictNote, Vote};

/// How an approval ended: `audit/<date>/<id>.json`. It is created once and never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// The approval.
    pub id: ApprovalId,
    /// The action that waited.
    pub place: Place,
    /// The pipeline execution.
    #[serde(default)]
    pub execution: Option<String>,
    /// When Stagegate heard of it.
    pub requested_at: Timestamp,
    /// How it ended.
    pub outcome: Outcome,
    /// All votes.
    pub votes: Vec<AuditVote>,
    /// How it was decided.
    pub terms: Terms,
    /// What it was about; the verdicts with their digests.
    pub release: Release,
    /// What the gate that may answer for people has found, where it came to an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub automatic: Option<VerdictNote>,
    /// Links to the messages.
    pub messages: Vec<String>,
}

/// A vote.
pub type AuditVote = Vote;

impl Document for Audit {
    const KIND: &'static str = "audit";
    const VERSION: u32 = 1;
}

impl Audit {
    /// The document of an approval that is over.
    pub fn of(approval: &Approval) -> Option<Self> {
        let messages = approval.messages();
        let links =
            messages.map(|message| message.link.clone().unwrap_or_else(|| message.channel.clone() + "/" + &message.ts));
        Some(Self {
            id: approval.id.clone(),
            place: approval.place.clone(),
            execution: approval.execution.clone(),
            requested_at: approval.requested_at,
            outcome: approval.outcome()?.clone(),
            votes: approval.votes.clone(),
            terms: approval.terms.clone(),
            release: approval.release.clone(),
            automatic: approval.looks.found.clone(),
            messages: links.collect(),
        })
    }

    /// Where it is kept.
    pub fn key(&self) -> Key<Self> {
        Key::new(&["audit", &day(self.outcome.at()), self.id.as_str()])
    }

    /// Where those of a day are kept.
    pub fn folder(day: jiff::civil::Date) -> Folder<Self> {
        Folder::new(&["audit", &day.to_string()])
    }
}

/// The day in UTC.
fn day(at: Timestamp) -> String {
    Offset::UTC.to_datetime(at).date().to_string()
}
