//! Comparing with the baseline, where there is one.

use jiff::Timestamp;
use stagegate_config::{Rule, WithoutBaseline};
use stagegate_verdict::{Finding, Outcome};

use super::words::age;
use crate::baseline::Baseline;

/// What is compared with, and what holds where there is nothing.
pub(super) struct Comparing<'a> {
    pub(super) baseline: Option<&'a Baseline>,
    pub(super) otherwise: WithoutBaseline,
    pub(super) at: Timestamp,
}

impl Comparing<'_> {
    /// ` (baseline: execution 6f0f5d2a, 3 days old)`.
    pub(super) fn named(&self) -> String {
        let Some(baseline) = self.baseline else { return String::new() };
        let execution = baseline.execution.as_deref().unwrap_or("unknown");
        let short = execution.split('-').next().unwrap_or(execution);
        format!(" (baseline: execution {short}, {} old)", age(baseline.at, self.at))
    }

    /// The finding of a rule that has nothing to compare with.
    pub(super) fn without<T>(&self, name: &str, rule: &Rule<T>) -> Finding {
        let (outcome, then) = match self.otherwise {
            WithoutBaseline::Pass => (Outcome::Passed, "nothing was compared, and without_baseline lets that pass"),
            WithoutBaseline::Fail => (Outcome::Failed, "without_baseline says that this fails"),
            WithoutBaseline::Inconclusive => (Outcome::Inconclusive, "without_baseline says that a person must look"),
        };
        Finding::new(name, outcome, format!("there is no earlier passing verdict to compare with: {then}"))
            .shadowed(rule.shadow)
    }
}
