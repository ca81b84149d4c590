//! What a report may ask of its reader.

use report_input::Bounds;

/// Bounds on what is read from a report and kept of it.
///
/// The first group ends the reading with an error when it is exceeded. The second group only shortens what is kept for
/// people: a longer text is read, checked and cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
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
    /// Tests in one report. Default 50,000,000.
    pub tests: u64,

    /// Bytes kept of a name of a test, class, suite or file. What is cut off the first three leaves a digest of the
    /// whole name behind, so that different tests stay different. Default 1024.
    pub name: usize,
    /// Bytes kept of a failure's message. Default 2048.
    pub message: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            bytes: 4 << 30,
            depth: 100,
            attributes: 256,
            token: 4 << 20,
            tests: 50_000_000,
            name: 1024,
            message: 2048,
        }
    }
}

impl Limits {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { bytes: self.bytes, depth: self.depth, attributes: self.attributes, token: self.token }
    }
}
