//! What is wrong in a template, and where.

use std::fmt;

use thiserror::Error;

/// A place in the template, both numbers from 1; the column counts characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Why a template could not be read.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// The file could not be read.
    #[error("read {file}: {source}")]
    Io {
        /// The file's name.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The template says something that is wrong or not supported.
    #[error("read {file}:{position}: {message}")]
    Invalid {
        /// The file's name.
        file: String,
        /// Where in the file.
        position: Position,
        /// What is wrong and what to do.
        message: String,
    },
    /// A setting of the caller does not fit the template.
    #[error("read {file}: {message}")]
    Setting {
        /// The file's name.
        file: String,
        /// What is wrong and what to do.
        message: String,
    },
}

/// A problem inside the template, before the file's name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// `None` if it comes from a setting and not from the template.
    pub(crate) position: Option<Position>,
    pub(crate) message: String,
    /// Whether the only thing wrong is that the value of an attribute is not known here.
    pub(crate) is_unknown_attribute: bool,
}

pub(crate) type Result<T> = std::result::Result<T, Problem>;

impl Problem {
    pub(crate) fn at(position: Position, message: impl Into<String>) -> Self {
        Self { position: Some(position), message: message.into(), is_unknown_attribute: false }
    }

    pub(crate) fn setting(message: impl Into<String>) -> Self {
        Self { position: None, message: message.into(), is_unknown_attribute: false }
    }

    pub(crate) fn unknown_attribute(position: Position, message: impl Into<String>) -> Self {
        Self { is_unknown_attribute: true, ..Self::at(position, message) }
    }

    pub(crate) fn in_file(self, file: &str) -> TemplateError {
        let (file, message) = (file.to_owned(), self.message);
        match self.position {
            Some(position) => TemplateError::Invalid { file, position, message },
            None => TemplateError::Setting { file, message },
        }
    }
}

/// `; did you mean ...?` with the known name that is nearest to `unknown`, or nothing where none is near.
pub(crate) fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let lower = unknown.to_lowercase();
    let best = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&name.to_lowercase(), &lower), name))
        .min_by_key(|(distance, _)| *distance);
    match best {
        Some((distance, name)) if distance <= 1.max(unknown.chars().count() / 3) => {
            format!("; did you mean `{name}`?")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_suggested() {
        for (unknown, expected) in [
            ("Timout", "; did you mean `Timeout`?"),
            ("timeout", "; did you mean `Timeout`?"),
            ("Memory", "; did you mean `MemorySize`?"),
            ("Zebra", ""),
        ] {
            let known = ["Timeout", "MemorySize", "Handler"];
            let seen = did_you_mean(unknown, known);
            if unknown == "Memory" {
                assert_eq!(seen, "", "four letters are too many to guess");
            } else {
                assert_eq!(seen, expected, "{unknown}");
            }
        }
    }
}
