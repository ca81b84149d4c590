//! What test reports must show.

use jiff::civil::Date;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::{Length, NamePattern, Percentage, ReportFiles, Rule};

/// The rules under `tests` of a gate.
///
/// Nothing found is a failure whatever the limits say, unless [`allow_empty`](Self::allow_empty) is set.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::tests))]
#[serde(deny_unknown_fields)]
pub struct TestsPolicy {
    /// Which files are reports.
    #[serde(default)]
    pub reports: Vec<ReportFiles>,
    /// The CodeBuild project whose report groups are judged, beside the files or in their place.
    #[serde(default)]
    pub codebuild: Option<CodeBuildReports>,
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
    /// How many percent of the tests that ran (all but the skipped ones) must have passed.
    #[serde(default)]
    pub min_pass_rate: Option<Rule<Percentage>>,
    /// How long all tests together may have taken, by the times in the reports.
    #[serde(default)]
    pub max_duration: Option<Rule<Length>>,
    /// Tests or suites that must be there, must have run and must have passed.
    #[serde(default)]
    pub required: Vec<NamePattern>,
    /// Whether reports are accepted in which not a single test passed.
    #[serde(default)]
    pub allow_empty: bool,
    /// Failing tests that do not count for a while.
    #[serde(default)]
    pub quarantine: Vec<Quarantine>,
    /// When more than this many percent of the tests that ran have failed, something else than the tests is broken:
    /// the verdict asks a person instead of failing.
    #[serde(default)]
    pub infrastructure_failure_above: Option<Percentage>,
    /// How many tests may fail that did not fail in the baseline.
    #[serde(default)]
    pub max_newly_failed: Option<Rule<u64>>,
    /// How many tests of the baseline may be missing.
    #[serde(default)]
    pub max_vanished: Option<Rule<u64>>,
    /// How many more tests may be skipped than in the baseline.
    #[serde(default)]
    pub max_skipped_growth: Option<Rule<u64>>,
}

/// Failing tests that do not count until a day. A quarantine hides only failures of the tests that it names: the tests
/// stay among the figures, and a test that is missing or that fails after the day counts as any other.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// The tests.
    pub test: NamePattern,
    /// Who sees to it that the quarantine ends.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub owner: String,
    /// Why the tests may fail.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub reason: String,
    /// The last day of the quarantine, in UTC.
    #[serde(deserialize_with = "day")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::day"))]
    pub until: Date,
}

/// Report groups of a CodeBuild project.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CodeBuildReports {
    /// The project's name. The build must be one of it.
    #[serde(deserialize_with = "filled")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::filled"))]
    pub project: String,
    /// The build's id or ARN. In `stagegate.yaml` it is left out, and `build` of UserParameters names it:
    /// `"build":"#{Build.CODEBUILD_BUILD_ID}"`.
    #[serde(default)]
    pub build: Option<String>,
}

impl TestsPolicy {
    /// How many files `pattern` must match at the least.
    pub fn min_files_of(&self, pattern: &ReportFiles) -> u64 {
        pattern.min_files.or(self.min_files).unwrap_or(1)
    }

    /// Whether a rule compares with the baseline.
    pub fn compares(&self) -> bool {
        self.max_newly_failed.is_some() || self.max_vanished.is_some() || self.max_skipped_growth.is_some()
    }
}

pub(crate) fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(D::Error::custom("an empty text says nothing here"));
    }
    Ok(text)
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    // A time of day would be read and dropped, and `20261231` looks like a number.
    let day = text.parse().ok().filter(|day: &Date| day.to_string() == text);
    day.ok_or_else(|| D::Error::custom(format!("{text:?} is no day; write one such as 2026-12-31")))
}
