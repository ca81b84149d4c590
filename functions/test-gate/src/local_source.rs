//! Reports on this machine, for `stagegate test-gate PATH...`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::evidence::{Evidence, Kind};

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

/// Reads reports from `paths`: a file is a report by itself, below a folder the patterns of the policy choose.
///
/// A file that is named outright is read as the first kind that the policy judges, unless a pattern chooses it as
/// another: `coverage/cobertura.xml` is coverage where the policy looks for it there.
///
/// # Errors
///
/// If a path cannot be read. A report that can be read but not understood is part of the evidence instead.
pub fn gather(mut evidence: Evidence, paths: &[PathBuf]) -> Result<Evidence, LocalError> {
    let wanted = Wanted::of(&evidence)?;
    for path in paths {
        evidence.places.push(path.display().to_string());
        if path.is_dir() {
            wanted.read_folder(&mut evidence, path)?;
        } else {
            wanted.read_named(&mut evidence, path)?;
        }
    }
    Ok(evidence)
}

/// The patterns of a policy, to be matched at once.
struct Wanted {
    kinds: Vec<(Kind, usize)>,
    globs: GlobSet,
}

impl Wanted {
    fn of(evidence: &Evidence) -> Result<Self, globset::Error> {
        let (mut kinds, mut globs) = (Vec::new(), GlobSetBuilder::new());
        for (kind, number, glob) in evidence.patterns() {
            kinds.push((kind, number));
            globs.add(GlobBuilder::new(glob).literal_separator(true).build()?);
        }
        Ok(Self { kinds, globs: globs.build()? })
    }

    /// The patterns that choose a file, by kind.
    fn choose(&self, path: &str) -> BTreeMap<Kind, Vec<usize>> {
        let mut chosen: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
        for (kind, number) in self.globs.matches(path).into_iter().filter_map(|pattern| self.kinds.get(pattern)) {
            chosen.entry(*kind).or_default().push(*number);
        }
        chosen
    }

    fn read_folder(&self, evidence: &mut Evidence, folder: &Path) -> Result<(), LocalError> {
        let mut files = Vec::new();
        list(folder, &mut files)?;
        files.sort();
        for file in files {
            let relative = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            for (kind, patterns) in self.choose(&relative) {
                patterns.iter().for_each(|pattern| evidence.matched(kind, *pattern));
                read_file(evidence, kind, patterns.first().copied(), &file)?;
            }
        }
        Ok(())
    }

    fn read_named(&self, evidence: &mut Evidence, file: &Path) -> Result<(), LocalError> {
        let path = file.to_string_lossy().replace('\\', "/");
        let chosen = self.choose(path.trim_start_matches("./"));
        let first = self.kinds.first().map(|(kind, _)| *kind);
        let (kind, pattern) = match (chosen.into_iter().next(), first) {
            (Some((kind, patterns)), _) => (kind, patterns.first().copied()),
            (None, Some(kind)) => (kind, None),
            (None, None) => return Ok(()),
        };
        // A file that is named outright stands for whatever the patterns of its kind would have found.
        for (_, number) in self.kinds.iter().filter(|(other, _)| *other == kind) {
            evidence.matched(kind, *number);
        }
        read_file(evidence, kind, pattern, file)
    }
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

fn read_file(evidence: &mut Evidence, kind: Kind, pattern: Option<usize>, path: &Path) -> Result<(), LocalError> {
    let unreadable = |error| LocalError::Unreadable { path: path.to_owned(), error };
    let file = BufReader::with_capacity(64 * 1024, File::open(path).map_err(unreadable)?);
    evidence.read(kind, pattern, path.display().to_string(), None, file);
    Ok(())
}
