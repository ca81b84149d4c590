//! Why an archive or an entry is not read.

use crate::error::Shown;

/// Why a whole archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveFault {
    /// It begins like a ZIP and has no end record.
    #[error("it begins like a ZIP archive but its end is missing; the upload was probably cut off")]
    Truncated,
    /// Bytes follow the end record and its comment.
    #[error("{bytes} bytes follow its end record")]
    TrailingData {
        /// How many.
        bytes: u64,
    },
    /// Two places could be the end record.
    #[error("it has more than one end record, so readers could disagree about what it contains")]
    SeveralEnds,
    /// It is spread over several disks (APPNOTE 8).
    #[error("it is one part of an archive that is split over several files")]
    MultiDisk,
    /// The Zip64 records contradict the end record, or are damaged.
    #[error("its Zip64 end record is damaged or contradicts its end record ({detail})")]
    Zip64 {
        /// What does not fit.
        detail: &'static str,
    },
    /// The central directory does not lie where the end record says.
    #[error(
        "its central directory should be {size} bytes at offset {offset} and end at offset {end}; the archive was cut, \
         changed in transfer, or has other data in front of it"
    )]
    DirectoryPlace {
        /// Offset by the end record.
        offset: u64,
        /// Bytes by the end record.
        size: u64,
        /// Offset of the end record.
        end: u64,
    },
    /// A central directory header is damaged.
    #[error("header {index} of its central directory is damaged ({detail})")]
    DirectoryHeader {
        /// Counted from 0.
        index: u64,
        /// What does not fit.
        detail: &'static str,
    },
    /// The central directory does not hold the announced number of headers.
    #[error("its end record announces {announced} entries and its central directory holds {found}")]
    EntryCount {
        /// By the end record.
        announced: u64,
        /// By the central directory.
        found: u64,
    },
    /// The central directory is encrypted (APPNOTE 7.3).
    #[error("its central directory is encrypted")]
    DirectoryEncrypted,
    /// A path leaves the artifact, or is none.
    #[error("it contains the path `{}`, which {problem}", Shown(path))]
    UnsafePath {
        /// The path.
        path: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two files have the same path.
    #[error("it contains `{}` more than once", Shown(path))]
    DuplicatePath {
        /// The path.
        path: String,
    },
    /// A path is a file and the folder of another file.
    #[error("it contains `{}` both as a file and as a folder", Shown(path))]
    FileAndFolder {
        /// The path.
        path: String,
    },
    /// Two entries share bytes, or an entry reaches into the central directory.
    #[error("the data of `{}` overlaps with what follows it", Shown(path))]
    Overlap {
        /// The path of the first one.
        path: String,
    },
    /// Bytes lie before the first entry.
    #[error("{bytes} bytes lie in front of its first entry")]
    LeadingData {
        /// How many.
        bytes: u64,
    },
}

/// Why one entry is not read although the archive is in order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryRefusal {
    /// The entry is encrypted.
    #[error("the file is encrypted; package the artifact without a password")]
    Encrypted,
    /// The entry is compressed by another method than stored and deflated.
    #[error("the file is compressed by {method}; only stored and deflated files are read")]
    Method {
        /// By name where it has one, as "method 97" otherwise.
        method: String,
    },
    /// The entry is a symbolic link, a device, a socket or a pipe.
    #[error("it is {what}, not a file; package the file itself")]
    NotAFile {
        /// "a symbolic link" or "a special file".
        what: &'static str,
    },
    /// The path can be read in two ways.
    #[error("readers of ZIP archives disagree about its path, which could also be `{}` ({reason})", Shown(other))]
    DoubtfulPath {
        /// The other reading.
        other: String,
        /// Where the doubt comes from.
        reason: &'static str,
    },
}

/// What is damaged or ambiguous in one entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// No local header where the central directory says.
    #[error("there is no local header at offset {offset}")]
    NoLocalHeader {
        /// In the object.
        offset: u64,
    },
    /// The local header contradicts the central directory.
    #[error("its local header and the central directory disagree about its {field}")]
    HeadersDisagree {
        /// The field.
        field: &'static str,
    },
    /// The data reaches into what follows.
    #[error("its data overlaps with what follows it")]
    Overlap,
    /// The data descriptor after the data contradicts the central directory.
    #[error("the data descriptor after it and the central directory disagree")]
    DataDescriptor,
    /// The compressed data is no deflate stream.
    #[error("its compressed data is corrupt after {inflated} bytes")]
    Deflate {
        /// Bytes inflated before.
        inflated: u64,
    },
    /// The deflate stream does not end with the compressed data.
    #[error("its compressed data ends in the middle, after {inflated} of {declared} bytes")]
    DeflateUnfinished {
        /// Bytes inflated.
        inflated: u64,
        /// By the central directory.
        declared: u64,
    },
    /// The deflate stream ends before the compressed data does.
    #[error("{bytes} bytes follow the end of its compressed data")]
    DeflateTrailing {
        /// How many.
        bytes: u64,
    },
    /// Another size than declared.
    #[error("it is declared as {declared} bytes and inflates to {inflated} or more")]
    Larger {
        /// By the central directory.
        declared: u64,
        /// As counted when reading stopped.
        inflated: u64,
    },
    /// Another size than declared.
    #[error("it is declared as {declared} bytes and inflates to {inflated}")]
    Smaller {
        /// By the central directory.
        declared: u64,
        /// As counted.
        inflated: u64,
    },
    /// Another checksum than declared.
    #[error("its CRC-32 is {computed:08x}, not {declared:08x}")]
    Checksum {
        /// By the central directory.
        declared: u32,
        /// As computed.
        computed: u32,
    },
}
