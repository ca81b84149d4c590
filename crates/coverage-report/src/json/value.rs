//! Small values that the JSON formats share.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// How often something was executed, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hits {
    /// `null`, or a text in place of a number (SimpleCov's `"ignored"`): it does not count.
    Absent,
    /// Never.
    Zero,
    /// At least once.
    Some,
}

impl<'de> Deserialize<'de> for Hits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;

        impl Visitor<'_> for Seen {
            type Value = Hits;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count of executions")
            }

            fn visit_u64<E>(self, count: u64) -> Result<Hits, E> {
                Ok(if count > 0 { Hits::Some } else { Hits::Zero })
            }

            fn visit_i64<E>(self, count: i64) -> Result<Hits, E> {
                Ok(if count > 0 { Hits::Some } else { Hits::Zero })
            }

            fn visit_f64<E>(self, count: f64) -> Result<Hits, E> {
                Ok(if count > 0.0 { Hits::Some } else { Hits::Zero })
            }

            fn visit_unit<E>(self) -> Result<Hits, E> {
                Ok(Hits::Absent)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Hits, E> {
                match text {
                    "ignored" => Ok(Hits::Absent),
                    _ => Err(E::invalid_value(Unexpected::Str(report_input::cut(text, 40)), &self)),
                }
            }
        }

        deserializer.deserialize_any(Seen)
    }
}

impl Hits {
    pub(super) fn is_covered(self) -> bool {
        self == Hits::Some
    }
}

/// A whole number; nothing where the writer put `null`, or a negative number that stands for nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Whole(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;

        impl Visitor<'_> for Seen {
            type Value = Whole;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number")
            }

            fn visit_u64<E>(self, number: u64) -> Result<Whole, E> {
                Ok(Whole(Some(number)))
            }

            fn visit_i64<E>(self, _: i64) -> Result<Whole, E> {
                Ok(Whole(None))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
                // A double holds whole numbers up to here without a gap.
                let is_whole = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
                let text = is_whole.then(|| format!("{number:.0}"));
                let whole = text.and_then(|text| text.parse().ok());
                whole.map(|whole| Whole(Some(whole))).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
            }

            fn visit_unit<E>(self) -> Result<Whole, E> {
                Ok(Whole(None))
            }
        }

        deserializer.deserialize_any(Seen)
    }
}
