//! The kinds of notices.

use serde::{Deserialize, Serialize};

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// An execution has begun.
    Started,
    /// An action, or the execution as a whole, has failed.
    Failed,
    /// An execution has succeeded.
    Succeeded,
    /// An execution has succeeded after one had failed.
    Recovered,
    /// An action waits for an approval.
    Approval,
    /// A newer execution has overtaken this one.
    Superseded,
    /// Somebody has stopped the execution, or the pipeline was changed under it.
    Stopped,
    /// The execution rolls a stage back.
    RolledBack,
    /// Nothing has gone on for a while.
    Stuck,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [Self; 9] = [
        Self::Started,
        Self::Failed,
        Self::Succeeded,
        Self::Recovered,
        Self::Approval,
        Self::Superseded,
        Self::Stopped,
        Self::RolledBack,
        Self::Stuck,
    ];

    /// The name, as it stands in `stagegate.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
            Self::Recovered => "recovered",
            Self::Approval => "approval",
            Self::Superseded => "superseded",
            Self::Stopped => "stopped",
            Self::RolledBack => "rolled_back",
            Self::Stuck => "stuck",
        }
    }
}
