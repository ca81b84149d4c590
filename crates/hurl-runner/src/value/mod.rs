//! What a query yields, a filter changes and a predicate judges.

mod compare;
pub(crate) mod json;
mod number;

use std::fmt::{self, Write as _};

use chrono::{DateTime, Utc};

pub use number::Number;

pub(crate) use compare::TypeMismatch;

/// A value of Hurl: from a response, a variable or a literal.
#[derive(Clone, Debug)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// Bytes, of a body or a literal.
    Bytes(Vec<u8>),
    /// A point in time.
    Date(DateTime<Utc>),
    /// One response of a chain of redirects: where it led to, and its status.
    HttpResponse {
        /// The URL that was requested next.
        location: String,
        /// The status of this response.
        status: u16,
    },
    /// A list.
    List(Vec<Value>),
    /// The number of nodes that an XPath expression selected.
    Nodeset(usize),
    /// JSON's `null`.
    Null,
    /// A number.
    Number(Number),
    /// The members of a JSON object, sorted by name.
    Object(Vec<(String, Value)>),
    /// A regular expression, from a literal.
    Regex(regex::Regex),
    /// Text.
    String(String),
    /// A presence without a value, as of the attribute `Secure` of a cookie.
    Unit,
}

impl Value {
    /// Hurl's name for the type of this value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "boolean",
            Self::Bytes(_) => "bytes",
            Self::Date(_) => "date",
            Self::HttpResponse { .. } => "http response",
            Self::List(_) => "list",
            Self::Nodeset(_) => "nodeset",
            Self::Null => "null",
            Self::Number(Number::Float(_)) => "float",
            Self::Number(Number::Integer(_) | Number::BigInteger(_)) => "integer",
            Self::Object(_) => "object",
            Self::Regex(_) => "regex",
            Self::String(_) => "string",
            Self::Unit => "unit",
        }
    }

    /// The value with its type, as Hurl shows it in a failed assert: `integer <200>`.
    #[must_use]
    pub fn described(&self) -> String {
        match self {
            Self::Unit => "unit".to_owned(),
            _ => format!("{} <{self}>", self.kind()),
        }
    }

    /// The text that a template puts in place of this value; `None` where Hurl renders none.
    #[must_use]
    pub fn rendered(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Date(value) => Some(value.format("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()),
            Self::Null => Some("null".to_owned()),
            Self::Number(value) => Some(value.to_string()),
            Self::String(value) => Some(value.clone()),
            _ => None,
        }
    }

    /// The words in which Hurl names an expected value where there is none to compare with.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Bytes(bytes) => format!("{} byte{}", bytes.len(), if bytes.len() > 1 { "s" } else { "" }),
            Self::List(values) => format!("list of size {}", values.len()),
            Self::Object(members) => format!("list of size {}", members.len()),
            Self::Nodeset(size) => format!("list of size {size}"),
            Self::Null => "null".to_owned(),
            Self::Unit => "something".to_owned(),
            _ => self.described(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Bytes(bytes) => f.write_str(&hex(bytes)),
            Self::Date(value) => write!(f, "{value}"),
            Self::HttpResponse { location, status } => write!(f, "Response(location={location}, status={status})"),
            Self::List(values) => {
                f.write_char('[')?;
                for (index, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { "," })?;
                }
                f.write_char(']')
            }
            Self::Nodeset(size) => write!(f, "Nodeset(size={size})"),
            Self::Null => f.write_str("null"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Object(_) => f.write_str("Object()"),
            Self::Regex(regex) => write!(f, "/{}/", regex.as_str().replace('/', "\\/")),
            Self::String(value) => f.write_str(value),
            Self::Unit => f.write_str("Unit"),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(Number::Integer(value))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(Number::Float(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

/// A length as a value.
pub(crate) fn count(length: usize) -> Value {
    Value::from(i64::try_from(length).unwrap_or(i64::MAX))
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
