//! Reports on this machine, for `stagegate test-gate PATH...`.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use globset::{GlobSet, GlobSetBuilder};
use stagegate_config::TestsPolicy;

use crate::evidence::Evidence;

/// The most files that are looked at below a folder.
const MAX_FILES: usize = 100_000;

/// Why reports on this machine cannot be gathered.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A path that is not there or cannot be read.
    #[error("read {}: {error}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The operating system's reason.
        error: std::io::Error,
    },
    /// A folder with more files than are looked at.
    #[error("look through {}: it holds more than {MAX_FILES} files; name a folder further down", path.display())]
    TooManyFiles {
        /// The folder.
        path: PathBuf,
    },
    /// Patterns that cannot be used together.
    #[error("use the patterns under `reports`: {0}")]
    Patterns(#[from] globset::Error),
}

/// Reads reports for `policy`: a file is a report by itself, below a folder the patterns of the policy choose.
///
/// # Errors
///
/// If a path cannot be read. A report that can be read but not understood is part of the evidence instead.
pub fn gather(policy: &TestsPolicy, paths: &[PathBuf]) -> Result<Evidence, LocalError> {
    let mut evidence = Evidence::new(policy);
    let mut patterns = GlobSetBuilder::new();
    for pattern in &policy.reports {
        patterns.add(pattern.files.clone());
    }
    let patterns = patterns.build()?;
    for path in paths {
        evidence.places.push(path.display().to_string());
        if path.is_dir() {
            read_folder(&mut evidence, path, &patterns)?;
        } else {
            read_file(&mut evidence, path)?;
            // A file that is named outright stands for whatever a pattern would have found.
            evidence.matches.iter_mut().for_each(|count| *count = count.saturating_add(1));
        }
    }
    Ok(evidence)
}

fn read_folder(evidence: &mut Evidence, folder: &Path, patterns: &GlobSet) -> Result<(), LocalError> {
    let mut files = Vec::new();
    list(folder, &mut files)?;
    files.sort();
    for file in files {
        let relative = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let matched = patterns.matches(&relative);
        if !matched.is_empty() {
            read_file(evidence, &file)?;
        }
        matched.into_iter().for_each(|pattern| evidence.matches[pattern] += 1);
    }
    Ok(())
}

/// All files below `folder`; links are not followed, so that no circle and no way out exists.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), LocalError> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let unreadable = |error| LocalError::Unreadable { path: folder.clone(), error };
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let kind = entry.file_type().map_err(unreadable)?;
            match kind.is_dir() {
                true => folders.push(entry.path()),
                false if kind.is_file() => files.push(entry.path()),
                false => {}
            }
        }
        if files.len() > MAX_FILES {
            return Err(LocalError::TooManyFiles { path: folder });
        }
    }
    Ok(())
}

fn read_file(evidence: &mut Evidence, path: &Path) -> Result<(), LocalError> {
    let file = File::open(path).map_err(|error| LocalError::Unreadable { path: path.to_owned(), error })?;
    evidence.read(path.display().to_string(), None, BufReader::with_capacity(64 * 1024, file));
    Ok(())
}
