//! One rule and what the evidence said about it.

use serde::{Deserialize, Serialize};

/// How a rule or a whole gate came out. Ordered from good to bad: the worst of several is their maximum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The evidence shows what the rule asks for.
    Passed,
    /// The evidence allows no decision: a person must look.
    Inconclusive,
    /// The evidence shows that the rule is broken, or there is no evidence.
    Failed,
}

impl Outcome {
    /// The outcome's name in documents and output variables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Inconclusive => "inconclusive",
            Self::Failed => "failed",
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The rule's name as in `stagegate.yaml`, for example `tests.max_failed`.
    pub rule: String,
    /// How it came out.
    pub outcome: Outcome,
    /// A shadow rule is reported and does not decide.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// What was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<String>,
    /// What the rule allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// One sentence for people.
    pub message: String,
    /// The tests, files or alarms meant; the first few of them where there are many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
}

impl Finding {
    /// A finding of `rule` that says `message`.
    pub fn new(rule: impl Into<String>, outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            rule: rule.into(),
            outcome,
            shadow: false,
            observed: None,
            limit: None,
            message: message.into(),
            subjects: Vec::new(),
        }
    }

    /// Adds what was measured and what is allowed.
    #[must_use]
    pub fn measured(mut self, observed: impl ToString, limit: impl ToString) -> Self {
        self.observed = Some(observed.to_string());
        self.limit = Some(limit.to_string());
        self
    }

    /// Adds what the finding is about.
    #[must_use]
    pub fn about(mut self, subjects: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.subjects = subjects.into_iter().map(Into::into).collect();
        self
    }

    /// Marks the finding as one that is only reported.
    #[must_use]
    pub fn shadowed(mut self, shadow: bool) -> Self {
        self.shadow = shadow;
        self
    }

    /// What this finding contributes to the verdict.
    pub fn weight(&self) -> Outcome {
        if self.shadow { Outcome::Passed } else { self.outcome }
    }
}
