//! Visiting the members of a document one by one, so that nothing but the current one is in memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::{ErrorKind, ReportError};
use crate::xml::Fault;

/// A seed for an object whose entries are visited one by one.
#[derive(Debug, Clone, Copy)]
pub struct EachEntry<F> {
    /// What the object is, after "expected" in an error.
    pub what: &'static str,
    /// Takes the entries; it is what comes back when all are visited.
    pub on_entry: F,
}

/// Takes the value that belongs to a key.
pub trait OnEntry<'de> {
    /// Takes exactly one value from `map`, with [`skip`] if with nothing else.
    ///
    /// # Errors
    ///
    /// Passes on the error of the value.
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

/// A seed for an array whose items are visited one by one.
#[derive(Debug, Clone, Copy)]
pub struct EachItem<F> {
    /// What the array is, after "expected" in an error.
    pub what: &'static str,
    /// Takes the items; it is what comes back when all are visited.
    pub on_item: F,
}

/// Takes the next item.
pub trait OnItem<'de> {
    /// Takes one item from `items`; `false` when there was none, which is the end of the array.
    ///
    /// # Errors
    ///
    /// Passes on the error of the item.
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
///
/// # Errors
///
/// Fails when the value is not well formed.
pub fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_| ())
}

/// Refuses a key that was there before: which of the two values counts is not defined.
///
/// # Errors
///
/// Fails when `seen` is already set; sets it otherwise.
pub fn once<E: Error>(seen: &mut bool, key: &str) -> Result<(), E> {
    if std::mem::replace(seen, true) {
        return Err(E::custom(format_args!("the key `{}` stands twice", crate::cut(key, 40).escape_debug())));
    }
    Ok(())
}

/// The kind of a fault on its way through a parser that knows only texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Refusal(Option<ErrorKind>);

impl Refusal {
    /// The fault as an error of the parser; its kind is remembered.
    pub fn refuse<E: Error>(&mut self, fault: Fault) -> E {
        self.0 = Some(fault.kind);
        E::custom(fault.detail)
    }

    /// The error that came out of the parser, with its kind given back.
    #[must_use]
    pub fn explain(self, error: ReportError) -> ReportError {
        match self.0 {
            Some(kind) if error.kind() == ErrorKind::Malformed => {
                ReportError::new(error.source_name(), error.place(), kind, error.detail())
            }
            _ => error,
        }
    }
}
