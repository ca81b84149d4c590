//! What one look at one condition showed.

use serde::{Deserialize, Serialize};

/// How a condition stands at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Met,
    /// It does not hold yet, and nothing is broken: a closed window, a time that has not passed, data that have not come.
    NotYet,
    /// It could not be measured. This says nothing about the release.
    Error,
    /// It was measured, and it does not hold.
    Failed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Met, Self::NotYet, Self::Error, Self::Failed];

    /// Two conditions together. A failed measurement is known whatever else is not; what could not be measured is not
    /// known whatever else waits.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.weight() >= other.weight() { self } else { other }
    }

    fn weight(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::NotYet => 1,
            Self::Error => 2,
            Self::Failed => 3,
        }
    }
}

/// What one look at one condition showed, for people and for the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// The condition's key in the policy, for example `alarms`.
    pub rule: &'static str,
    /// How it stands.
    pub state: State,
    /// What was measured.
    pub observed: Option<String>,
    /// What is asked for.
    pub limit: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// The alarms, gates or windows meant.
    pub subjects: Vec<String>,
}

impl Measured {
    /// A look at the condition `rule` that says `message`.
    pub fn new(rule: &'static str, state: State, message: impl Into<String>) -> Self {
        Self { rule, state, observed: None, limit: None, message: message.into(), subjects: Vec::new() }
    }

    /// Adds what was measured and what is asked for.
    #[must_use]
    pub fn with(mut self, observed: impl ToString, limit: impl ToString) -> Self {
        self.observed = Some(observed.to_string());
        self.limit = Some(limit.to_string());
        self
    }

    /// Adds what is meant.
    #[must_use]
    pub fn about(mut self, subjects: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.subjects = subjects.into_iter().map(Into::into).collect();
        self
    }
}

/// All conditions together.
pub fn together(measured: &[Measured]) -> State {
    measured.iter().map(|one| one.state).fold(State::Met, State::and)
}
