//! Unpacking an artifact into a fresh folder.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use zip::ZipArchive;

use super::name::{check_link, check_name};
use super::{ArchiveError, ArchiveLimits, at};

/// The longest link target that is read.
const MAX_LINK: u64 = 4096;

/// Unpacks `body` into the folder `into`, which is created and should be empty. Executable bits are restored; owners
/// and times are not. Links are created last, so that nothing is ever written through one.
pub(crate) fn unpack(body: &[u8], into: &Path, limits: ArchiveLimits) -> Result<(), ArchiveError> {
    let mut archive = ZipArchive::new(Cursor::new(body))?;
    if archive.len() > limits.entries {
        return Err(ArchiveError::TooManyEntries { limit: limits.entries });
    }
    if archive.has_duplicate_names() {
        return Err(ArchiveError::Duplicate { name: "one of its files".to_owned() });
    }
    fs::create_dir_all(into).map_err(at(into))?;
    let mut names = BTreeSet::new();
    let mut links = Vec::new();
    let mut left = limits.bytes;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.name()?.into_owned();
        check_name(&name)?;
        if entry.encrypted() {
            return Err(ArchiveError::Encrypted { name });
        }
        let path = into.join(&name);
        if !names.insert(name.trim_end_matches('/').to_owned()) {
            return Err(ArchiveError::Duplicate { name });
        }
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(at(&path))?;
        } else if entry.is_symlink() {
            links.push((name, read_link(&mut entry)?));
        } else {
            let executable = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
            left -= write_file(&mut entry, &path, executable, left, limits)?;
        }
    }
    links.iter().try_for_each(|(name, target)| create_link(into, name, target, &names))
}

fn write_file(
    entry: &mut impl Read,
    path: &Path,
    executable: bool,
    left: u64,
    limits: ArchiveLimits,
) -> Result<u64, ArchiveError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    let mode = if executable { 0o755 } else { 0o644 };
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(at(path))?;
    let written = std::io::copy(&mut entry.take(left.saturating_add(1)), &mut file).map_err(at(path))?;
    if written > left {
        return Err(ArchiveError::TooLarge { limit: limits.bytes });
    }
    file.flush().map_err(at(path))?;
    Ok(written)
}

fn read_link(entry: &mut impl Read) -> Result<String, ArchiveError> {
    let mut target = String::new();
    entry.take(MAX_LINK).read_to_string(&mut target).map_err(at("a symbolic link of the archive"))?;
    Ok(target)
}

fn create_link(into: &Path, name: &str, target: &str, names: &BTreeSet<String>) -> Result<(), ArchiveError> {
    check_link(name, target)?;
    let below = format!("{name}/");
    if names.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below)) {
        return Err(ArchiveError::UnsafeLink { name: name.to_owned(), target: target.to_owned() });
    }
    let path = into.join(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    symlink(target, &path).map_err(at(&path))
}
