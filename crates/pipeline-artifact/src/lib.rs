//! Reads chosen files out of a CodePipeline artifact without downloading it, and writes output artifacts.
//!
//! An artifact is a ZIP in S3, often hundreds of megabytes of which a gate wants a few kilobytes. This crate asks for the
//! last 128 KiB, finds the central directory there, and then asks for the ranges of the wanted entries only:
//!
//! ```no_run
//! # async fn example(sdk: aws_config::SdkConfig, credentials: aws_credential_types::Credentials)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use stagegate_pipeline_artifact::{ArtifactClients, ArtifactLocation, FilePatterns, Limits};
//!
//! let clients = ArtifactClients::new(&sdk); // once per process
//! let store = clients.for_job(credentials); // once per job
//! let artifact = store.open(ArtifactLocation::new("bucket", "web/Build/TdOSFRV"), Limits::default()).await?;
//! for file in artifact.select(&FilePatterns::new(["**/TEST-*.xml"])?)? {
//!     let mut reader = artifact.open_entry(&file.entry).await?;
//!     tokio::task::spawn_blocking(move || std::io::copy(&mut reader, &mut std::io::sink())).await??;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What is refused
//!
//! An archive is untrusted input, and a gate must not judge by other files than those that are deployed. So an archive that
//! two readers could understand differently is refused as a whole: bytes before its first entry or after its end record,
//! several end records, counts and sizes that disagree, overlapping entries, two files of one path, paths that leave the
//! artifact. What concerns one entry alone (encryption, an unknown method, a symbolic link, a path with a backslash, a
//! local header that contradicts the central directory) is refused when that entry is wanted. Sizes are counted while
//! inflating, and the last bytes of an entry are handed out only after its size and CRC-32 have been verified.
//!
//! Two things cannot be detected without reading everything: bytes between two entries, which no entry names (they are
//! ignored, as every reader of the central directory does), and a damaged path in the central directory of an entry that
//! lies before the last 128 KiB and is not selected. The object itself is protected by S3's own checksums.
//!
//! # Why a ZIP reader of its own
//!
//! `rc-zip` 5.4 separates parsing from I/O, too, but takes the last end record that it finds, compares entry counts modulo
//! 65,536, does not compare local headers with the central directory, and skips the CRC-32 where it is 0. The `zip` crate
//! reads a blocking `Seek`. Here strictness is the purpose; the format needed is small, and `flate2` inflates.

mod artifact;
mod client;
mod decoder;
mod error;
mod limits;
mod object;
mod reader;
mod run;
mod s3_error;
mod select;
mod write;
mod zip;

pub use artifact::Artifact;
pub use client::{ArtifactClients, ArtifactLocation, ArtifactStore};
pub use error::{ArtifactError, FailureKind, Problem};
pub use limits::{Limit, Limits};
pub use reader::EntryReader;
pub use select::{FilePatterns, PatternError, SelectedFile};
pub use write::ArtifactBuilder;
pub use zip::{ArchiveFault, Entry, EntryFault, EntryRefusal, Method};
