//! Equality, order and containment of values.

use std::cmp::Ordering;

use super::Value;

/// The two values are of types that Hurl does not compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeMismatch;

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Date(left), Self::Date(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => left.compare(right) == Some(Ordering::Equal),
            (Self::List(left), Self::List(right)) => left == right,
            (Self::Nodeset(left), Self::Nodeset(right)) => left == right,
            (Self::Object(left), Self::Object(right)) => left == right,
            (Self::String(left), Self::String(right)) => left == right,
            (Self::Null, Self::Null) | (Self::Unit, Self::Unit) => true,
            _ => false,
        }
    }
}

impl Value {
    pub(crate) fn compare(&self, other: &Self) -> Result<Ordering, TypeMismatch> {
        match (self, other) {
            (Self::String(left), Self::String(right)) => Ok(left.cmp(right)),
            (Self::Number(left), Self::Number(right)) => left.compare(right).ok_or(TypeMismatch),
            (Self::Date(left), Self::Date(right)) => Ok(left.cmp(right)),
            _ => Err(TypeMismatch),
        }
    }

    pub(crate) fn starts_with(&self, prefix: &Self) -> Result<bool, TypeMismatch> {
        match (self, prefix) {
            (Self::String(value), Self::String(prefix)) => Ok(value.starts_with(prefix)),
            (Self::Bytes(value), Self::Bytes(prefix)) => Ok(value.starts_with(prefix)),
            _ => Err(TypeMismatch),
        }
    }

    pub(crate) fn ends_with(&self, suffix: &Self) -> Result<bool, TypeMismatch> {
        match (self, suffix) {
            (Self::String(value), Self::String(suffix)) => Ok(value.ends_with(suffix)),
            (Self::Bytes(value), Self::Bytes(suffix)) => Ok(value.ends_with(suffix)),
            _ => Err(TypeMismatch),
        }
    }

    pub(crate) fn contains(&self, part: &Self) -> Result<bool, TypeMismatch> {
        match (self, part) {
            (Self::String(value), Self::String(part)) => Ok(value.contains(part.as_str())),
            (Self::Bytes(value), Self::Bytes(part)) => {
                Ok(part.is_empty() || value.windows(part.len()).any(|window| window == part))
            }
            _ => self.includes(part),
        }
    }

    pub(crate) fn includes(&self, element: &Self) -> Result<bool, TypeMismatch> {
        match self {
            Self::List(values) => Ok(values.contains(element)),
            _ => Err(TypeMismatch),
        }
    }

    /// The number of elements, or bytes of a text.
    pub(crate) fn length(&self) -> Result<usize, TypeMismatch> {
        match self {
            Self::List(values) => Ok(values.len()),
            Self::String(text) => Ok(text.len()),
            Self::Nodeset(size) => Ok(*size),
            Self::Object(members) => Ok(members.len()),
            Self::Bytes(bytes) => Ok(bytes.len()),
            _ => Err(TypeMismatch),
        }
    }
}
