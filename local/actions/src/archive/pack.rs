//! Writing a ZIP archive whose bytes depend on nothing but names, modes and content.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::name::check_link;
use super::{ArchiveError, ArchiveLimits, at};

/// One entry to be written.
#[derive(Clone, Debug)]
pub(crate) enum Member {
    /// The content of a file on disk.
    File { path: PathBuf, executable: bool },
    /// A symbolic link.
    Link { target: String },
}

/// A finished archive.
#[derive(Debug)]
pub(crate) struct Packed {
    /// The ZIP file.
    pub(crate) body: Vec<u8>,
    /// SHA-256 over names, modes and content, in hexadecimal. It does not depend on how the bytes were compressed.
    pub(crate) digest: String,
}

/// Writes `members` (by name, with `/` between the parts) in the order of their names.
pub(crate) fn pack(members: &BTreeMap<String, Member>, limits: ArchiveLimits) -> Result<Packed, ArchiveError> {
    if members.len() > limits.entries {
        return Err(ArchiveError::TooManyEntries { limit: limits.entries });
    }
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut digest = Sha256::new();
    let mut left = limits.bytes;
    for (name, member) in members {
        match member {
            Member::File { path, executable } => {
                let content = read_bounded(path, left, limits)?;
                left -= content.len() as u64;
                record(&mut digest, name, if *executable { b"x" } else { b"f" }, &content);
                zip.start_file(name, options(if *executable { 0o755 } else { 0o644 }))?;
                zip.write_all(&content).map_err(at(path))?;
            }
            Member::Link { target } => {
                check_link(name, target)?;
                record(&mut digest, name, b"l", target.as_bytes());
                zip.add_symlink(name, target, options(0o777))?;
            }
        }
    }
    let body = zip.finish()?.into_inner();
    Ok(Packed { body, digest: hexadecimal(&digest.finalize()) })
}

fn options(mode: u32) -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(mode)
}

fn read_bounded(path: &PathBuf, left: u64, limits: ArchiveLimits) -> Result<Vec<u8>, ArchiveError> {
    let mut content = Vec::new();
    File::open(path).map_err(at(path))?.take(left.saturating_add(1)).read_to_end(&mut content).map_err(at(path))?;
    if content.len() as u64 > left {
        return Err(ArchiveError::TooLarge { limit: limits.bytes });
    }
    Ok(content)
}

/// Lengths go before the bytes, so that no two different sets of files are recorded alike.
fn record(digest: &mut Sha256, name: &str, kind: &[u8], content: &[u8]) {
    digest.update((name.len() as u64).to_be_bytes());
    digest.update(name);
    digest.update(kind);
    digest.update((content.len() as u64).to_be_bytes());
    digest.update(content);
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
