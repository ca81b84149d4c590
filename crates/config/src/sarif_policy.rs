//! What static analysis may find.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::{ReportFiles, Rule};

/// The rules under `sarif` of a gate. Suppressed results never count.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SarifPolicy {
    /// Which files are SARIF logs.
    #[serde(deserialize_with = "crate::pattern::at_least_one")]
    pub reports: Vec<ReportFiles>,
    /// How many files each pattern of `reports` must match at the least, where it does not say so itself; 1 if absent.
    #[serde(default)]
    pub min_files: Option<u64>,
    /// How many results of level `error` there may be. Where no rule under `sarif` sets a limit, none may be.
    #[serde(default)]
    pub max_error: Option<Rule<u64>>,
    /// How many results of level `warning` there may be.
    #[serde(default)]
    pub max_warning: Option<Rule<u64>>,
    /// How many results of level `note` there may be.
    #[serde(default)]
    pub max_note: Option<Rule<u64>>,
    /// The highest `security-severity` (0 to 10) that a result may have.
    #[serde(default, deserialize_with = "severity")]
    pub max_security_severity: Option<Rule<f64>>,
    /// Whether only results count that the tool marks as new (`baselineState: new`). A result without that mark counts.
    #[serde(default)]
    pub new_only: bool,
}

impl SarifPolicy {
    /// How many files `pattern` must match at the least.
    pub fn min_files_of(&self, pattern: &ReportFiles) -> u64 {
        pattern.min_files.or(self.min_files).unwrap_or(1)
    }
}

fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rule<f64>>, D::Error> {
    let rule = Option::<Rule<f64>>::deserialize(deserializer)?;
    match rule {
        Some(Rule { limit, .. }) if !(0.0..=10.0).contains(&limit) => {
            Err(D::Error::custom(format!("a security severity lies between 0 and 10, as CVSS scores do, not {limit}")))
        }
        rule => Ok(rule),
    }
}
