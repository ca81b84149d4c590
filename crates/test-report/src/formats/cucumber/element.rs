//! Scenarios and backgrounds, and what their steps and hooks say.

use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};

use crate::formats::members::{Number, Text};
use crate::model::Outcome;

/// A scenario or a background.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Element {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    keyword: Text,
    #[serde(default)]
    pub(super) name: Text,
    #[serde(default)]
    pub(super) id: Text,
    /// Left out, or no number, in some dialects: no attempt can be told then.
    #[serde(default, deserialize_with = "line")]
    pub(super) line: Option<u64>,
    /// File and line, in place of a `uri` of the feature (behave).
    #[serde(default)]
    pub(super) location: Text,
    /// The outcome of the whole scenario (behave).
    #[serde(default)]
    pub(super) status: Text,
    #[serde(default)]
    pub(super) start_timestamp: Text,
    #[serde(default)]
    pub(super) steps: Results,
    #[serde(default)]
    pub(super) before: Results,
    #[serde(default)]
    pub(super) after: Results,
    pub(super) elements: Option<IgnoredAny>,
}

fn line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Text::deserialize(deserializer)?.parse().ok())
}

impl Element {
    pub(super) fn is_background(&self) -> bool {
        let kind = if self.kind.is_empty() { &self.keyword } else { &self.kind };
        kind.eq_ignore_ascii_case("background")
    }
}

/// Results in the order of Cucumber, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Passed,
    Skipped,
    Pending,
    Undefined,
    Ambiguous,
    Failed,
    /// The runner could not run it properly (behave), or nobody knows what the word means.
    Errored,
}

/// What a status means; `None` if it is not known.
fn status(word: &str) -> Option<Status> {
    Some(match word.to_ascii_lowercase().as_str() {
        "passed" => Status::Passed,
        "skipped" | "untested" | "disabled" => Status::Skipped,
        "pending" | "pending_warn" | "untested_pending" => Status::Pending,
        "undefined" | "untested_undefined" => Status::Undefined,
        "ambiguous" => Status::Ambiguous,
        "failed" => Status::Failed,
        "error" | "hook_error" | "cleanup_error" => Status::Errored,
        _ => return None,
    })
}

/// What the steps of a scenario, or its hooks, say together.
#[derive(Debug, Default)]
pub(super) struct Results {
    worst: Option<Status>,
    /// Why, of the first that is as bad as `worst`.
    message: String,
    unknown: Option<String>,
    steps: u64,
    without_result: u64,
    nanoseconds: Option<f64>,
}

/// The outcome of a scenario.
#[derive(Debug)]
pub(super) struct Judgement {
    pub(super) outcome: Outcome,
    pub(super) message: String,
    /// A status that is not known.
    pub(super) unknown: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Step {
    #[serde(default)]
    keyword: Text,
    #[serde(default)]
    name: Text,
    /// A hook that stands among the steps (Cucumber for JavaScript).
    #[serde(default)]
    hidden: Option<bool>,
    result: Option<StepResult>,
    #[serde(default)]
    before: Results,
    #[serde(default)]
    after: Results,
}

#[derive(Debug, serde::Deserialize)]
struct StepResult {
    status: Option<String>,
    #[serde(default)]
    duration: Number,
    #[serde(default)]
    error_message: Text,
}

impl Results {
    pub(super) fn nanoseconds(&self) -> Option<f64> {
        self.nanoseconds
    }

    /// Whether there is a result at all.
    pub(super) fn has_any(&self) -> bool {
        self.worst.is_some()
    }

    /// Adds results of steps.
    pub(super) fn add(&mut self, other: Results) {
        self.steps += other.steps;
        self.without_result += other.without_result;
        self.add_hooks(other);
    }

    /// Adds results of hooks: they count, but they are no steps, and may lack a result.
    pub(super) fn add_hooks(&mut self, other: Results) {
        if other.worst > self.worst {
            (self.worst, self.message) = (other.worst, other.message);
        }
        self.unknown = self.unknown.take().or(other.unknown);
        if let Some(nanoseconds) = other.nanoseconds {
            *self.nanoseconds.get_or_insert(0.0) += nanoseconds;
        }
    }

    fn take(&mut self, step: Step) {
        if step.hidden != Some(true) {
            self.steps += 1;
            self.without_result += u64::from(step.result.as_ref().is_none_or(|result| result.status.is_none()));
        }
        self.add_hooks(step.before);
        if let Some(result) = step.result {
            if let Some(nanoseconds) = result.duration.0.filter(|nanoseconds| *nanoseconds >= 0.0) {
                *self.nanoseconds.get_or_insert(0.0) += nanoseconds;
            }
            if let Some(word) = result.status {
                self.take_status(&word, &step.keyword, &step.name, result.error_message.0);
            }
        }
        self.add_hooks(step.after);
    }

    fn take_status(&mut self, word: &str, keyword: &str, name: &str, error: String) {
        let found = status(word).unwrap_or(Status::Errored);
        if status(word).is_none() && self.unknown.is_none() {
            self.unknown = Some(word.to_owned());
        }
        if Some(found) > self.worst {
            self.worst = Some(found);
            let step = [keyword.trim(), name.trim()].join(" ");
            self.message = match (found, error.trim().is_empty()) {
                (Status::Passed, _) => String::new(),
                (_, false) => error,
                (_, true) if step.trim().is_empty() => format!("{word} hook"),
                (_, true) => format!("{word} step: {}", step.trim()),
            };
        }
    }

    /// The outcome of a scenario with these results and with a `status` of its own, if there is one.
    pub(super) fn judge(&self, own: &str) -> Judgement {
        let own_status = if own.is_empty() { None } else { Some(status(own).unwrap_or(Status::Errored)) };
        let is_unknown = !own.is_empty() && status(own).is_none();
        let unknown = self.unknown.clone().or_else(|| is_unknown.then(|| own.to_owned()));
        let (outcome, message) = match own_status.max(self.worst) {
            Some(Status::Errored) => (Outcome::Errored, self.message.as_str()),
            Some(status) if status > Status::Skipped => (Outcome::Failed, self.message.as_str()),
            _ if self.steps == 0 => (Outcome::Skipped, "the scenario has no steps"),
            Some(Status::Skipped) => (Outcome::Skipped, self.message.as_str()),
            _ if self.without_result == self.steps => (Outcome::Skipped, "no step has a result"),
            _ if self.without_result > 0 => (Outcome::Errored, "some steps have no result"),
            _ => (Outcome::Passed, ""),
        };
        Judgement { outcome, message: message.to_owned(), unknown }
    }
}

impl<'de> Deserialize<'de> for Results {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Steps;
        impl<'de> Visitor<'de> for Steps {
            type Value = Results;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of steps or hooks")
            }

            fn visit_unit<E>(self) -> Result<Results, E> {
                Ok(Results::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Results, A::Error> {
                let mut results = Results::default();
                while let Some(step) = array.next_element::<Step>()? {
                    results.take(step);
                }
                Ok(results)
            }
        }
        deserializer.deserialize_any(Steps)
    }
}
