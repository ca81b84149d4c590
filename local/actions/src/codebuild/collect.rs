//! Which files of a build belong to an artifact or a report.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::WalkBuilder;

use super::buildspec::FileSet;
use crate::archive::Member;

/// The most files that one artifact or report may take.
const MAX_FILES: usize = 100_000;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// By name in the artifact.
    pub(super) members: BTreeMap<String, Member>,
    /// What a person should know: patterns that found nothing, for example.
    pub(super) notes: Vec<String>,
}

/// Why the files of an artifact cannot be collected. The texts of the first two are CodeBuild's own.
#[derive(Debug, thiserror::Error)]
pub(super) enum CollectError {
    #[error("no matching base directory path found for {0}")]
    NoBaseDirectory(String),
    #[error("no matching artifact paths found: nothing matches {0}")]
    NoFiles(String),
    #[error("the pattern {pattern:?} is not usable: {reason}")]
    Pattern { pattern: String, reason: String },
    #[error(
        "the files {first} and {second} would both be named {name:?} in the artifact; leave out discard-paths or one of them"
    )]
    Ambiguous { name: String, first: String, second: String },
    #[error("{path} is a symbolic link to a place outside of the source directory; it cannot be part of an artifact")]
    Link { path: String },
    #[error("more than {MAX_FILES} files match")]
    TooMany,
    #[error("{0}")]
    Io(String),
}

/// Collects the files of `set` below `source`, the build's source directory.
pub(super) fn collect(source: &Path, set: &FileSet) -> Result<Collected, CollectError> {
    let files = Patterns::new(source, &set.files)?;
    let excluded = Patterns::new(source, &set.exclude_paths)?;
    let mut collector = Collector { source, set, found: Collected::default(), hit: vec![false; set.files.len()] };
    for base in base_directories(source, set.base_directory.as_deref())? {
        collector.walk(&base, &files, &excluded)?;
    }
    let Collector { mut found, hit, .. } = collector;
    for (pattern, _) in set.files.iter().zip(&hit).filter(|(_, hit)| !**hit) {
        found.notes.push(format!("nothing matches {pattern:?}"));
    }
    if found.members.is_empty() {
        return Err(CollectError::NoFiles(set.files.join(", ")));
    }
    Ok(found)
}

/// Glob patterns as CodeBuild has them: `*` stays within a folder, `**` crosses folders.
struct Patterns {
    globs: GlobSet,
}

impl Patterns {
    fn new(source: &Path, patterns: &[String]) -> Result<Self, CollectError> {
        let mut builder = GlobSetBuilder::new();
        for pattern in patterns {
            let refuse = |reason: &str| CollectError::Pattern { pattern: pattern.clone(), reason: reason.to_owned() };
            let source = format!("{}/", source.display());
            let relative = pattern.strip_prefix(&source).unwrap_or(pattern);
            let relative = relative.trim_start_matches("./");
            if relative.starts_with('/') || relative.split('/').any(|part| part == "..") {
                return Err(refuse("it must be relative and stay within the source directory"));
            }
            let glob = GlobBuilder::new(relative).literal_separator(true).backslash_escape(true).build();
            builder.add(glob.map_err(|error| refuse(&error.kind().to_string()))?);
        }
        let globs = builder.build().map_err(|error| CollectError::Io(error.to_string()))?;
        Ok(Self { globs })
    }
}

fn base_directories(source: &Path, pattern: Option<&str>) -> Result<Vec<PathBuf>, CollectError> {
    let Some(written) = pattern else { return Ok(vec![source.to_owned()]) };
    let prefix = format!("{}/", source.display());
    let pattern = written.strip_prefix(&prefix).unwrap_or(written).trim_start_matches("./").trim_end_matches('/');
    if pattern.is_empty() || pattern == "." || Path::new(written) == source {
        return Ok(vec![source.to_owned()]);
    }
    let patterns = Patterns::new(source, &[pattern.to_owned()])?;
    let depth = pattern.split('/').count();
    let walk = WalkBuilder::new(source)
        .standard_filters(false)
        .max_depth((!pattern.contains("**")).then_some(depth))
        .sort_by_file_name(Ord::cmp)
        .build();
    let mut found = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| CollectError::Io(error.to_string()))?;
        let relative = entry.path().strip_prefix(source).unwrap_or(entry.path());
        if entry.file_type().is_some_and(|kind| kind.is_dir()) && patterns.globs.is_match(relative) {
            found.push(entry.into_path());
        }
    }
    if found.is_empty() { Err(CollectError::NoBaseDirectory(written.to_owned())) } else { Ok(found) }
}

struct Collector<'a> {
    source: &'a Path,
    set: &'a FileSet,
    found: Collected,
    /// Which pattern of `set.files` has found something.
    hit: Vec<bool>,
}

impl Collector<'_> {
    fn walk(&mut self, base: &Path, files: &Patterns, excluded: &Patterns) -> Result<(), CollectError> {
        let walk = WalkBuilder::new(base).standard_filters(false).sort_by_file_name(Ord::cmp).build();
        for entry in walk {
            let entry = entry.map_err(|error| CollectError::Io(error.to_string()))?;
            let relative = entry.path().strip_prefix(base).unwrap_or(entry.path());
            let matches = files.globs.matches(relative);
            if matches.is_empty() || relative.as_os_str().is_empty() || excluded.globs.is_match(relative) {
                continue;
            }
            if entry.file_type().is_some_and(|kind| kind.is_dir()) {
                self.note_folder(relative, &matches);
                continue;
            }
            if let Some(member) = self.member(entry.path(), relative)? {
                matches.iter().for_each(|index| self.hit[*index] = true);
                self.add(relative, member)?;
            }
        }
        Ok(())
    }

    /// A pattern without wildcards that names a folder is a mistake that is hard to see.
    fn note_folder(&mut self, relative: &Path, matches: &[usize]) {
        for pattern in matches.iter().map(|index| &self.set.files[*index]).filter(|pattern| !pattern.contains('*')) {
            let folder = relative.display();
            self.found.notes.push(format!("{pattern:?} names a folder, and only files match; write {folder}/**/*"));
        }
    }

    fn member(&mut self, path: &Path, relative: &Path) -> Result<Option<Member>, CollectError> {
        let io = |error: std::io::Error| CollectError::Io(format!("{}: {error}", path.display()));
        let metadata = fs::symlink_metadata(path).map_err(io)?;
        if !metadata.is_symlink() {
            let executable = metadata.permissions().mode() & 0o111 != 0;
            return Ok(metadata.is_file().then(|| Member::File { path: path.to_owned(), executable }));
        }
        if self.set.enable_symlinks {
            let target = fs::read_link(path).map_err(io)?.to_string_lossy().into_owned();
            return Ok(Some(Member::Link { target }));
        }
        // Without enable-symlinks the artifact holds what the link points to.
        let Ok(target) = fs::canonicalize(path) else {
            self.found.notes.push(format!("{} points to nothing and is left out", relative.display()));
            return Ok(None);
        };
        if !target.starts_with(fs::canonicalize(self.source).map_err(io)?) {
            return Err(CollectError::Link { path: relative.display().to_string() });
        }
        let metadata = fs::metadata(&target).map_err(io)?;
        if metadata.is_dir() {
            self.found.notes.push(format!("{} is a link to a folder and is left out", relative.display()));
            return Ok(None);
        }
        let executable = metadata.permissions().mode() & 0o111 != 0;
        Ok(Some(Member::File { path: target, executable }))
    }

    fn add(&mut self, relative: &Path, member: Member) -> Result<(), CollectError> {
        let kept = if self.set.discard_paths { Path::new(relative.file_name().unwrap_or_default()) } else { relative };
        let Some(name) = kept.to_str() else {
            return Err(CollectError::Io(format!("the file name {} is not UTF-8", relative.display())));
        };
        if let Some(earlier) = self.found.members.insert(name.to_owned(), member) {
            let first = match earlier {
                Member::File { path, .. } => path.strip_prefix(self.source).unwrap_or(&path).display().to_string(),
                Member::Link { target } => target,
            };
            return Err(CollectError::Ambiguous {
                name: name.to_owned(),
                first,
                second: relative.display().to_string(),
            });
        }
        if self.found.members.len() > MAX_FILES { Err(CollectError::TooMany) } else { Ok(()) }
    }
}
