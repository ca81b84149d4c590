//! What a policy asks for, read and checked.

use stagegate_config::SmokeGate;
use stagegate_config::smoke::{Check, CheckKind, Thresholds};
use stagegate_hurl_runner::{FileRoot, HurlFile, LoadError};
use stagegate_verdict::Evidence;
use tempfile::TempDir;

use crate::source::{MAX_FILE_BYTES, SourceFile, SourceFiles};

/// Everything that one sample runs. What could not be read is part of it, since it must not be lost from the verdict.
#[derive(Debug)]
pub struct Suite {
    /// What must pass, files first.
    pub units: Vec<Unit>,
    /// What runs at the end.
    pub always: Vec<Hurl>,
    /// Files that are no Hurl files, or ask for what is not supported.
    pub refused: Vec<LoadError>,
    /// Patterns that no file matches, each with its rule.
    pub unmatched: Vec<(&'static str, String)>,
    /// Where the files come from.
    pub evidence: Vec<Evidence>,
    /// Where it was looked for them, in words.
    pub places: Vec<String>,
    _temporary: Option<TempDir>,
}

/// A Hurl file that can be run.
#[derive(Clone, Debug)]
pub struct Hurl {
    /// The file.
    pub file: HurlFile,
    /// Where files are read that it names.
    pub root: FileRoot,
}

/// One file or check that must pass.
#[derive(Clone, Debug)]
pub enum Unit {
    /// A Hurl file.
    File {
        /// The file.
        hurl: Hurl,
        /// How often it runs, and what its runs must keep to.
        thresholds: Thresholds,
    },
    /// A check of the policy.
    Check(Check),
}

impl Unit {
    /// What it is called: the file's path, or `tls staging.example.com:443`.
    pub fn name(&self) -> String {
        match self {
            Self::File { hurl, .. } => hurl.file.name().to_owned(),
            Self::Check(check) => match &check.kind {
                CheckKind::Tcp { endpoint } => format!("tcp {endpoint}"),
                CheckKind::Tls { endpoint, .. } => format!("tls {endpoint}"),
                CheckKind::Dns { name, .. } => format!("dns {name}"),
                CheckKind::Http { url, .. } => format!("http {url}"),
            },
        }
    }

    /// The rule that it belongs to.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::File { .. } => "hurl",
            Self::Check(_) => "checks",
        }
    }

    /// How often it runs, and what its runs must keep to.
    pub fn thresholds(&self) -> &Thresholds {
        match self {
            Self::File { thresholds, .. } => thresholds,
            Self::Check(check) => &check.thresholds,
        }
    }
}

impl Suite {
    /// Reads the files that `policy` chose from `source`.
    pub fn new(policy: &SmokeGate, source: SourceFiles) -> Self {
        let mut suite = Self {
            units: Vec::new(),
            always: Vec::new(),
            refused: Vec::new(),
            unmatched: if source.by_hand { Vec::new() } else { unmatched(policy, &source.files) },
            evidence: source.evidence,
            places: source.places,
            _temporary: source.temporary,
        };
        for file in source.files {
            let root = FileRoot::new(&file.folder, MAX_FILE_BYTES);
            let hurl = match HurlFile::parse(&file.path, &file.bytes) {
                Ok(parsed) => Hurl { file: parsed, root },
                Err(error) => {
                    suite.refused.push(error);
                    continue;
                }
            };
            if !file.always.is_empty() {
                suite.always.push(hurl);
                continue;
            }
            if source.by_hand {
                suite.units.push(Unit::File { hurl, thresholds: Thresholds::default() });
                continue;
            }
            for pattern in file.hurl.iter().filter_map(|number| policy.hurl.get(*number)) {
                suite.units.push(Unit::File { hurl: hurl.clone(), thresholds: pattern.thresholds });
            }
        }
        suite.units.extend(policy.checks.iter().cloned().map(Unit::Check));
        suite
    }
}

/// Patterns of which no file was found, each with its rule.
fn unmatched(policy: &SmokeGate, files: &[SourceFile]) -> Vec<(&'static str, String)> {
    let hurl =
        policy.hurl.iter().enumerate().filter(|(number, _)| !files.iter().any(|file| file.hurl.contains(number)));
    let hurl = hurl.map(|(_, files)| ("hurl", files.files.glob().glob().to_owned()));
    let always =
        policy.always.iter().enumerate().filter(|(number, _)| !files.iter().any(|file| file.always.contains(number)));
    hurl.chain(always.map(|(_, pattern)| ("always", pattern.glob().glob().to_owned()))).collect()
}
