//! A limit that can be judged or only reported.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, Visitor};

/// A rule of a policy: either the limit itself (`max_failed: 3`) or a map that says more about it
/// (`max_failed: {limit: 3, shadow: true}`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule<T> {
    /// The limit.
    pub limit: T,
    /// A shadow rule is measured and reported, but does not decide the verdict.
    pub shadow: bool,
}

impl<T> From<T> for Rule<T> {
    fn from(limit: T) -> Self {
        Self { limit, shadow: false }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Rule<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RuleVisitor(PhantomData))
    }
}

struct RuleVisitor<T>(PhantomData<T>);

impl<T> RuleVisitor<T> {
    fn limit<'de, V: IntoDeserializer<'de, E>, E: Error>(value: V) -> Result<Rule<T>, E>
    where
        T: Deserialize<'de>,
    {
        T::deserialize(value.into_deserializer()).map(Rule::from)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for RuleVisitor<T> {
    type Value = Rule<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a limit, or a map with `limit` and `shadow`")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Self::limit(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        match u64::try_from(value) {
            Ok(value) => Self::limit(value),
            Err(_) => Self::limit(value),
        }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Self::limit(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Self::limit(value)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut limit, mut shadow) = (None, false);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "limit" => limit = Some(map.next_value()?),
                "shadow" => shadow = map.next_value()?,
                unknown => return Err(A::Error::unknown_field(unknown, &["limit", "shadow"])),
            }
        }
        let limit = limit.ok_or_else(|| A::Error::missing_field("limit"))?;
        Ok(Rule { limit, shadow })
    }
}
