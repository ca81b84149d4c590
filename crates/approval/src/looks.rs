//! What the gate that may answer for people has seen so far.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Approval, Ruling, VerdictNote};

/// How long people read the same about a gate that goes on looking, before their message is changed.
const TELL_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long an override holds. The watch looks at the gate within a minute.
const OVERRIDE_HOLDS: SignedDuration = SignedDuration::from_hours(1);

/// The looks of the gate under `automatic`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks {
    /// How many there were. A look counts only where it was built on the one before.
    #[serde(default)]
    pub count: u32,
    /// What the next look must be given, in the gate's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// When the next look is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// What the gate waits for, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// When people were last told of such a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The line that they were told of then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
    /// What the gate has found at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<VerdictNote>,
    /// Who lets the execution through the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Overridden>,
}

/// That a person lets the execution through the gate, for the reason that they give. It holds for the approval in whose
/// record it stands: who may override the gate of one approval may be an author who cannot do so in the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overridden {
    /// The person, by Slack user id.
    pub user: String,
    /// What to call them.
    pub name: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: Timestamp,
}

impl Overridden {
    /// From when on it no longer holds.
    pub fn until(&self) -> Timestamp {
        self.at.saturating_add(OVERRIDE_HOLDS).unwrap_or(Timestamp::MAX)
    }

    /// The person by name and Slack user id.
    pub fn who(&self) -> String {
        format!("{} ({})", self.name, self.user)
    }
}

/// What a look has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The gate looks again.
    Waiting {
        /// What the next look must be given; `None` leaves what there is.
        progress: Option<String>,
        /// When it is due.
        next: Timestamp,
        /// What it waits for, in one line.
        summary: String,
    },
    /// The gate has its verdict.
    Done {
        /// The verdict in short.
        found: VerdictNote,
        /// What it says in people's place; `None` where they decide.
        ruling: Option<Ruling>,
    },
}

impl Approval {
    /// Whether the gate under `automatic` is to look now.
    pub fn is_look_due(&self, now: Timestamp) -> bool {
        let is_open = self.is_requested() && self.terms.automatic.is_some() && self.looks.found.is_none();
        is_open && self.looks.next.is_none_or(|next| next <= now)
    }
}

/// Takes note of a look in which the gate found that it has to look again. Says whether people should see it now.
pub(crate) fn wait(
    looks: &mut Looks,
    progress: Option<String>,
    next: Timestamp,
    summary: String,
    now: Timestamp,
) -> bool {
    looks.count = looks.count.saturating_add(1);
    looks.progress = progress.or(looks.progress.take());
    looks.next = Some(next);
    let is_old = looks.told_at.is_none_or(|at| now.duration_since(at) >= TELL_EVERY);
    // Compared with what they were told, not with the look before: a new line that stays is news until it was told.
    let is_told = is_old && looks.told.as_ref() != Some(&summary);
    if is_told {
        (looks.told_at, looks.told) = (Some(now), Some(summary.clone()));
    }
    looks.summary = Some(summary);
    is_told
}
