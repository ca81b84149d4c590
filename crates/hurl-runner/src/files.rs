//! Files that a Hurl file refers to: read from one folder only, and never written.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use bytes::Bytes;

/// The folder under which bodies, form files and certificates are looked up.
#[derive(Clone, Debug)]
pub struct FileRoot {
    folder: Option<PathBuf>,
    max_bytes: u64,
    /// What the option `output` kept, by path. It is read in place of what the folder has there.
    kept: BTreeMap<PathBuf, Bytes>,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileFault {
    /// The path leads out of the folder, or there is no folder.
    Outside,
    /// The file is missing, is a folder, or can not be read.
    Unreadable,
    /// The file is longer than the limit, in bytes.
    TooLong(u64),
    /// A folder has the name of a file that would be kept.
    Folder,
    /// The files that are kept would be longer together than the limit, in bytes.
    Full(u64),
}

impl FileRoot {
    /// Files below `folder`, each of at most `max_bytes`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Self { folder: Some(folder.into()), max_bytes, kept: BTreeMap::new() }
    }

    /// No files at all.
    #[must_use]
    pub fn none() -> Self {
        Self { folder: None, max_bytes: 0, kept: BTreeMap::new() }
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, FileFault> {
        if let Some(bytes) = self.kept.get(&self.path(name)?) {
            return Ok(bytes.to_vec());
        }
        let path = self.resolve(name)?;
        // Looked at before it is opened, because opening a pipe waits for its writer.
        if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return Err(FileFault::Unreadable);
        }
        let file = std::fs::File::open(&path).map_err(|_| FileFault::Unreadable)?;
        let mut bytes = Vec::new();
        file.take(self.max_bytes + 1).read_to_end(&mut bytes).map_err(|_| FileFault::Unreadable)?;
        if bytes.len() as u64 > self.max_bytes { Err(FileFault::TooLong(self.max_bytes)) } else { Ok(bytes) }
    }

    /// Keeps `bytes` as the file `name`, for what reads it later on: in memory only, and of all files together at most
    /// `max_total` bytes.
    pub(crate) fn keep(&mut self, name: &str, bytes: Bytes, max_total: u64) -> Result<(), FileFault> {
        let path = self.path(name)?;
        if path.is_dir() {
            return Err(FileFault::Folder);
        }
        let others = self.kept.iter().filter(|(other, _)| **other != path).map(|(_, bytes)| bytes.len() as u64);
        if others.sum::<u64>().saturating_add(bytes.len() as u64) > max_total {
            return Err(FileFault::Full(max_total));
        }
        self.kept.insert(path, bytes);
        Ok(())
    }

    fn folder(&self) -> Result<PathBuf, FileFault> {
        self.folder.as_deref().ok_or(FileFault::Outside)?.canonicalize().map_err(|_| FileFault::Unreadable)
    }

    /// The path of a file below the folder, by what is written.
    fn path(&self, name: &str) -> Result<PathBuf, FileFault> {
        let folder = self.folder()?;
        let path = lexically_resolved(&folder.join(name));
        if path.starts_with(&folder) { Ok(path) } else { Err(FileFault::Outside) }
    }

    /// The path of an existing file, with no symbolic link left that leads out of the folder.
    fn resolve(&self, name: &str) -> Result<PathBuf, FileFault> {
        let folder = self.folder()?;
        let path = folder.join(name).canonicalize().map_err(|_| FileFault::Unreadable)?;
        if path.starts_with(&folder) { Ok(path) } else { Err(FileFault::Outside) }
    }
}

/// The path with its `..` taken as they are written.
fn lexically_resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_below_its_folder_only() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("sub/in.txt"), "in").unwrap();
        std::fs::write(root.join("long.txt"), "12345").unwrap();
        std::fs::write(folder.path().join("out.txt"), "out").unwrap();
        std::os::unix::fs::symlink("../out.txt", root.join("link.txt")).unwrap();
        std::os::unix::fs::symlink("sub/in.txt", root.join("inner.txt")).unwrap();
        let files = FileRoot::new(&root, 4);
        let absolute = root.join("sub/in.txt");
        for (name, expected) in [
            ("sub/in.txt", Ok(b"in".to_vec())),
            ("./sub/../sub/in.txt", Ok(b"in".to_vec())),
            ("inner.txt", Ok(b"in".to_vec())),
            (absolute.to_str().unwrap(), Ok(b"in".to_vec())),
            ("../out.txt", Err(FileFault::Outside)),
            ("../missing.txt", Err(FileFault::Outside)),
            ("sub/../../out.txt", Err(FileFault::Outside)),
            ("link.txt", Err(FileFault::Outside)),
            ("/etc/passwd", Err(FileFault::Outside)),
            ("missing.txt", Err(FileFault::Unreadable)),
            ("sub", Err(FileFault::Unreadable)),
            ("long.txt", Err(FileFault::TooLong(4))),
        ] {
            assert_eq!(files.read(name), expected, "{name}");
        }
        assert_eq!(FileRoot::none().read("sub/in.txt"), Err(FileFault::Outside));
    }

    #[test]
    fn what_is_kept_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(root.join("in.txt"), "in").unwrap();
        let mut files = FileRoot::new(&root, 100);
        for (name, bytes, expected) in [
            ("in.txt", "new", Ok(())),
            ("../root/out.txt", "out", Ok(())),
            ("sub/../sub/deep.txt", "1", Ok(())),
            ("sub", "1", Err(FileFault::Folder)),
            (".", "1", Err(FileFault::Folder)),
            ("../out.txt", "1", Err(FileFault::Outside)),
            ("/etc/out.txt", "1", Err(FileFault::Outside)),
            ("full.txt", "1234", Err(FileFault::Full(10))),
            ("out.txt", "123456", Ok(())),
        ] {
            assert_eq!(files.keep(name, Bytes::from(bytes), 10), expected, "{name}");
        }
        assert_eq!(files.read("in.txt"), Ok(b"new".to_vec()));
        assert_eq!(files.read("./out.txt"), Ok(b"123456".to_vec()));
        assert_eq!(std::fs::read(root.join("in.txt")).unwrap(), b"in");
        assert!(!root.join("out.txt").exists());
        assert_eq!(FileRoot::none().keep("a", Bytes::new(), 10), Err(FileFault::Outside));
    }
}
