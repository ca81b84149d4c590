//! Files that a Hurl file refers to: read from one folder only.

use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

/// The folder under which bodies, form files and certificates are looked up.
#[derive(Clone, Debug)]
pub struct FileRoot {
    folder: Option<PathBuf>,
    max_bytes: u64,
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
}

impl FileRoot {
    /// Files below `folder`, each of at most `max_bytes`.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, max_bytes: u64) -> Self {
        Self { folder: Some(folder.into()), max_bytes }
    }

    /// No files at all.
    #[must_use]
    pub fn none() -> Self {
        Self { folder: None, max_bytes: 0 }
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, FileFault> {
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

    /// The path of an existing file, with no symbolic link left that leads out of the folder.
    fn resolve(&self, name: &str) -> Result<PathBuf, FileFault> {
        let folder =
            self.folder.as_deref().ok_or(FileFault::Outside)?.canonicalize().map_err(|_| FileFault::Unreadable)?;
        let path = folder.join(name);
        if !lexically_within(&folder, &path) {
            return Err(FileFault::Outside);
        }
        let path = path.canonicalize().map_err(|_| FileFault::Unreadable)?;
        if path.starts_with(&folder) { Ok(path) } else { Err(FileFault::Outside) }
    }
}

/// Whether `path` stays below `folder` when its `..` are taken as they are written.
fn lexically_within(folder: &Path, path: &Path) -> bool {
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
    resolved.starts_with(folder)
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
}
