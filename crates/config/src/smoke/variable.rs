//! Values of variables.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// The value of a variable of a Hurl file.
#[derive(Clone, Debug, PartialEq)]
pub enum VariableValue {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// True or false.
    Bool(bool),
}

impl VariableValue {
    /// A value as the command line gives it, read as `hurl --variable` reads it.
    pub fn from_command_line(text: &str) -> Self {
        match text {
            "true" => Self::Bool(true),
            "false" => Self::Bool(false),
            _ => text.parse().map(Self::Integer).or_else(|_| finite(text).map(Self::Float).ok_or(())).unwrap_or_else(
                |()| {
                    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
                    Self::Text(quoted.unwrap_or(text).to_owned())
                },
            ),
        }
    }
}

/// A decimal number; Rust would also read `inf`, `NaN` and `1e5`, which are names to people.
fn finite(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_decimal =
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    if is_decimal { text.parse().ok() } else { None }
}

impl fmt::Display for VariableValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
        }
    }
}

impl<'de> Deserialize<'de> for VariableValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl Visitor<'_> for ValueVisitor {
    type Value = VariableValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a number, true or false")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<VariableValue, E> {
        Ok(VariableValue::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<VariableValue, E> {
        Ok(VariableValue::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<VariableValue, E> {
        let number = i64::try_from(value);
        number.map(VariableValue::Integer).map_err(|_| E::custom(format!("{value} is too large; write it as a text")))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<VariableValue, E> {
        if value.is_finite() {
            Ok(VariableValue::Float(value))
        } else {
            Err(E::custom("a variable is a finite number"))
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<VariableValue, E> {
        Ok(VariableValue::Text(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_read_as_hurl_reads_them() {
        for (text, expected) in [
            ("true", VariableValue::Bool(true)),
            ("42", VariableValue::Integer(42)),
            ("-1", VariableValue::Integer(-1)),
            ("2.5", VariableValue::Float(2.5)),
            ("\"123\"", VariableValue::Text("123".to_owned())),
            ("https://a.b", VariableValue::Text("https://a.b".to_owned())),
            ("inf", VariableValue::Text("inf".to_owned())),
            ("1e5", VariableValue::Text("1e5".to_owned())),
            ("", VariableValue::Text(String::new())),
        ] {
            assert_eq!(VariableValue::from_command_line(text), expected, "{text}");
        }
    }
}
