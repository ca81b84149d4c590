//! ZIP archives: artifacts are written so that equal content gives equal bytes, and unpacked so that no entry leaves
//! the folder.

mod name;
mod pack;
mod unpack;

use std::path::PathBuf;

pub(crate) use name::check_link;
pub(crate) use pack::{Member, Packed, pack};
pub use unpack::unpack;

/// How much an archive may hold. Over a bound, reading or writing fails as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Files, folders and links.
    pub entries: usize,
    /// Bytes of all files together, not compressed; counted while they are read, whatever the archive declares.
    pub bytes: u64,
}

impl Default for ArchiveLimits {
    /// 100,000 entries and 1 GB: CodePipeline's limits of a source artifact that comes from a Git repository.
    fn default() -> Self {
        Self { entries: 100_000, bytes: 1 << 30 }
    }
}

/// Why an archive cannot be written or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The bytes are no ZIP archive, or are damaged.
    #[error("the artifact is not a readable ZIP archive: {0}")]
    Zip(#[from] zip::result::ZipError),
    /// An entry cannot be decrypted here.
    #[error("entry {name:?} of the ZIP archive is encrypted; write the artifact without a password")]
    Encrypted {
        /// The entry's name.
        name: String,
    },
    /// An entry would be written outside of the folder, or its name means different things on different systems.
    #[error(
        "entry {name:?} of the ZIP archive has a name that is not a plain relative path; nothing was unpacked from it"
    )]
    UnsafeName {
        /// The entry's name.
        name: String,
    },
    /// A link leads out of the folder.
    #[error(
        "the symbolic link {name:?} points to {target:?}, which is outside of the folder or cannot be followed safely; replace it by a file or a relative link within the folder"
    )]
    UnsafeLink {
        /// The link's name.
        name: String,
        /// Where it points to.
        target: String,
    },
    /// Two entries of one name: which of them counts would be a guess.
    #[error("the ZIP archive has more than one entry for {name:?}; which of them is meant cannot be known")]
    Duplicate {
        /// The entry's name.
        name: String,
    },
    /// More entries than allowed.
    #[error("there are more than {limit} files in the archive or folder")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// More bytes than allowed.
    #[error("the files of the archive or folder are larger than {limit} bytes together")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

/// Adds the path to an I/O error.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> ArchiveError {
    let path = path.into();
    move |source| ArchiveError::Io { path, source }
}
