//! One alternative for a value.

use serde_json::Value;

use super::wildcard::Wildcard;

/// A condition on the leaves of an event that stand at one place.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// This string, number, truth value or null.
    Exactly(Value),
    Text(TextTest),
    AnythingBut(AnythingBut),
    Numeric(Vec<(Comparison, f64)>),
    Exists(bool),
}

/// A test of a string.
#[derive(Clone, Debug)]
pub(super) enum TextTest {
    Prefix { text: String, ignore_case: bool },
    Suffix { text: String, ignore_case: bool },
    EqualsIgnoreCase(String),
    Wildcard(Wildcard),
}

#[derive(Clone, Debug)]
pub(super) enum AnythingBut {
    /// None of these strings or numbers.
    Values(Vec<Value>),
    /// Nothing that satisfies one of these.
    Tests(Vec<TextTest>),
}

/// An operator of `numeric`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Condition {
    pub(super) fn matches(&self, leaves: &[&Value]) -> bool {
        match self {
            Self::Exists(expected) => leaves.is_empty() != *expected,
            Self::Exactly(value) => leaves.iter().any(|leaf| same(leaf, value)),
            Self::Text(test) => leaves.iter().any(|leaf| leaf.as_str().is_some_and(|text| test.matches(text))),
            Self::AnythingBut(refused) => leaves.iter().any(|leaf| !refused.matches(leaf)),
            Self::Numeric(comparisons) => leaves
                .iter()
                .filter_map(|leaf| leaf.as_f64())
                .any(|number| comparisons.iter().all(|(comparison, limit)| comparison.holds(number, *limit))),
        }
    }
}

/// Numbers are the same if they are written the same.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left.to_string() == right.to_string(),
        _ => left == right,
    }
}

impl AnythingBut {
    fn matches(&self, leaf: &Value) -> bool {
        match self {
            Self::Values(values) => values.iter().any(|value| same(leaf, value)),
            Self::Tests(tests) => leaf.as_str().is_some_and(|text| tests.iter().any(|test| test.matches(text))),
        }
    }
}

impl TextTest {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Prefix { text: prefix, ignore_case: false } => text.starts_with(prefix.as_str()),
            Self::Prefix { text: prefix, ignore_case: true } => lower(text).starts_with(&lower(prefix)),
            Self::Suffix { text: suffix, ignore_case: false } => text.ends_with(suffix.as_str()),
            Self::Suffix { text: suffix, ignore_case: true } => lower(text).ends_with(&lower(suffix)),
            Self::EqualsIgnoreCase(other) => lower(text) == lower(other),
            Self::Wildcard(wildcard) => wildcard.matches(text),
        }
    }
}

fn lower(text: &str) -> String {
    text.to_lowercase()
}

impl Comparison {
    pub(super) fn from_symbol(symbol: &str) -> Option<Self> {
        Some(match symbol {
            "=" => Self::Equal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// Whether it bounds a range from below.
    pub(super) fn is_lower_bound(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    /// Whether it bounds a range from above.
    pub(super) fn is_upper_bound(self) -> bool {
        matches!(self, Self::Less | Self::LessOrEqual)
    }

    fn holds(self, number: f64, limit: f64) -> bool {
        match self {
            // Both were read from decimal text: the same text gives the same number.
            Self::Equal => number.total_cmp(&limit).is_eq(),
            Self::Less => number < limit,
            Self::LessOrEqual => number <= limit,
            Self::Greater => number > limit,
            Self::GreaterOrEqual => number >= limit,
        }
    }
}
