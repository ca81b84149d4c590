//! Recognises a format from the beginning of a report.

use report_input::Opening;

use crate::formats::{self, Entry};

/// The entry of the format that the beginning belongs to.
pub(crate) fn recognise(opening: &Opening) -> Option<&'static Entry> {
    formats::ENTRIES.iter().find(|entry| (entry.recognise)(opening))
}

/// What is wrong with a beginning that belongs to no format.
pub(crate) fn unknown(opening: &Opening) -> String {
    let start: String = opening.text().trim_start().chars().take(60).collect();
    let start = start.escape_debug();
    match opening.root() {
        Some(root) => format!(
            "the root element <{}> belongs to no known report format (the file begins with \"{start}\"); name the \
             format if it is one of them",
            root.name.escape_debug()
        ),
        None => format!(
            "the content is of no known report format (the file begins with \"{start}\"); name the format if it is \
             one of them"
        ),
    }
}
