//! What can be wrong with a configuration file, and where.

use std::fmt;

use crate::suggest::UnknownName;

/// A configuration that cannot be used. It is shown to the person who wrote the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    /// Where it was found.
    pub place: Place,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// A place in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Line and column, both from 1, where known.
    pub position: Option<(u64, u64)>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{}:{line}:{column}", self.file),
            None => f.write_str(&self.file),
        }
    }
}

impl ConfigError {
    pub(crate) fn new(file: &str, position: Option<(u64, u64)>, message: String) -> Self {
        Self { place: Place { file: file.to_owned(), position }, message }
    }

    pub(crate) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        Self::new(file, None, format!("the configuration cannot be read: {error}"))
    }

    pub(crate) fn too_large(file: &str, size: u64) -> Self {
        let limit = crate::MAX_CONFIG_BYTES;
        Self::new(file, None, format!("the configuration has {size} bytes; at most {limit} are read"))
    }

    pub(crate) fn bad_gate(file: &str, position: Option<(u64, u64)>, gate: &str, fault: &str) -> Self {
        Self::new(file, position, format!("the gate {gate:?} {fault}"))
    }

    pub(crate) fn invalid(file: &str, error: &serde_saphyr::Error) -> Self {
        let position = error.location().map(|location| (location.line(), location.column()));
        Self::new(file, position, describe(error.without_snippet()))
    }
}

fn describe(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error;
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            UnknownName { kind: "key", name: field, known: expected.clone() }.describe()
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            UnknownName { kind: "value", name: variant, known: expected.clone() }.describe()
        }
        Error::DuplicateMappingKey { key, .. } => {
            format!("the key {:?} stands here twice; keep one of the two", key.as_deref().unwrap_or("?"))
        }
        other => strip_place(&other.to_string()).to_owned(),
    }
}

/// The parser ends its messages with the place, which stands in front of ours.
fn strip_place(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |end| message[..end].trim_end_matches(':'))
}
