//! What a log may ask of its reader.

use report_input::Bounds;

/// Bounds on what is read from a log and kept of it.
///
/// The first group ends the reading with an error when it is exceeded. The second group only shortens what is kept for
/// people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes read from the input, after any decompression. Default 4 GiB.
    pub bytes: u64,
    /// Depth of arrays and objects. Default 100.
    pub depth: usize,
    /// Bytes of one string, embedded file contents included. Default 16 MiB.
    pub token: usize,
    /// Results in one log. Default 50,000,000.
    pub results: u64,
    /// Rules that one run describes, overrides, and different ways in which its results name them, each.
    /// Default 50,000.
    pub rules: usize,
    /// Bytes of a rule's id. Ids are never cut, because that could make two rules one. Default 1024.
    pub id: usize,

    /// Bytes kept of a finding's message. Default 500.
    pub message: usize,
    /// Bytes kept of a file's name. Default 1024.
    pub file: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let Bounds { bytes, depth, .. } = Bounds::default();
        Limits { bytes, depth, token: 16 << 20, results: 50_000_000, rules: 50_000, id: 1024, message: 500, file: 1024 }
    }
}

impl Limits {
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { bytes: self.bytes, depth: self.depth, token: self.token, ..Bounds::default() }
    }
}
