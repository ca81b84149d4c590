//! The readers, and how a report's format is recognised from its beginning.
//!
//! A reader is a plain function that reads to the end or fails. It hands lines on as they come; what it must look at
//! together (a class in Cobertura, a file in Istanbul) is all that it holds.

use report_input::{Input, Opening, ReportError};

use crate::format::Format;
use crate::limits::Limits;
use crate::model::{ReportFacts, Sink};
use crate::{json, text, xml};

/// How a format is recognised and read.
pub(crate) struct Entry {
    pub(crate) format: Format,
    /// Whether the beginning of a report belongs to the format.
    pub(crate) recognise: fn(&Opening) -> bool,
    /// Reads a report of the format to its end.
    pub(crate) read: fn(Input<'_>, &Limits, &mut dyn Sink) -> Result<ReportFacts, ReportError>,
}

/// All readers, in the order of recognition.
static ENTRIES: &[Entry] = &[
    xml::cobertura::ENTRY,
    xml::jacoco::ENTRY,
    xml::clover::ENTRY,
    xml::opencover::ENTRY,
    text::go::ENTRY,
    text::lcov::ENTRY,
    json::llvm::ENTRY,
    json::istanbul::ENTRY,
    json::istanbul_summary::ENTRY,
    json::simplecov::ENTRY,
];

/// The reader of a format.
pub(crate) fn entry(format: Format) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.format == format)
}

/// The reader of the format that the beginning belongs to.
pub(crate) fn recognise(opening: &Opening) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| (entry.recognise)(opening))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_reader() {
        for format in Format::ALL {
            assert!(entry(*format).is_some_and(|entry| entry.format == *format), "{format}");
        }
    }
}
