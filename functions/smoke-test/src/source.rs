//! Files of a suite, wherever they come from.

use std::path::{Path, PathBuf};

use codepipeline_job::{FailureCause, FailureKind};
use stagegate_config::SmokeGate;
use stagegate_verdict::Evidence;
use tempfile::TempDir;

/// The longest Hurl file, and the longest file that one names, in bytes.
pub(crate) const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// The most bytes of all files together.
pub(crate) const MAX_TOTAL_BYTES: u64 = 64 * 1024 * 1024;

/// A Hurl file that a policy chose.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path as it is reported.
    pub path: String,
    /// Its text as it came.
    pub bytes: Vec<u8>,
    /// The folder that files are read from which it names.
    pub folder: PathBuf,
    /// The numbers of the patterns under `hurl` that match it.
    pub hurl: Vec<usize>,
    /// The numbers of the patterns under `always` that match it.
    pub always: Vec<usize>,
}

/// What a source holds of a suite.
#[derive(Debug, Default)]
pub struct SourceFiles {
    /// The Hurl files, in the order of their paths.
    pub files: Vec<SourceFile>,
    /// Where they come from, with digests where there are some.
    pub evidence: Vec<Evidence>,
    /// Where it was looked, in words.
    pub places: Vec<String>,
    /// Whether somebody named each file, so that no pattern chose them.
    pub by_hand: bool,
    /// The folder that is removed with the suite.
    pub(crate) temporary: Option<TempDir>,
}

/// A source cannot be read. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SourceError {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
}

impl SourceError {
    pub(crate) fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    pub(crate) fn io(what: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(FailureKind::JobFailed, format!("{what} {}: {error}", path.display()))
    }
}

impl FailureCause for SourceError {
    fn failure_kind(&self) -> FailureKind {
        self.kind
    }

    fn failure_message(&self) -> String {
        format!("failed to {self}")
    }
}

/// The globs of a policy: those under `hurl`, then those under `always`.
pub(crate) fn globs(policy: &SmokeGate) -> Vec<&globset::Glob> {
    let hurl = policy.hurl.iter().map(|files| files.files.glob());
    hurl.chain(policy.always.iter().map(|pattern| pattern.glob())).collect()
}

/// The numbers of matching globs as numbers under `hurl` and under `always`.
pub(crate) fn divided(policy: &SmokeGate, matching: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let first = policy.hurl.len();
    let hurl = matching.iter().copied().filter(|number| *number < first).collect();
    let always = matching.iter().filter_map(|number| number.checked_sub(first)).collect();
    (hurl, always)
}

/// Whether a Hurl file may name other files: bodies, certificates, keys, netrc files.
pub(crate) fn may_name_files(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    ["file,", "cacert", "cert:", "cert :", "key:", "key :", "netrc-file"].iter().any(|word| text.contains(word))
}
