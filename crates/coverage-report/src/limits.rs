//! What a report may ask of its reader.

use report_input::Bounds;

/// Bounds on what is read from a report; exceeding one ends the reading with an error that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes read from the input, after any decompression. Default 4 GiB.
    pub bytes: u64,
    /// Depth of nested elements (XML), or of arrays and objects (JSON). Default 100.
    pub depth: usize,
    /// Attributes on one element. Default 256.
    pub attributes: usize,
    /// Bytes of one tag (XML), line (text) or string (JSON). Default 4 MiB.
    pub token: usize,
    /// Bytes of a source file's path. Paths are never cut, because that could make two files one. Default 4096.
    pub path: usize,
    /// Mentions of source files in one report; Go mentions a file once for each package that tested it.
    /// Default 10,000,000.
    pub files: u64,
    /// Lines, branches and blocks in one report. They are handed on file by file, so this bounds time.
    /// Default 500,000,000.
    pub entries: u64,
    /// Lines, branches and blocks in one mention of a source file, which is held until it is complete: 8 to 28 bytes
    /// each. Default 2,000,000.
    pub file_entries: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let bounds = Bounds::default();
        Limits {
            bytes: bounds.bytes,
            depth: bounds.depth,
            attributes: bounds.attributes,
            token: bounds.token,
            path: 4096,
            files: 10_000_000,
            entries: 500_000_000,
            file_entries: 2_000_000,
        }
    }
}

impl Limits {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { bytes: self.bytes, depth: self.depth, attributes: self.attributes, token: self.token }
    }
}
