//! What a report may ask of its reader, whatever it reports.

/// Bounds on what is read from a report; exceeding one ends the reading with an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes read from the input, after any decompression. Default 4 GiB.
    pub bytes: u64,
    /// Depth of nested elements (XML), or of arrays and objects (JSON). Default 100.
    pub depth: usize,
    /// Attributes on one element. Default 256.
    pub attributes: usize,
    /// Bytes of one piece of markup: a tag with its attributes, a processing instruction, a document type declaration;
    /// of one line in formats made of lines; of one string in JSON. Running text in XML is not bounded by it.
    /// Default 4 MiB.
    pub token: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { bytes: 4 << 30, depth: 100, attributes: 256, token: 4 << 20 }
    }
}

/// The longest part of `text` that has at most `bytes` bytes and ends on a character boundary.
#[inline]
#[must_use]
pub fn cut(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes { text } else { &text[..text.floor_char_boundary(bytes)] }
}
