//! Overrides: a person lets one execution through a gate, for a while and with a reason.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stagegate_state_store::{Document, Folder, Key};

/// A person's word that one execution may pass one gate: `overrides/<execution>/<gate>.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The pipeline.
    pub pipeline: String,
    /// The execution; the override holds for no other.
    pub execution: String,
    /// The gate; the override holds for no other.
    pub gate: String,
    /// Who gave it.
    pub who: String,
    /// Why.
    pub why: String,
    /// When it was given.
    pub at: Timestamp,
    /// From when on it no longer holds.
    pub until: Timestamp,
}

impl Document for Override {
    const KIND: &'static str = "override";
    const VERSION: u32 = 1;
    const MAX_BYTES: usize = 64 << 10;
}

/// That an override was given: `audit/<date>/<id>.json`. It is never replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideGiven {
    /// What was done: `override`.
    pub what: String,
    /// The override as it was given.
    pub given: Override,
    /// By what it is known who gave it; nothing where that is only what the caller of the command said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<String>,
}

impl Document for OverrideGiven {
    const KIND: &'static str = "override-given";
    const VERSION: u32 = 1;
    const MAX_BYTES: usize = 64 << 10;
}

impl Override {
    /// Where the override of a gate for an execution is kept.
    pub fn key(execution: &str, gate: &str) -> Key<Self> {
        Key::new(&["overrides", execution, gate])
    }

    /// Where the overrides for an execution are kept.
    pub fn folder(execution: &str) -> Folder<Self> {
        Folder::new(&["overrides", execution])
    }

    /// The audit entry of it, and where that is kept. `id` is unique.
    pub fn audited(&self, id: &str) -> (Key<OverrideGiven>, OverrideGiven) {
        let day = self.at.strftime("%Y-%m-%d").to_string();
        let given = OverrideGiven { what: "override".to_owned(), given: self.clone(), verified: None };
        (Key::new(&["audit", &day, id]), given)
    }

    /// Why it does not hold for this gate and execution at this time; nothing where it does.
    pub fn fault(&self, execution: &str, gate: &str, now: Timestamp) -> Option<String> {
        // The key says both already. A document that was copied by hand to another place says something else.
        if self.execution != execution {
            return Some(format!("it was given for the execution {}", self.execution));
        }
        if self.gate != gate {
            return Some(format!("it was given for the gate {}", self.gate));
        }
        if self.who.trim().is_empty() || self.why.trim().is_empty() {
            return Some("it does not say who gave it and why".to_owned());
        }
        (now >= self.until).then(|| format!("it held until {}", self.until))
    }
}
