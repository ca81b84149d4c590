//! What test reports must show.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::{Length, NamePattern, ReportFiles, Rule};

/// The rules under `tests` of a gate.
///
/// Nothing found is a failure whatever the limits say, unless [`allow_empty`](Self::allow_empty) is set.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestsPolicy {
    /// Which files are reports.
    #[serde(deserialize_with = "at_least_one")]
    pub reports: Vec<ReportFiles>,
    /// How many files each pattern of `reports` must match at the least, where it does not say so itself; 1 if absent.
    #[serde(default)]
    pub min_files: Option<u64>,
    /// How many tests there must be at the least. Failed tests do not count, even where some may fail: a failure more
    /// must never make a verdict better.
    #[serde(default)]
    pub min_total: Option<Rule<u64>>,
    /// How many tests may have failed or ended in an error. Where it is absent, none may, unless `min_pass_rate` is set.
    #[serde(default)]
    pub max_failed: Option<Rule<u64>>,
    /// How many tests may have been skipped.
    #[serde(default)]
    pub max_skipped: Option<Rule<u64>>,
    /// How many tests may have failed before they passed on a rerun.
    #[serde(default)]
    pub max_flaky: Option<Rule<u64>>,
    /// How many percent of the tests that ran (all but the skipped ones) must have passed, 0 to 100.
    #[serde(default, deserialize_with = "percentage")]
    pub min_pass_rate: Option<Rule<f64>>,
    /// How long all tests together may have taken, by the times in the reports.
    #[serde(default)]
    pub max_duration: Option<Rule<Length>>,
    /// Tests or suites that must be there, must have run and must have passed.
    #[serde(default)]
    pub required: Vec<NamePattern>,
    /// Whether reports are accepted in which not a single test passed.
    #[serde(default)]
    pub allow_empty: bool,
}

impl TestsPolicy {
    /// How many files `pattern` must match at the least.
    pub fn min_files_of(&self, pattern: &ReportFiles) -> u64 {
        pattern.min_files.or(self.min_files).unwrap_or(1)
    }
}

fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ReportFiles>, D::Error> {
    let patterns = Vec::deserialize(deserializer)?;
    if patterns.is_empty() {
        return Err(D::Error::custom("`reports` names no file; write at least one glob such as \"**/TEST-*.xml\""));
    }
    Ok(patterns)
}

fn percentage<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rule<f64>>, D::Error> {
    let rule = Option::<Rule<f64>>::deserialize(deserializer)?;
    match rule {
        Some(Rule { limit, .. }) if !(0.0..=100.0).contains(&limit) => {
            Err(D::Error::custom(format!("a rate is a percentage from 0 to 100, not {limit}")))
        }
        Some(Rule { limit, .. }) if limit > 0.0 && limit < 1.0 => {
            let percent = limit * 100.0;
            Err(D::Error::custom(format!("a rate is a percentage: write {percent} where you mean {limit}")))
        }
        rule => Ok(rule),
    }
}
