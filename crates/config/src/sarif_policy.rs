//! What static analysis may find.

use serde::Deserialize;

use crate::{ReportFiles, Rule};

/// The rules under `sarif` of a gate. Suppressed results never count.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SarifPolicy {
    /// Which files are SARIF logs.
    #[serde(deserialize_with = "crate::pattern::at_least_one")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
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
    /// The highest security severity that a result may have; `none` allows no security finding at all.
    #[serde(default)]
    pub max_security_severity: Option<Rule<Severity>>,
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

/// Bands of the property `security-severity`, by its CVSS-like score from 0 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No security finding.
    None,
    /// Above 0 and below 4.
    Low,
    /// 4 to below 7.
    Medium,
    /// 7 to below 9.
    High,
    /// 9 and above.
    Critical,
}

impl Severity {
    /// The name in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}
