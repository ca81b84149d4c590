//! Tests and suites that must be there, must have run and must have passed.

use stagegate_config::NamePattern;
use test_report::{Outcome, Standing, TestCase, Visitor};

/// Watches for the tests that a policy requires.
#[derive(Debug)]
pub(crate) struct Required {
    wanted: Vec<Wanted>,
}

#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) pattern: NamePattern,
    passed: u64,
    bad: u64,
    /// Tests that the pattern names by themselves, not by their suite, and that did not run.
    skipped: u64,
}

impl Required {
    pub(crate) fn new(patterns: &[NamePattern]) -> Self {
        let wanted = patterns.iter().cloned();
        Self { wanted: wanted.map(|pattern| Wanted { pattern, passed: 0, bad: 0, skipped: 0 }).collect() }
    }

    pub(crate) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }
}

impl Wanted {
    /// What is missing, in words; `None` where the requirement is met.
    pub(crate) fn missing(&self) -> Option<String> {
        let pattern = self.pattern.as_str();
        match self {
            Self { bad: 1.., .. } => Some(format!("{pattern} (failed)")),
            Self { skipped: 1.., .. } => Some(format!("{pattern} (skipped)")),
            Self { passed: 0, .. } => Some(format!("{pattern} (not found among the tests that ran)")),
            _ => None,
        }
    }

    fn visit(&mut self, case: &TestCase<'_>, standing: Standing) {
        let by_name = self.pattern.matches(case.name) || self.pattern.matches(&case.id());
        let in_suite =
            || self.pattern.matches(case.suite) || case.suite.split(" > ").any(|name| self.pattern.matches(name));
        if !by_name && !self.pattern.matches(case.class_name) && !in_suite() {
            return;
        }
        match standing {
            Standing::Recovery { failed, errored } => {
                self.bad = self.bad.saturating_sub(u64::from(failed) + u64::from(errored));
            }
            Standing::Relapse { failed, errored } => self.bad += u64::from(failed) + u64::from(errored),
            _ => {}
        }
        match case.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Skipped => self.skipped += u64::from(by_name),
            Outcome::Failed | Outcome::Errored => self.bad += 1,
        }
    }
}

impl Visitor for Required {
    fn visit(&mut self, case: &TestCase<'_>, standing: Standing) {
        for wanted in &mut self.wanted {
            wanted.visit(case, standing);
        }
    }
}
