//! Event patterns (Amazon EventBridge guide, "Creating Amazon EventBridge event patterns"), and the filter policies of
//! SNS, which are nearly the same (Amazon SNS guide, "Subscription filter policies").
//!
//! A pattern is parsed when it is wired, so that a mistake or an operator that is not supported here shows at the start
//! and not as an event that never comes.
//!
//! An array in an event stands for each of its elements: one that satisfies the pattern is enough, and where a pattern
//! looks into objects of an array, one object must satisfy all of it. Numbers are compared as they are written, so that
//! `300` and `300.0` differ, as AWS documents; `numeric` compares their values.

mod condition;
mod parse;
mod wildcard;

use serde_json::Value;

use condition::Condition;

/// A mistake in a pattern: where, and what.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", place(.path))]
pub struct PatternError {
    /// The keys that lead to the place, with dots between them.
    pub path: String,
    /// What is wrong there.
    pub what: String,
}

fn place(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("`{path}`: ") }
}

/// Whose patterns: SNS has fewer operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The patterns of EventBridge rules.
    EventBridge,
    /// The filter policies of SNS subscriptions.
    Sns,
}

/// A parsed pattern.
#[derive(Clone, Debug)]
pub struct EventPattern {
    fields: Fields,
}

/// What an object must satisfy.
#[derive(Clone, Debug, Default)]
struct Fields {
    /// All of these.
    all: Vec<(String, Expected)>,
    /// Of each of these lists (`$or`) one.
    either: Vec<Vec<Fields>>,
}

/// What the value of a key must satisfy.
#[derive(Clone, Debug)]
enum Expected {
    Object(Fields),
    /// One of these.
    Leaf(Vec<Condition>),
}

impl EventPattern {
    /// Parses a pattern.
    ///
    /// # Errors
    ///
    /// If it is none, or uses an operator that is not supported here.
    pub fn parse(pattern: &Value, dialect: Dialect) -> Result<Self, PatternError> {
        parse::pattern(pattern, dialect)
    }

    /// Whether an event satisfies the pattern.
    pub fn matches(&self, event: &Value) -> bool {
        self.fields.match_value(Some(event))
    }
}

impl Fields {
    fn match_value(&self, value: Option<&Value>) -> bool {
        match value {
            Some(Value::Array(items)) if !items.is_empty() => items.iter().any(|item| self.match_value(Some(item))),
            _ => self.match_object(value),
        }
    }

    fn match_object(&self, value: Option<&Value>) -> bool {
        let member = |key: &str| value.and_then(Value::as_object).and_then(|object| object.get(key));
        let all = self.all.iter().all(|(key, expected)| expected.matches(member(key)));
        all && self.either.iter().all(|alternatives| alternatives.iter().any(|fields| fields.match_object(value)))
    }
}

impl Expected {
    fn matches(&self, value: Option<&Value>) -> bool {
        match self {
            Self::Object(fields) => fields.match_value(value),
            Self::Leaf(conditions) => {
                let mut leaves = Vec::new();
                collect_leaves(value, &mut leaves);
                conditions.iter().any(|condition| condition.matches(&leaves))
            }
        }
    }
}

/// The scalars that a value stands for: none where there is nothing or an object.
fn collect_leaves<'v>(value: Option<&'v Value>, leaves: &mut Vec<&'v Value>) {
    match value {
        None | Some(Value::Object(_)) => {}
        Some(Value::Array(items)) => items.iter().for_each(|item| collect_leaves(Some(item), leaves)),
        Some(scalar) => leaves.push(scalar),
    }
}
