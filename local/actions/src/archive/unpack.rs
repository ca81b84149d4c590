//! Unpacking an artifact into a fresh folder.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;

use zip::{System, ZipArchive};

use super::name::{check_link, check_name};
use super::{ArchiveError, ArchiveLimits, at};

/// The longest link target that is read.
const MAX_LINK: u64 = 4096;

/// Unpacks `body` into the folder `into`, which is created and should be empty. Executable bits are restored; owners
/// and times are not. Links are created last, so that nothing is ever written through one.
///
/// # Errors
///
/// If the archive cannot be read, holds more than `limits` allow or an entry that would leave the folder, or if a file cannot
/// be written.
pub fn unpack(body: &[u8], into: &Path, limits: ArchiveLimits) -> Result<(), ArchiveError> {
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
            // An archive from a system without executable bits (`git archive` writes plain files so) has none to restore.
            let executable = entry.system() != System::Dos && entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// Names that are unpacked, mostly, so that it is the links that decide.
    fn name() -> impl Strategy<Value = String> {
        let usual = proptest::sample::select(vec!["a", "b", "c/a", "c/b", "c/d/a"]).prop_map(str::to_owned);
        prop_oneof![20 => usual, 1 => target()]
    }

    /// Targets that go up, and through the names above.
    fn target() -> impl Strategy<Value = String> {
        let part = prop_oneof![4 => Just(".."), 2 => Just("a"), 2 => Just("c"), 1 => Just("b"), 1 => Just(".")];
        proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
    }

    fn archive(entries: &[(String, Option<String>)]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, target) in entries {
            // A name that the writer itself refuses is none that this is about.
            let _ = match target {
                Some(target) => zip.add_symlink(name, target, SimpleFileOptions::default()),
                None => zip.start_file(name, SimpleFileOptions::default()),
            };
        }
        zip.finish().unwrap().into_inner()
    }

    /// All links below a folder.
    fn links(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| match fs::symlink_metadata(&path).unwrap() {
                metadata if metadata.is_dir() => links(&path),
                metadata if metadata.is_symlink() => vec![path],
                _ => vec![],
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn nothing_that_is_unpacked_leads_outside(
            entries in proptest::collection::vec((name(), proptest::option::weighted(0.8, target())), 1..4)
        ) {
            let outside = tempfile::tempdir().unwrap();
            let root = fs::canonicalize(outside.path()).unwrap().join("x/root");
            let unpacked = unpack(&archive(&entries), &root, ArchiveLimits::default());
            let beside: Vec<_> = fs::read_dir(outside.path().join("x")).into_iter().flatten().collect();
            prop_assert!(beside.len() <= 1, "{entries:?} wrote beside the folder");
            if unpacked.is_ok() {
                for link in links(&root) {
                    if let Ok(target) = fs::canonicalize(&link) {
                        prop_assert!(target.starts_with(&root), "{entries:?}: {} leads to {}", link.display(), target.display());
                    }
                }
            }
        }
    }
}
