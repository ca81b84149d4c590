//! The statuses of executions, stages and actions, spelled as the AWS model spells them.

/// The status of a pipeline execution (`PipelineExecutionStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionStatus {
    /// It runs, or waits in front of a stage.
    InProgress,
    /// It ends when the actions that run have ended.
    Stopping,
    /// It was stopped.
    Stopped,
    /// Every stage succeeded.
    Succeeded,
    /// A stage failed.
    Failed,
    /// A newer execution took its place in front of a stage.
    Superseded,
    /// The pipeline was changed under it.
    Cancelled,
}

impl ExecutionStatus {
    /// The name in the AWS model.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Superseded => "Superseded",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether the execution has come to an end. Only RetryStageExecution makes it go on.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::InProgress | Self::Stopping)
    }
}

/// The status of a stage in one pipeline execution (`StageExecutionStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StageStatus {
    InProgress,
    Stopping,
    Stopped,
    Succeeded,
    Failed,
    Cancelled,
    /// Its entry condition has passed it by.
    Skipped,
}

impl StageStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Skipped => "Skipped",
        }
    }
}

/// The status of a condition (`ConditionExecutionStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionStatus {
    /// Its rules run.
    InProgress,
    /// A rule failed.
    Failed,
    /// Every rule succeeded.
    Succeeded,
    /// The pipeline was changed under it.
    Cancelled,
    /// Its execution was stopped.
    Abandoned,
    /// Somebody has overridden it.
    Overridden,
}

impl ConditionStatus {
    /// The name in the AWS model.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Succeeded => "Succeeded",
            Self::Cancelled => "Cancelled",
            Self::Abandoned => "Abandoned",
            Self::Overridden => "Overridden",
        }
    }
}

/// The status of an action execution (`ActionExecutionStatus`), and of a rule execution, which has the same ones. There
/// is none for a cancelled action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActionStatus {
    InProgress,
    Abandoned,
    Succeeded,
    Failed,
}

impl ActionStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Abandoned => "Abandoned",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
        }
    }
}
