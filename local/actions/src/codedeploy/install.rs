//! The Install event: what is removed from and copied to the instance's root.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::appspec::{AppSpec, FileExistsBehavior, Mapping};

/// Why the files cannot be installed.
#[derive(Debug, thiserror::Error)]
pub(super) enum InstallError {
    #[error("a specified file already exists at this location: /{}; set file_exists_behavior to OVERWRITE or RETAIN, or remove it in a BeforeInstall script", .0.display())]
    Exists(PathBuf),
    #[error("the revision has no {}, which the files section of the AppSpec names", .0.display())]
    NoSource(PathBuf),
    #[error("/{} leads out of the instance's root by a symbolic link", .0.display())]
    LeavesRoot(PathBuf),
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> InstallError {
    let path = path.to_owned();
    move |source| InstallError::Io { path, source }
}

/// Copies the whole root of the instance, so that a deployment changes nothing of what is being served. Absolute links
/// into the old root are made to point into the new one.
pub(super) fn copy_root(old: &Path, new: &Path) -> Result<(), InstallError> {
    fs::create_dir_all(new).map_err(at(new))?;
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let from = old.join(&folder);
        for entry in fs::read_dir(&from).map_err(at(&from))? {
            let entry = entry.map_err(at(&from))?;
            let relative = folder.join(entry.file_name());
            let (source, target) = (old.join(&relative), new.join(&relative));
            let kind = entry.file_type().map_err(at(&source))?;
            if kind.is_dir() {
                fs::create_dir(&target).map_err(at(&target))?;
                let permissions = fs::metadata(&source).map_err(at(&source))?.permissions();
                fs::set_permissions(&target, permissions).map_err(at(&target))?;
                folders.push(relative);
            } else if kind.is_symlink() {
                let link = fs::read_link(&source).map_err(at(&source))?;
                let link = link.strip_prefix(old).map_or(link.clone(), |below| new.join(below));
                symlink(link, &target).map_err(at(&target))?;
            } else if kind.is_file() {
                fs::copy(&source, &target).map_err(at(&source))?;
            }
        }
    }
    Ok(())
}

/// Removes what the last deployment has installed, copies what the AppSpec names, and returns which files that were,
/// relative to the root.
pub(super) fn install(
    revision: &Path,
    root: &Path,
    appspec: &AppSpec,
    last: &BTreeSet<PathBuf>,
) -> Result<BTreeSet<PathBuf>, InstallError> {
    // The root is taken without symbolic links: what is checked below are the links within it.
    let root = fs::canonicalize(root).map_err(at(root))?;
    for file in last {
        let path = inside(&root, file)?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
            _ => {}
        }
    }
    let mut installed = BTreeSet::new();
    for mapping in &appspec.files {
        for (source, destination) in sources(revision, mapping)? {
            let path = inside(&root, &destination)?;
            if !installed.contains(&destination) && fs::symlink_metadata(&path).is_ok() {
                match appspec.file_exists_behavior {
                    FileExistsBehavior::Disallow => return Err(InstallError::Exists(destination)),
                    FileExistsBehavior::Retain => continue,
                    FileExistsBehavior::Overwrite => {}
                }
            }
            copy(&source, &path)?;
            installed.insert(destination);
        }
    }
    Ok(installed)
}

/// The files of a mapping with their destinations, relative to the root.
fn sources(revision: &Path, mapping: &Mapping) -> Result<Vec<(PathBuf, PathBuf)>, InstallError> {
    let start = revision.join(&mapping.source);
    let metadata = fs::symlink_metadata(&start).map_err(|_| InstallError::NoSource(mapping.source.clone()))?;
    if !metadata.is_dir() {
        let name = mapping.source.file_name().unwrap_or_default();
        return Ok(vec![(start, mapping.destination.join(name))]);
    }
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let from = start.join(&folder);
        for entry in fs::read_dir(&from).map_err(at(&from))? {
            let entry = entry.map_err(at(&from))?;
            let relative = folder.join(entry.file_name());
            if entry.file_type().map_err(at(&from))?.is_dir() {
                folders.push(relative);
            } else {
                found.push((start.join(&relative), mapping.destination.join(&relative)));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The path of a file below the root, its folders created. Refuses a path that a link in the root leads out of it.
fn inside(root: &Path, relative: &Path) -> Result<PathBuf, InstallError> {
    let mut folder = root.to_owned();
    for part in relative.parent().unwrap_or(Path::new("")) {
        folder.push(part);
        match fs::canonicalize(&folder) {
            Ok(real) if real.starts_with(root) => folder = real,
            Ok(_) => return Err(InstallError::LeavesRoot(relative.to_owned())),
            Err(_) => fs::create_dir(&folder).map_err(at(&folder))?,
        }
    }
    Ok(folder.join(relative.file_name().unwrap_or_default()))
}

/// Copies a file or a link, replacing what is there.
fn copy(source: &Path, path: &Path) -> Result<(), InstallError> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir()) {
        // Not written through: what is there may be a link.
        fs::remove_file(path).map_err(at(path))?;
    }
    let metadata = fs::symlink_metadata(source).map_err(at(source))?;
    if metadata.is_symlink() {
        let target = fs::read_link(source).map_err(at(source))?;
        return symlink(target, path).map_err(at(path));
    }
    fs::copy(source, path).map(drop).map_err(at(path))
}
