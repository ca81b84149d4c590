//! Small values that the JSON formats share.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};

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

/// An object whose entries are visited one by one: `on_entry` gets the key and must take the value.
pub(super) struct EachEntry<F> {
    pub(super) what: &'static str,
    pub(super) on_entry: F,
}

/// Takes the value that belongs to a key.
pub(super) trait OnEntry<'de> {
    fn entry<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

impl<'de, F: OnEntry<'de>> DeserializeSeed<'de> for EachEntry<F> {
    type Value = F;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<F, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: OnEntry<'de>> Visitor<'de> for EachEntry<F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<F, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            self.on_entry.entry(&key, &mut map)?;
        }
        Ok(self.on_entry)
    }
}

/// An array whose items are visited one by one.
pub(super) struct EachItem<F> {
    pub(super) what: &'static str,
    pub(super) on_item: F,
}

/// Takes the next item.
pub(super) trait OnItem<'de> {
    /// `false` at the end of the array.
    fn item<A: SeqAccess<'de>>(&mut self, index: u64, items: &mut A) -> Result<bool, A::Error>;
}

impl<'de, F: OnItem<'de>> DeserializeSeed<'de> for EachItem<F> {
    type Value = F;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<F, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: OnItem<'de>> Visitor<'de> for EachItem<F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<F, A::Error> {
        let mut index = 0;
        while self.on_item.item(index, &mut items)? {
            index += 1;
        }
        Ok(self.on_item)
    }
}

/// Skips the value of the entry that is being visited.
pub(super) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}

/// Refuses a key that was there before: which of the two values counts is not defined.
pub(super) fn once<E: Error>(seen: &mut bool, key: &str) -> Result<(), E> {
    if std::mem::replace(seen, true) {
        return Err(E::custom(format_args!("the key `{}` stands twice", report_input::cut(key, 40).escape_debug())));
    }
    Ok(())
}
