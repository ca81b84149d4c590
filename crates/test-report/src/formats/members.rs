//! Reading a JSON document member by member, so that nothing of it has to be kept.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What is done with the members of an object while it is read.
pub(crate) trait Members {
    /// What the object is, for errors.
    const WHAT: &'static str;

    /// The object begins.
    fn begin(&mut self) {}

    /// Reads the value of a member and returns `true`, or leaves the value alone and returns `false`: it is skipped.
    ///
    /// # Errors
    ///
    /// Fails when the value is not what the format says.
    fn member<'de, A: MapAccess<'de>>(&mut self, name: &str, object: &mut A) -> Result<bool, A::Error>;

    /// The object was read to its end.
    ///
    /// # Errors
    ///
    /// Fails with what is wrong with the object.
    fn end(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Reads one object. A member that is known must not occur twice: which of the two counts would be a guess.
pub(crate) struct Object<'a, M>(pub(crate) &'a mut M);

impl<'de, M: Members> DeserializeSeed<'de> for Object<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, M: Members> Visitor<'de> for Object<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(M::WHAT)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut known: Vec<String> = Vec::new();
        self.0.begin();
        while let Some(name) = object.next_key::<String>()? {
            if known.contains(&name) {
                return Err(A::Error::custom(format!("the member \"{name}\" occurs twice in {}", M::WHAT)));
            }
            if self.0.member(&name, &mut object)? {
                known.push(name);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        self.0.end().map_err(A::Error::custom)
    }
}

/// Reads an array of objects, one after the other.
pub(crate) struct Objects<'a, M>(pub(crate) &'a mut M);

impl<'de, M: Members> DeserializeSeed<'de> for Objects<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, M: Members> Visitor<'de> for Objects<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array of which each element is {}", M::WHAT)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(Object(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// Reads an array and hands each element to a function.
pub(crate) struct Each<T, F>(F, PhantomData<T>);

/// Reads an array and hands each element to `receive`; an error of `receive` ends the reading.
pub(crate) fn each<T, E: fmt::Display, F: FnMut(T) -> Result<(), E>>(receive: F) -> Each<T, F> {
    Each(receive, PhantomData)
}

impl<'de, T: Deserialize<'de>, E: fmt::Display, F: FnMut(T) -> Result<(), E>> DeserializeSeed<'de> for Each<T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>, E: fmt::Display, F: FnMut(T) -> Result<(), E>> Visitor<'de> for Each<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(element) = array.next_element::<T>()? {
            (self.0)(element).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

macro_rules! scalar {
    ($type:ty, $what:literal, $of_elements:expr, { $($visit:ident($value:ident: $of:ty) => $to:expr,)+ }) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Lenient;
                impl<'de> Visitor<'de> for Lenient {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }

                    $(fn $visit<E: Error>(self, $value: $of) -> Result<$type, E> {
                        Ok($to)
                    })+

                    fn visit_unit<E: Error>(self) -> Result<$type, E> {
                        Ok(<$type>::default())
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<$type, A::Error> {
                        let mut elements = Vec::new();
                        while let Some(element) = array.next_element::<$type>()? {
                            elements.push(element);
                        }
                        Ok($of_elements(elements))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<$type, A::Error> {
                        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                        Ok(<$type>::default())
                    }
                }
                deserializer.deserialize_any(Lenient)
            }
        }
    };
}

/// A text that decides nothing: a name, a message. What is no text is written as one, or left empty; an array of texts is
/// a text of as many lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) String);

scalar!(Text, "a text", lines, {
    visit_str(value: &str) => Text(value.to_owned()),
    visit_string(value: String) => Text(value),
    visit_u64(value: u64) => Text(value.to_string()),
    visit_i64(value: i64) => Text(value.to_string()),
    visit_f64(value: f64) => Text(value.to_string()),
    visit_bool(value: bool) => Text(value.to_string()),
});

fn lines(elements: Vec<Text>) -> Text {
    Text(elements.into_iter().map(|element| element.0).collect::<Vec<_>>().join("\n"))
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A number that decides nothing: a duration, in the unit of the format. `None` for what is no number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Number(pub(crate) Option<f64>);

#[expect(
    clippy::cast_precision_loss,
    reason = "a duration so long that a float cannot hold it exactly is wrong anyway"
)]
fn float(value: impl Into<i128>) -> f64 {
    value.into() as f64
}

scalar!(Number, "a number", |_| Number::default(), {
    visit_str(value: &str) => Number(value.trim().parse().ok()),
    visit_u64(value: u64) => Number(Some(float(value))),
    visit_i64(value: i64) => Number(Some(float(value))),
    visit_f64(value: f64) => Number(Some(value)),
    visit_bool(_value: bool) => Number(None),
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lenient_values_never_refuse() {
        for (json, text, number) in [
            (r#""a""#, "a", None),
            (r#""1.5""#, "1.5", Some(1.5)),
            ("7", "7", Some(7.0)),
            ("-7", "-7", Some(-7.0)),
            ("1.25", "1.25", Some(1.25)),
            ("null", "", None),
            ("true", "true", None),
            (r#"{"a": [1, {}]}"#, "", None),
            (r#"["a", 1]"#, "a\n1", None),
        ] {
            assert_eq!(serde_json::from_str::<Text>(json).unwrap().0, text, "{json}");
            assert_eq!(serde_json::from_str::<Number>(json).unwrap().0, number, "{json}");
        }
    }
}
