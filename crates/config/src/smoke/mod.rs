//! What smoke tests must show: Hurl files and checks, where they come from, and how patient the gate is.

mod check;
mod files;
mod network;
mod patience;
mod secret;
mod source;
mod thresholds;
mod variable;

use std::collections::BTreeMap;

use crate::Length;
use crate::gate::Fault;

pub use check::{Check, CheckKind, TlsVersion, endpoint};
pub use files::{FilePattern, HurlFiles};
pub use network::{HostName, NetworkPattern, NetworkRules};
pub use patience::{Retry, Steady};
pub use secret::ParameterName;
pub use source::Source;
pub use thresholds::{Degraded, Share, Thresholds};
pub use variable::VariableValue;

pub(crate) use thresholds::within;
#[cfg(feature = "schema")]
pub(crate) use {check::CheckEntry, check::KEYS_OF_KINDS, files::HurlFilesMap, thresholds::MAX_REPEAT};

/// The most files and checks that may run at a time.
pub const MAX_PARALLEL: u32 = 100;

/// What runs at a time where the policy does not say.
const DEFAULT_PARALLEL: u32 = 8;

/// What smoke tests must show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SmokeGate {
    /// The Hurl files that must pass.
    pub hurl: Vec<HurlFiles>,
    /// Checks that stand in the policy itself.
    pub checks: Vec<Check>,
    /// Hurl files that run after all others, whatever became of these.
    pub always: Vec<FilePattern>,
    /// Where the files are, if not where the gate is called from.
    pub source: Option<Source>,
    /// Variables that every file begins with.
    pub variables: BTreeMap<String, VariableValue>,
    /// Secret variables, and the SSM parameters that hold their values.
    pub secrets: BTreeMap<String, ParameterName>,
    /// How often what fails is tried again within a sample.
    pub retry: Option<Retry>,
    /// How long everything must stay green.
    pub steady: Option<Steady>,
    /// What may be reached.
    pub network: NetworkRules,
    /// How many files and checks run at a time.
    pub parallel: Option<u32>,
    /// How long one request may take where its file does not say.
    pub request_timeout: Option<Length>,
    /// How long a whole sample may take.
    pub timeout: Option<Length>,
}

impl SmokeGate {
    /// How many files and checks run at a time.
    pub fn parallel(&self) -> usize {
        usize::try_from(self.parallel.unwrap_or(DEFAULT_PARALLEL)).unwrap_or(1)
    }

    /// What is wrong with the gate as a whole, if anything; its parts are checked while they are read.
    pub(crate) fn fault(&self) -> Option<Fault> {
        if self.hurl.is_empty() && self.checks.is_empty() {
            let what = "has no smoke test, so it could pass without looking at anything; add `hurl` or `checks`";
            return Some(Fault::new(&[], what));
        }
        for (key, name) in self.names() {
            if !is_variable_name(name) {
                let what = format!(
                    "has a variable {name:?}, which no Hurl file can name: begin with a letter, go on with letters, digits, _ and -"
                );
                return Some(Fault::new(&[key, name], what));
            }
        }
        if let Some(name) = self.secrets.keys().find(|name| self.variables.contains_key(*name)) {
            let what = format!("has {name:?} among its `variables` and its `secrets`; keep one of the two");
            return Some(Fault::new(&["secrets", name], what));
        }
        self.steady.as_ref().and_then(Steady::fault).or_else(|| self.retry.as_ref().and_then(Retry::fault))
    }

    fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let variables = self.variables.keys().map(|name| ("variables", name.as_str()));
        variables.chain(self.secrets.keys().map(|name| ("secrets", name.as_str())))
    }
}

/// Whether a Hurl file can name a variable so.
pub fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}
