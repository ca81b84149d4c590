//! The parts of SARIF objects that decide how results count. Names are those of the specification.

use std::fmt;

use report_input::cut;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A `reportingDescriptorReference` (3.52).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct DescriptorReference {
    pub(crate) id: Option<String>,
    pub(crate) index: Option<i64>,
    pub(crate) guid: Option<String>,
    #[serde(rename = "toolComponent")]
    pub(crate) tool_component: Option<ComponentReference>,
}

/// A `toolComponentReference` (3.54).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct ComponentReference {
    pub(crate) name: Option<String>,
    pub(crate) index: Option<i64>,
    pub(crate) guid: Option<String>,
}

/// A `result` (3.27).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct RawResult {
    pub(crate) rule_id: Option<String>,
    pub(crate) rule_index: Option<i64>,
    pub(crate) rule: Option<DescriptorReference>,
    pub(crate) kind: Option<String>,
    pub(crate) level: Option<String>,
    pub(crate) message: Option<Message>,
    pub(crate) locations: Option<First<Location>>,
    pub(crate) suppressions: Option<Suppressions>,
    pub(crate) baseline_state: Option<String>,
    pub(crate) provenance: Option<Provenance>,
    pub(crate) properties: Option<Properties>,
}

/// A `message` (3.11).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Message {
    pub(crate) text: Option<String>,
    pub(crate) markdown: Option<String>,
    pub(crate) id: Option<String>,
}

/// A `location` (3.28).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Location {
    pub(crate) physical_location: Option<PhysicalLocation>,
    pub(crate) logical_locations: Option<First<LogicalLocation>>,
}

/// A `physicalLocation` (3.29).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PhysicalLocation {
    pub(crate) artifact_location: Option<ArtifactLocation>,
    pub(crate) region: Option<Region>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct ArtifactLocation {
    pub(crate) uri: Option<String>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Region {
    pub(crate) start_line: Option<i64>,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct LogicalLocation {
    pub(crate) fully_qualified_name: Option<String>,
    pub(crate) name: Option<String>,
}

/// A `resultProvenance` (3.48).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Provenance {
    pub(crate) invocation_index: Option<i64>,
}

/// A property bag, of which one property is looked at.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Properties {
    #[serde(rename = "security-severity")]
    pub(crate) security_severity: Option<Score>,
}

/// A `reportingDescriptor` (3.49).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) id: Option<String>,
    pub(crate) guid: Option<String>,
    pub(crate) default_configuration: Option<Configuration>,
    pub(crate) properties: Option<Properties>,
}

/// A `reportingConfiguration` (3.50).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Configuration {
    pub(crate) level: Option<String>,
}

/// A `configurationOverride` (3.51).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct ConfigurationOverride {
    pub(crate) descriptor: Option<DescriptorReference>,
    pub(crate) configuration: Option<Configuration>,
}

/// A `notification` (3.58).
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Notification {
    pub(crate) level: Option<String>,
    pub(crate) message: Option<Message>,
}

/// A score as a number, or as a text with a number or a word in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Score {
    Number(f64),
    /// An empty text, which says nothing: it is as if it were not there.
    Empty,
    /// Neither a number nor a word that is known.
    Unknown(String),
}

impl Score {
    fn from_text(text: &str) -> Score {
        let word = match text.trim().to_ascii_lowercase().as_str() {
            "critical" => Some(9.0),
            "high" => Some(7.0),
            "medium" | "moderate" => Some(4.0),
            "low" => Some(0.1),
            "none" => Some(0.0),
            "" => return Score::Empty,
            _ => None,
        };
        match word.or_else(|| text.trim().parse().ok()) {
            Some(number) if number >= 0.0 => Score::Number(number),
            _ => Score::Unknown(cut(text, 40).to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Score {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;

        impl<'de> Visitor<'de> for Seen {
            type Value = Score;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a score from 0.0 to 10.0")
            }

            fn visit_f64<E>(self, number: f64) -> Result<Score, E> {
                Ok(if number >= 0.0 { Score::Number(number) } else { Score::Unknown(number.to_string()) })
            }

            fn visit_u64<E>(self, number: u64) -> Result<Score, E> {
                // Everything above ten is as good as ten.
                Ok(Score::Number(u32::try_from(number).map_or(10.0, f64::from)))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Score, E> {
                Ok(Score::Unknown(number.to_string()))
            }

            fn visit_str<E>(self, text: &str) -> Result<Score, E> {
                Ok(Score::from_text(text))
            }

            fn visit_bool<E>(self, value: bool) -> Result<Score, E> {
                Ok(Score::Unknown(value.to_string()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Score, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Score::Unknown("an array".to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Score, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Score::Unknown("an object".to_owned()))
            }
        }

        deserializer.deserialize_any(Seen)
    }
}

/// The first element of an array; the others are read and forgotten.
#[derive(Debug)]
pub(crate) struct First<T>(pub(crate) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Seen<T> {
            type Value = First<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<First<T>, A::Error> {
                let first = items.next_element()?;
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }

        deserializer.deserialize_seq(Seen(std::marker::PhantomData))
    }
}

/// What a result's `suppressions` (3.27.23) amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Suppressions {
    /// There are none, or one of them is not (yet) accepted.
    Open,
    /// All are accepted; a suppression without a status is.
    Accepted,
    /// One has a status that is not known.
    Unknown(String),
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Suppression {
    status: Option<String>,
}

impl<'de> Deserialize<'de> for Suppressions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;

        impl<'de> Visitor<'de> for Seen {
            type Value = Suppressions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of suppressions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Suppressions, A::Error> {
                let (mut accepted, mut open, mut unknown) = (false, false, None);
                while let Some(suppression) = items.next_element::<Suppression>()? {
                    match suppression.status.as_deref() {
                        None | Some("accepted") => accepted = true,
                        Some("underReview" | "rejected") => open = true,
                        Some(other) => unknown = Some(cut(other, 40).to_owned()),
                    }
                }
                Ok(match (unknown, accepted && !open) {
                    (Some(unknown), _) => Suppressions::Unknown(unknown),
                    (None, true) => Suppressions::Accepted,
                    (None, false) => Suppressions::Open,
                })
            }
        }

        deserializer.deserialize_seq(Seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_numbers_words_nothing_or_unknown() {
        let unknown = |text: &str| Score::Unknown(text.to_owned());
        for (text, expected) in [
            ("9.8", Score::Number(9.8)),
            (" 0 ", Score::Number(0.0)),
            ("HIGH", Score::Number(7.0)),
            ("none", Score::Number(0.0)),
            ("", Score::Empty),
            (" ", Score::Empty),
            ("-1", unknown("-1")),
            ("NaN", unknown("NaN")),
            ("severe", unknown("severe")),
        ] {
            assert_eq!(Score::from_text(text), expected, "{text}");
        }
    }
}
