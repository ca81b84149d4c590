//! Hurl files in ZIP files: input artifacts of a job, or an object that the policy names.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use codepipeline_job::FailureKind;
use stagegate_config::SmokeGate;
use stagegate_pipeline_artifact::{
    Artifact, ArtifactError, ArtifactLocation, ArtifactStore, Entry, FailureKind as Cause, FilePatterns, Limits,
};
use stagegate_verdict::Evidence;

use crate::source::{
    MAX_FILE_BYTES, MAX_TOTAL_BYTES, SourceError, SourceFile, SourceFiles, divided, globs, may_name_files,
};

/// A ZIP file and what it is called.
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) location: ArtifactLocation,
}

/// Reads the Hurl files that `policy` chooses out of `archives`, and the files beside them where they may name some.
pub(crate) async fn from_archives(
    policy: &SmokeGate,
    archives: &[Archive],
    store: &ArtifactStore,
) -> Result<SourceFiles, SourceError> {
    let temporary = tempfile::tempdir().map_err(|error| {
        SourceError::new(FailureKind::SystemUnavailable, format!("make a folder for the files of an artifact: {error}"))
    })?;
    let patterns = FilePatterns::new(globs(policy).iter().map(|glob| glob.glob()))
        .map_err(|error| SourceError::new(FailureKind::ConfigurationError, error.to_string()))?;
    let mut source = SourceFiles::default();
    let mut budget = MAX_TOTAL_BYTES;
    for (number, archive) in archives.iter().enumerate() {
        let failed = |error: ArtifactError| failure(&archive.name, &error);
        let limits = Limits { in_memory_bytes: MAX_FILE_BYTES, ..Limits::default() };
        let opened = store.open(archive.location.clone(), limits).await.map_err(failed)?;
        source.places.push(archive.name.clone());
        let root = temporary.path().join(number.to_string());
        let mut folders = BTreeSet::new();
        for selected in opened.select(&patterns).map_err(failed)? {
            let path = selected.entry.path();
            spend(&mut budget, &selected.entry)?;
            let bytes = opened.read(&selected.entry).await.map_err(failed)?;
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            if may_name_files(&bytes) {
                folders.insert(folder.to_owned());
            }
            source.evidence.push(Evidence {
                source: format!("{}:{path}", archive.name),
                digest: Some(format!("crc32:{:08x}", selected.entry.crc32())),
            });
            let (hurl, always) = divided(policy, &selected.patterns);
            let shown = if archives.len() > 1 { format!("{}:{path}", archive.name) } else { path.to_owned() };
            source.files.push(SourceFile { path: shown, bytes, folder: root.join(folder), hurl, always });
        }
        std::fs::create_dir_all(&root).map_err(|error| SourceError::io("make the folder", &root, &error))?;
        unpack(&opened, &archive.name, &folders, &root, &mut budget).await?;
    }
    source.files.sort_by(|one, other| one.path.cmp(&other.path));
    source.temporary = Some(temporary);
    Ok(source)
}

/// Writes everything in `folders` of the archive to the same folders below `root`.
async fn unpack(
    archive: &Artifact,
    name: &str,
    folders: &BTreeSet<String>,
    root: &Path,
    budget: &mut u64,
) -> Result<(), SourceError> {
    if folders.is_empty() {
        return Ok(());
    }
    let below = |folder: &String| match folder.as_str() {
        "" => "**".to_owned(),
        folder => format!("{}/**", globset::escape(folder)),
    };
    let patterns = FilePatterns::new(folders.iter().map(below))
        .map_err(|error| SourceError::new(FailureKind::ConfigurationError, error.to_string()))?;
    let failed = |error: ArtifactError| failure(name, &error);
    for selected in archive.select(&patterns).map_err(failed)? {
        spend(budget, &selected.entry)?;
        let path = within(root, selected.entry.path()).ok_or_else(|| {
            let path = selected.entry.path();
            SourceError::new(FailureKind::JobFailed, format!("unpack {path:?}: the path leads out of its folder"))
        })?;
        let bytes = archive.read(&selected.entry).await.map_err(failed)?;
        let folder = path.parent().unwrap_or(root);
        std::fs::create_dir_all(folder).map_err(|error| SourceError::io("make the folder", folder, &error))?;
        std::fs::write(&path, bytes).map_err(|error| SourceError::io("write", &path, &error))?;
    }
    Ok(())
}

/// The path below `root`, which the archive's reader has already kept within; checked once more before it is written.
fn within(root: &Path, path: &str) -> Option<PathBuf> {
    let path = Path::new(path);
    path.components().all(|part| matches!(part, Component::Normal(_))).then(|| root.join(path))
}

fn spend(budget: &mut u64, entry: &Entry) -> Result<(), SourceError> {
    *budget = budget.checked_sub(entry.size()).ok_or_else(|| {
        let message = format!(
            "read the files of the smoke tests: they have more than {} MiB together; keep the folders of Hurl files small",
            MAX_TOTAL_BYTES / 1024 / 1024
        );
        SourceError::new(FailureKind::JobFailed, message)
    })?;
    Ok(())
}

fn failure(name: &str, error: &ArtifactError) -> SourceError {
    let kind = match error.kind() {
        Cause::Configuration => FailureKind::ConfigurationError,
        Cause::Permission => FailureKind::PermissionError,
        Cause::Unavailable => FailureKind::SystemUnavailable,
        Cause::InvalidArtifact => FailureKind::JobFailed,
    };
    SourceError::new(kind, format!("read Hurl files of {name}: {error}"))
}
