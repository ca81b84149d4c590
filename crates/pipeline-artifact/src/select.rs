//! Which files of an artifact are wanted.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::zip::Entry;

/// Glob patterns over the paths of an artifact: `*` stays within a folder, `**` crosses folders, case matters.
#[derive(Debug, Clone)]
pub struct FilePatterns {
    globs: GlobSet,
}

/// A pattern is not usable. Reads after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read the file pattern `{pattern}`: {reason}")]
pub struct PatternError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FilePatterns {
    /// Patterns relative to the artifact's root; a leading `./` is ignored.
    ///
    /// # Errors
    /// A pattern is malformed, or can match nothing because it is empty, absolute, or has a part `..`.
    pub fn new<I>(patterns: I) -> Result<Self, PatternError>
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        let mut globs = GlobSetBuilder::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            let refuse = |reason: &str| PatternError { pattern: pattern.to_owned(), reason: reason.to_owned() };
            let relative = pattern.trim_start_matches("./");
            if relative.is_empty() {
                return Err(refuse("it is empty"));
            }
            if relative.starts_with('/') {
                return Err(refuse("it begins with `/`; paths are relative to the artifact's root"));
            }
            if relative.split('/').any(|part| part == "..") {
                return Err(refuse("it contains `..`; paths stay within the artifact"));
            }
            let glob = GlobBuilder::new(relative).literal_separator(true).build();
            globs.add(glob.map_err(|error| refuse(&error.kind().to_string()))?);
        }
        let globs = globs.build().map_err(|error| PatternError {
            pattern: error.glob().unwrap_or_default().to_owned(),
            reason: error.kind().to_string(),
        })?;
        Ok(Self { globs })
    }

    /// Indices of the patterns that match a path of `entry`, under any of its readings.
    pub(crate) fn matches(&self, entry: &Entry) -> Vec<usize> {
        let mut matching = self.globs.matches(&entry.path);
        if let Some(other) = entry.other_path.as_deref() {
            matching.extend(self.globs.matches(&other.path));
        }
        matching
    }
}

/// A file that at least one pattern matches.
#[derive(Debug, Clone)]
pub struct SelectedFile {
    /// The file.
    pub entry: Entry,
    /// Indices of the patterns that match it, ascending.
    pub patterns: Vec<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_that_can_match_nothing_are_refused() {
        for pattern in ["", "./", "/abs/*.xml", "a/../b", "a[", "{a"] {
            let error = FilePatterns::new([pattern]).unwrap_err();
            assert_eq!(error.pattern, pattern, "{error}");
        }
        assert!(FilePatterns::new(["./target/**/TEST-*.xml", "{a,b}/*.json"]).is_ok());
    }
}
