//! A folder that exists as long as the work in it.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Removes its folder when it is dropped.
#[derive(Debug)]
pub(crate) struct WorkFolder {
    path: PathBuf,
    kept: bool,
}

impl WorkFolder {
    /// Creates the folder with those above it. It must not exist.
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        if let Some(above) = path.parent() {
            fs::create_dir_all(above)?;
        }
        fs::create_dir(&path)?;
        Ok(Self { path, kept: false })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Leaves the folder where it is.
    pub(crate) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Killed processes may still be writing their last file, so one failure is not the end.
        for _ in 0..3 {
            match fs::remove_dir_all(&self.path) {
                Ok(()) => return,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return,
                Err(error) => tracing::debug!(path = %self.path.display(), %error, "a work folder is not removed yet"),
            }
        }
    }
}
