//! What is known about a release at one moment: gathered outside, judged here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use stagegate_verdict::{Execution, Outcome};

/// Why something could not be measured. Reads as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unmeasured(String);

impl Unmeasured {
    /// With the reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

/// Something that was measured, or why it could not be.
pub type Known<T> = Result<T, Unmeasured>;

/// Whose release it is.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// The pipeline, the stage and the execution, as far as they are known.
    pub execution: Execution,
    /// The pipeline variables of the execution: its labels.
    pub variables: Known<BTreeMap<String, String>>,
}

/// What is measured outside of the policy, beside the time.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The alarms that were found.
    pub alarms: Option<Known<Vec<AlarmFact>>>,
    /// The stage that a soak time counts from.
    pub stage: Option<Known<StageFact>>,
    /// The verdict of each gate, in the order of the policy; `None` where it has given none yet.
    pub verdicts: Vec<Known<Option<VerdictFact>>>,
    /// The values of each metric, in the order of the policy.
    pub metrics: Vec<Known<Vec<f64>>>,
    /// The answer of each probe, in the order of the policy.
    pub probes: Vec<Known<ProbeFact>>,
}

/// An alarm of CloudWatch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmFact {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
    /// Since when.
    pub since: Option<Timestamp>,
    /// CloudWatch's reason for the state.
    pub reason: String,
    /// What CloudWatch could not evaluate, if anything: then the state says nothing about now.
    pub unevaluated: Option<String>,
}

/// The state of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlarmState {
    /// `OK`.
    Ok,
    /// `ALARM`.
    Alarm,
    /// `INSUFFICIENT_DATA`.
    InsufficientData,
    /// One that this version does not know.
    Other(String),
}

/// What became of an earlier stage in this execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageFact {
    /// The execution has no action of that stage: yet, or at all.
    NotReached,
    /// An action of it is running.
    Running,
    /// An action of it has not succeeded.
    NotSucceeded {
        /// The action.
        action: String,
        /// Its status.
        status: String,
    },
    /// All its actions have succeeded.
    Succeeded {
        /// When the last of them did.
        at: Timestamp,
    },
}

/// The verdict that another gate has given about this execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictFact {
    /// How it came out.
    pub outcome: Outcome,
    /// When it was given.
    pub at: Timestamp,
    /// Its one line for people.
    pub summary: String,
}

/// What a URL answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeFact {
    /// The value is as asked for.
    Holds,
    /// The value is another one.
    DoesNotHold {
        /// The value, where there is one.
        actual: Option<String>,
        /// What was expected.
        expected: Option<String>,
    },
}
