//! Which files of a folder belong to the source.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ignore::WalkBuilder;

use crate::archive::{ArchiveError, ArchiveLimits, Member, at, check_link};

/// All files and links below `folder` by their names in the archive.
///
/// `.git` is never among them, and neither is what the Git ignore files name, unless it is in `tracked`: the files
/// that Git knows, for a folder in a repository. Ignore files above the folder count only within a repository.
pub(super) fn members(
    folder: &Path,
    tracked: Option<&[String]>,
    limits: ArchiveLimits,
) -> Result<BTreeMap<String, Member>, ArchiveError> {
    let mut members = BTreeMap::new();
    let walk = WalkBuilder::new(folder)
        .hidden(false)
        .ignore(false)
        .git_global(false)
        .parents(tracked.is_some())
        .require_git(tracked.is_some())
        .filter_entry(|entry| entry.file_name() != ".git")
        .build();
    for entry in walk {
        let entry = entry.map_err(|error| ArchiveError::Io { path: folder.to_owned(), source: into_io(error) })?;
        let Ok(relative) = entry.path().strip_prefix(folder) else { continue };
        add(&mut members, folder, relative, limits)?;
    }
    for name in tracked.unwrap_or_default() {
        add(&mut members, folder, Path::new(name), limits)?;
    }
    Ok(members)
}

fn add(
    members: &mut BTreeMap<String, Member>,
    folder: &Path,
    relative: &Path,
    limits: ArchiveLimits,
) -> Result<(), ArchiveError> {
    let path = folder.join(relative);
    // A tracked file may be deleted in the working tree, and a file may vanish while the folder is read.
    let Ok(metadata) = fs::symlink_metadata(&path) else { return Ok(()) };
    let name = relative.to_str().ok_or_else(|| ArchiveError::UnsafeName { name: relative.display().to_string() })?;
    let member = if metadata.is_symlink() {
        let target = fs::read_link(&path).map_err(at(&path))?;
        let target = target.to_string_lossy().into_owned();
        check_link(name, &target)?;
        Member::Link { target }
    } else if metadata.is_file() {
        Member::File { executable: metadata.permissions().mode() & 0o100 != 0, path }
    } else {
        return Ok(());
    };
    members.insert(name.to_owned(), member);
    if members.len() > limits.entries {
        return Err(ArchiveError::TooManyEntries { limit: limits.entries });
    }
    Ok(())
}

fn into_io(error: ignore::Error) -> std::io::Error {
    let text = error.to_string();
    error.into_io_error().unwrap_or_else(|| std::io::Error::other(text))
}
