//! What an execution must have behind it, and how long a gate looks before it says no.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::Length;
use crate::tests_policy::filled;

/// A time that must have passed since an earlier stage of the execution has succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Soak {
    /// The earlier stage.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub stage: String,
    /// How long ago its last action must have succeeded.
    #[serde(rename = "for")]
    pub length: Length,
}

/// Gates whose verdicts about this execution must be passed: a list of names, or a map with `gates` and `max_age`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// The gates' names.
    pub gates: Vec<String>,
    /// How old a verdict may be.
    pub max_age: Option<Length>,
}

impl<'de> Deserialize<'de> for Verdicts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VerdictsVisitor)
    }
}

struct VerdictsVisitor;

impl<'de> Visitor<'de> for VerdictsVisitor {
    type Value = Verdicts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of gates, or a map with `gates` and `max_age`")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Verdicts, A::Error> {
        let mut gates = Vec::new();
        while let Some(gate) = list.next_element::<String>()? {
            if gate.trim().is_empty() {
                return Err(A::Error::custom("an empty text names no gate"));
            }
            gates.push(gate);
        }
        if gates.is_empty() {
            return Err(A::Error::custom("`verdicts` names no gate; write at least one"));
        }
        Ok(Verdicts { gates, max_age: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Verdicts, A::Error> {
        let (mut gates, mut max_age) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "gates" => gates = Some(map.next_value::<GateList>()?.0),
                "max_age" => max_age = Some(map.next_value()?),
                unknown => return Err(A::Error::unknown_field(unknown, &["gates", "max_age"])),
            }
        }
        let gates = gates.ok_or_else(|| A::Error::missing_field("gates"))?;
        Ok(Verdicts { gates, max_age })
    }
}

/// The list alone.
struct GateList(Vec<String>);

impl<'de> Deserialize<'de> for GateList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(VerdictsVisitor).map(|verdicts| Self(verdicts.gates))
    }
}

/// How often and how long a gate looks. Without it, it looks once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// The time before the first sample.
    #[serde(default)]
    pub delay: Option<Length>,
    /// The time between two samples; CodePipeline may take longer to call again.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = "1m")))]
    pub every: Option<Length>,
    /// How long everything must have been green together; the first green sample is enough where it is absent.
    #[serde(default)]
    pub green_for: Option<Length>,
    /// How many samples with a failed measurement there may be. One more, and the gate has failed. Without it, the gate
    /// looks on until it gives up.
    #[serde(default)]
    pub failure_limit: Option<u32>,
    /// How many samples in a row may end in an error of measuring. One more, and a person is asked.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(extend("default" = 4)))]
    pub error_limit: Option<u32>,
    /// The time after which the gate gives up, from when it was first asked. An action has 24 hours in CodePipeline.
    pub give_up_after: Length,
}

/// A manual approval may wait this long (CodePipeline guide, quotas).
const LONGEST: Length = Length::seconds(60 * 86_400);

impl Sampling {
    /// The time between two samples.
    pub fn every(&self) -> Length {
        self.every.unwrap_or(Length::seconds(60))
    }

    /// How many samples in a row may end in an error.
    pub fn error_limit(&self) -> u32 {
        self.error_limit.unwrap_or(4)
    }

    /// What is wrong, and with which key.
    pub(super) fn fault(&self) -> Option<(&'static str, String)> {
        let time = |length: Option<Length>| length.map_or(Duration::ZERO, Length::as_duration);
        let (every, give_up) = (self.every(), self.give_up_after);
        if give_up.as_duration() <= time(self.delay).saturating_add(time(self.green_for)) {
            let what = format!(
                "has a `sampling` that gives up after {give_up}, before it can have passed; make `give_up_after` longer than `delay` and `green_for` together"
            );
            return Some(("give_up_after", what));
        }
        if give_up > LONGEST {
            let what = format!(
                "has a `sampling` that gives up after {give_up}; no approval of CodePipeline waits longer than 60d"
            );
            return Some(("give_up_after", what));
        }
        if let Some(green_for) = self.green_for.filter(|green_for| every > *green_for) {
            let what = format!(
                "has a `sampling` that looks each {every}, so that {green_for} show a single sample; make `every` shorter"
            );
            return Some(("every", what));
        }
        None
    }
}

/// What the gate says when it gives up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// It has failed.
    #[default]
    Fail,
    /// A person is asked: the verdict is inconclusive.
    Ask,
}
