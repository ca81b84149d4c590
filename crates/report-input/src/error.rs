//! Why a report could not be read.

use std::fmt;

use thiserror::Error;

/// Why a report could not be read, and where.
///
/// The text is a lowercase fragment that reads after "failed to" and names the report and the place.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("read {source_name}{}: {detail}", at(.place))]
pub struct ReportError {
    source_name: String,
    place: Option<Place>,
    kind: ErrorKind,
    detail: String,
}

fn at(place: &Option<Place>) -> String {
    place.map(|place| format!(" at {place}")).unwrap_or_default()
}

/// What sort of error ended the reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The report has no content.
    Empty,
    /// The content is of no known format, or not of the format that was asked for.
    Unrecognised,
    /// The content breaks the rules of its syntax (XML, JSON, ...), or of its format.
    Malformed,
    /// The content ends too early.
    Truncated,
    /// The bytes are not text in the encoding that the report declares.
    Encoding,
    /// The content asks for something that is never done: custom entities, external files.
    Forbidden,
    /// The content is over a limit.
    Limit,
    /// The input itself failed.
    Input,
}

/// A place in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In formats made of text; both counted from 1, the column in characters.
    Text {
        /// The line.
        line: u64,
        /// The column.
        column: u64,
    },
    /// Where lines mean nothing (undecodable bytes): bytes from the start of the report.
    Byte(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Text { line, column } => write!(f, "line {line}, column {column}"),
            Place::Byte(offset) => write!(f, "byte {offset}"),
        }
    }
}

impl ReportError {
    /// An error in the report called `source`.
    #[must_use]
    pub fn new(source: &str, place: Option<Place>, kind: ErrorKind, detail: impl Into<String>) -> Self {
        ReportError { source_name: source.to_owned(), place, kind, detail: bounded(detail.into()) }
    }

    /// The report's name as given to the reader.
    #[must_use]
    pub fn source_name(&self) -> &str {
        &self.source_name
    }

    /// Where reading ended, if the error is about a place.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.place
    }

    /// What sort of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was wrong, without the report's name and the place; at most 1000 bytes.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// A detail may quote the report, which may hold a name of megabytes: the middle of a long one is left out, because the
/// advice stands at its end.
fn bounded(mut detail: String) -> String {
    const LONGEST: usize = 1000;
    const END: usize = 300;
    const BETWEEN: &str = " ... ";
    if detail.len() > LONGEST {
        let begin = detail.floor_char_boundary(LONGEST - END - BETWEEN.len());
        let end = detail.ceil_char_boundary(detail.len() - END);
        detail.replace_range(begin..end, BETWEEN);
    }
    detail
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_keeps_its_beginning_and_its_end() {
        for filler in ["x", "\u{e4}", "\u{20ac}", "\u{1f600}"] {
            let detail = format!("the element <{}> is unknown; name the format", filler.repeat(5000));
            let error = ReportError::new("report", None, ErrorKind::Malformed, detail);
            let detail = error.detail();
            assert!((990..=1000).contains(&detail.len()), "{}", detail.len());
            assert!(
                detail.starts_with("the element <") && detail.ends_with("> is unknown; name the format"),
                "{detail}"
            );
        }
        let exact = "x".repeat(1000);
        assert_eq!(ReportError::new("report", None, ErrorKind::Malformed, exact.as_str()).detail(), exact);
    }
}
