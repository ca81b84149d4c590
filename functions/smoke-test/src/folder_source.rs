//! Hurl files in a folder: the configuration layer, or this machine.

use std::fs;
use std::path::{Path, PathBuf};

use codepipeline_job::FailureKind;
use globset::{GlobSet, GlobSetBuilder};
use stagegate_config::SmokeGate;
use stagegate_verdict::Evidence;

use crate::source::{MAX_FILE_BYTES, SourceError, SourceFile, SourceFiles, divided, globs};

/// The most files and folders that are looked at.
const MAX_ENTRIES: usize = 100_000;

/// Reads the Hurl files that `policy` chooses below `root`.
///
/// # Errors
///
/// If the folder or a chosen file cannot be read.
pub fn from_folder(policy: &SmokeGate, root: &Path) -> Result<SourceFiles, SourceError> {
    let set = glob_set(policy)?;
    let mut source = SourceFiles { places: vec![root.display().to_string()], ..SourceFiles::default() };
    let mut entries = 0;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| SourceError::io("read the folder", &folder, &error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            entries += 1;
            if entries > MAX_ENTRIES {
                let message = format!("look for Hurl files: {} holds more than {MAX_ENTRIES} files", root.display());
                return Err(SourceError::new(FailureKind::ConfigurationError, message));
            }
            let kind = entry.file_type().map_err(failed)?;
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let relative = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let matching = set.matches(&relative);
            if !matching.is_empty() && path.is_file() {
                let (hurl, always) = divided(policy, &matching);
                source.files.push(read(&path, relative, hurl, always)?);
            }
        }
    }
    source.files.sort_by(|one, other| one.path.cmp(&other.path));
    source.evidence = source.files.iter().map(|file| evidence(&file.path)).collect();
    Ok(source)
}

/// Reads these files of this machine, in the given order, whatever the patterns of a policy say.
///
/// # Errors
///
/// If a file cannot be read.
pub fn from_files(files: &[PathBuf]) -> Result<SourceFiles, SourceError> {
    let mut source =
        SourceFiles { places: vec!["the command line".to_owned()], by_hand: true, ..SourceFiles::default() };
    for path in files {
        source.files.push(read(path, path.display().to_string(), Vec::new(), Vec::new())?);
    }
    source.evidence = source.files.iter().map(|file| evidence(&file.path)).collect();
    Ok(source)
}

fn evidence(path: &str) -> Evidence {
    Evidence { source: path.to_owned(), digest: None }
}

fn read(path: &Path, shown: String, hurl: Vec<usize>, always: Vec<usize>) -> Result<SourceFile, SourceError> {
    let failed = |error: std::io::Error| SourceError::io("read the Hurl file", path, &error);
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > MAX_FILE_BYTES {
        let message = format!("read the Hurl file {shown}: it has {size} bytes; at most {MAX_FILE_BYTES} are read");
        return Err(SourceError::new(FailureKind::JobFailed, message));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(SourceFile { path: shown, bytes, folder: folder.to_owned(), hurl, always })
}

fn glob_set(policy: &SmokeGate) -> Result<GlobSet, SourceError> {
    let mut set = GlobSetBuilder::new();
    for glob in globs(policy) {
        set.add(glob.clone());
    }
    set.build().map_err(|error| SourceError::new(FailureKind::ConfigurationError, format!("use the policy: {error}")))
}
