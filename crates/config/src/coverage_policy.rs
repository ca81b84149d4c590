//! What coverage reports must show.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::{Percentage, ReportFiles, Rule};

/// The rules under `coverage` of a gate.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CoveragePolicy {
    /// Which files are coverage reports.
    #[serde(deserialize_with = "crate::pattern::at_least_one")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    pub reports: Vec<ReportFiles>,
    /// How many files each pattern of `reports` must match at the least, where it does not say so itself; 1 if absent.
    #[serde(default)]
    pub min_files: Option<u64>,
    /// How many percent of the coverable lines must be covered.
    #[serde(default)]
    pub min_line: Option<Rule<Percentage>>,
    /// How many percent of the branches must be covered.
    #[serde(default)]
    pub min_branch: Option<Rule<Percentage>>,
    /// By how many percentage points line coverage may be lower than in the baseline.
    #[serde(default, deserialize_with = "points")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::points"))]
    pub max_drop: Option<Rule<f64>>,
    /// A drop does not count where fewer lines more than this are uncovered than in the baseline, and fewer than this
    /// are gone: a small change in a small program moves the percentage far.
    #[serde(default)]
    pub ignore_drop_below_lines: u64,
}

impl CoveragePolicy {
    /// How many files `pattern` must match at the least.
    pub fn min_files_of(&self, pattern: &ReportFiles) -> u64 {
        pattern.min_files.or(self.min_files).unwrap_or(1)
    }
}

fn points<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Rule<f64>>, D::Error> {
    let rule = Option::<Rule<f64>>::deserialize(deserializer)?;
    match rule {
        Some(Rule { limit, .. }) if !(0.0..=100.0).contains(&limit) => {
            Err(D::Error::custom(format!("a drop is measured in percentage points from 0 to 100, not {limit}")))
        }
        rule => Ok(rule),
    }
}
