//! One file of an archive, as the central directory describes it.

use std::fmt;
use std::ops::Range;

use super::fault::EntryRefusal;
use super::local::{LOCAL_HEADER_BYTES, LONGEST_DATA_DESCRIPTOR};

/// How an entry is compressed (APPNOTE 4.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// Method 0.
    Stored,
    /// Method 8.
    Deflated,
    /// A method that is not read.
    Other(u16),
}

impl Method {
    pub(super) fn from_number(number: u16) -> Self {
        match number {
            0 => Self::Stored,
            8 => Self::Deflated,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored => f.write_str("stored"),
            Self::Deflated => f.write_str("deflated"),
            Self::Other(9) => f.write_str("Deflate64"),
            Self::Other(12) => f.write_str("bzip2"),
            Self::Other(14) => f.write_str("LZMA"),
            Self::Other(93) => f.write_str("Zstandard"),
            Self::Other(95) => f.write_str("xz"),
            Self::Other(number) => write!(f, "method {number}"),
        }
    }
}

/// What an entry stands for in the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Directory,
    SymbolicLink,
    SpecialFile,
}

/// Another reading of a path that the central directory allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherPath {
    pub(crate) path: String,
    pub(crate) reason: &'static str,
}

/// One file of an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub(crate) path: String,
    /// The name as it stands in the archive, where it differs from `path`.
    pub(crate) raw_name: Option<Box<[u8]>>,
    pub(crate) other_path: Option<Box<OtherPath>>,
    pub(crate) kind: EntryKind,
    pub(crate) method: Method,
    pub(crate) flags: u16,
    pub(crate) crc32: u32,
    pub(crate) compressed_size: u64,
    pub(crate) size: u64,
    /// Offset of the local header in the object.
    pub(crate) header_offset: u64,
    /// Offset of what follows: the next local header or the central directory.
    pub(crate) limit_offset: u64,
    /// The bytes that are fetched together with this entry, where it was selected with its neighbours.
    pub(crate) run: Option<Range<u64>>,
}

/// General purpose bit flags (APPNOTE 4.4.4).
pub(super) mod flag {
    pub(in crate::zip) const ENCRYPTED: u16 = 1;
    pub(in crate::zip) const DATA_DESCRIPTOR: u16 = 1 << 3;
    pub(in crate::zip) const PATCHED: u16 = 1 << 5;
    pub(in crate::zip) const STRONG_ENCRYPTION: u16 = 1 << 6;
    pub(in crate::zip) const UTF8: u16 = 1 << 11;
    pub(in crate::zip) const MASKED_HEADERS: u16 = 1 << 13;
}

impl Entry {
    /// The path relative to the artifact's root, with `/` between its parts, without `.` and `..`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Bytes in the archive.
    pub fn compressed_size(&self) -> u64 {
        self.compressed_size
    }

    /// Bytes of the file, as the central directory declares them; verified when the file is read.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// CRC-32 of the file, as the central directory declares it; verified when the file is read.
    pub fn crc32(&self) -> u32 {
        self.crc32
    }

    /// How it is compressed.
    pub fn method(&self) -> Method {
        self.method
    }

    pub(crate) fn is_directory(&self) -> bool {
        self.kind == EntryKind::Directory
    }

    pub(crate) fn has_data_descriptor(&self) -> bool {
        self.flags & flag::DATA_DESCRIPTOR != 0
    }

    pub(crate) fn raw_name(&self) -> &[u8] {
        self.raw_name.as_deref().unwrap_or(self.path.as_bytes())
    }

    /// From the local header to what follows the data, as far as header, data and data descriptor can reach. The local
    /// extra field may be longer than the one in the central directory, so the end is not known more exactly.
    pub(crate) fn range(&self) -> Range<u64> {
        let longest = LOCAL_HEADER_BYTES
            + self.raw_name().len() as u64
            + u64::from(u16::MAX)
            + self.compressed_size
            + LONGEST_DATA_DESCRIPTOR as u64;
        self.header_offset..self.limit_offset.min(self.header_offset + longest)
    }

    /// Whether the entry is of a kind that is read.
    ///
    /// # Errors
    /// The reason why it is not.
    pub fn check_readable(&self) -> Result<(), EntryRefusal> {
        if let Some(other) = self.other_path.as_deref() {
            return Err(EntryRefusal::DoubtfulPath { other: other.path.clone(), reason: other.reason });
        }
        match self.kind {
            EntryKind::File => {}
            EntryKind::SymbolicLink => return Err(EntryRefusal::NotAFile { what: "a symbolic link" }),
            EntryKind::SpecialFile => return Err(EntryRefusal::NotAFile { what: "a special file" }),
            EntryKind::Directory => return Err(EntryRefusal::NotAFile { what: "a folder" }),
        }
        if self.flags & (flag::ENCRYPTED | flag::STRONG_ENCRYPTION) != 0 {
            return Err(EntryRefusal::Encrypted);
        }
        if self.flags & flag::PATCHED != 0 {
            return Err(EntryRefusal::Method { method: "a patch to another file".to_owned() });
        }
        match self.method {
            Method::Stored | Method::Deflated => Ok(()),
            Method::Other(99) => Err(EntryRefusal::Encrypted),
            Method::Other(_) => Err(EntryRefusal::Method { method: self.method.to_string() }),
        }
    }
}
