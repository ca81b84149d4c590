//! The states of executions, stages and actions. Their order decides between two at the same time: AWS gives seconds only.

use serde::{Deserialize, Serialize};

macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$state_doc:meta])* $state:ident: $($text:literal)|+,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$state_doc])* $state,)*
        }

        impl $name {
            /// Reads the state as events and as CodePipeline's API write it; `None` for one that is not known.
            pub fn read(text: &str) -> Option<Self> {
                let text = text.to_ascii_uppercase();
                $(if [$($text),+].contains(&text.as_str()) {
                    return Some(Self::$state);
                })*
                None
            }
        }
    };
}

states! {
    /// How an execution stands.
    ExecutionState {
        /// It runs.
        Started: "STARTED" | "INPROGRESS",
        /// It runs again, after a stage was retried.
        Resumed: "RESUMED",
        /// Somebody stops it.
        Stopping: "STOPPING",
        /// It has failed.
        Failed: "FAILED",
        /// The pipeline was changed under it.
        Canceled: "CANCELED" | "CANCELLED",
        /// Somebody has stopped it.
        Stopped: "STOPPED",
        /// A newer one has overtaken it.
        Superseded: "SUPERSEDED",
        /// It has succeeded.
        Succeeded: "SUCCEEDED",
    }
}

states! {
    /// How a stage stands.
    StageState {
        /// It runs.
        Started: "STARTED" | "INPROGRESS",
        /// It runs again.
        Resumed: "RESUMED",
        /// Somebody stops it.
        Stopping: "STOPPING",
        /// It has failed.
        Failed: "FAILED",
        /// The pipeline was changed under it.
        Canceled: "CANCELED" | "CANCELLED",
        /// Somebody has stopped it.
        Stopped: "STOPPED",
        /// It has succeeded.
        Succeeded: "SUCCEEDED",
    }
}

states! {
    /// How one execution of an action stands. It ends once, so that the greater state is the later one.
    ActionState {
        /// It runs, or waits for people.
        Started: "STARTED" | "INPROGRESS",
        /// Nobody waits for it any more.
        Abandoned: "ABANDONED",
        /// The pipeline was changed under it.
        Canceled: "CANCELED" | "CANCELLED",
        /// It has succeeded.
        Succeeded: "SUCCEEDED",
        /// It has failed.
        Failed: "FAILED",
    }
}

impl ExecutionState {
    /// Whether nothing goes on.
    pub fn is_over(self) -> bool {
        self >= Self::Failed
    }

    /// Whether it ended otherwise than by success or failure.
    pub(crate) fn is_broken_off(self) -> bool {
        matches!(self, Self::Canceled | Self::Stopped | Self::Superseded)
    }
}
