//! Looks at each test while it is counted: required tests, quarantined failures, the first failing tests, all names.

use std::collections::HashSet;

use jiff::civil::Date;
use stagegate_config::{NamePattern, Quarantine, TestsPolicy};
use test_report::{Outcome, Standing, TestCase, Visitor};

use super::names::{NameCollector, digest};

/// The most failing tests that are told apart; above it, all further ones count as new.
const MAX_FAILING: usize = 10_000;
/// The most failing tests that are kept with their names.
const MAX_NAMED: usize = 50;

#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) required: Vec<Required>,
    pub(crate) quarantines: Vec<Quarantined>,
    /// The failing tests that no quarantine names.
    failing: Vec<Failing>,
    /// Failing tests beyond [`MAX_FAILING`].
    more_failing: u64,
    names: Option<NameCollector>,
}

/// A test that failed or ended in an error.
#[derive(Debug)]
struct Failing {
    suite_number: u64,
    digest: u64,
    text: Option<FailingText>,
}

/// What people read about a failing test.
#[derive(Clone, Debug)]
pub(crate) struct FailingText {
    pub(crate) id: String,
    /// The first line of the reason, if there is any.
    pub(crate) reason: Option<String>,
}

impl Watch {
    pub(crate) fn new(policy: &TestsPolicy, today: Date) -> Self {
        let required = policy.required.iter().cloned();
        let quarantines = policy.quarantine.iter().cloned();
        Self {
            required: required.map(|pattern| Required { pattern, passed: 0, bad: 0, skipped: 0 }).collect(),
            quarantines: quarantines
                .map(|entry| Quarantined { active: today <= entry.until, entry, hidden: 0 })
                .collect(),
            failing: Vec::new(),
            more_failing: 0,
            names: policy.compares().then(NameCollector::default),
        }
    }

    /// Failures that do not count.
    pub(crate) fn quarantined(&self) -> u64 {
        self.quarantines.iter().map(|quarantine| quarantine.hidden).sum()
    }

    /// The first failing tests that count.
    pub(crate) fn first_failing(&self) -> impl Iterator<Item = &FailingText> {
        self.failing.iter().filter_map(|failing| failing.text.as_ref())
    }

    /// Digests of the failing tests that count, and whether these are all of them.
    pub(crate) fn failing_digests(&self) -> (HashSet<u64>, bool) {
        (self.failing.iter().map(|failing| failing.digest).collect(), self.more_failing == 0)
    }

    /// How many failing tests that count are not among `known`, and the names of the first of them.
    pub(crate) fn newly_failing(&self, known: &HashSet<u64>) -> (u64, Vec<String>) {
        let new = || self.failing.iter().filter(|failing| !known.contains(&failing.digest));
        let names = new().filter_map(|failing| failing.text.as_ref()).map(|text| text.id.clone()).collect();
        (new().count() as u64 + self.more_failing, names)
    }

    pub(crate) fn names(&self) -> Option<super::Names> {
        self.names.as_ref().map(NameCollector::finish)
    }

    fn fail(&mut self, case: &TestCase<'_>, times: u64) {
        if let Some(quarantine) = self.quarantine_of(case) {
            quarantine.hidden += times;
            return;
        }
        for _ in 0..times {
            if self.failing.len() >= MAX_FAILING {
                self.more_failing += 1;
                continue;
            }
            let text = (self.failing.len() < MAX_NAMED).then(|| FailingText::of(case));
            self.failing.push(Failing { suite_number: case.suite_number, digest: digest(case), text });
        }
    }

    /// Failures of a test that passed on a rerun are taken back.
    fn recover(&mut self, case: &TestCase<'_>, times: u64) {
        if let Some(quarantine) = self.quarantine_of(case) {
            quarantine.hidden = quarantine.hidden.saturating_sub(times);
            return;
        }
        let (suite_number, digest, before) = (case.suite_number, digest(case), self.failing.len());
        self.failing.retain(|failing| failing.suite_number != suite_number || failing.digest != digest);
        let removed = (before - self.failing.len()) as u64;
        self.more_failing = self.more_failing.saturating_sub(times.saturating_sub(removed));
    }

    /// The quarantine in force that names a test. A quarantine names tests by themselves, never by their suite, so that
    /// it hides nothing that it does not name.
    fn quarantine_of(&mut self, case: &TestCase<'_>) -> Option<&mut Quarantined> {
        if self.quarantines.is_empty() {
            return None;
        }
        let id = case.id();
        self.quarantines.iter_mut().find(|quarantine| quarantine.active && quarantine.entry.test.matches(&id))
    }
}

impl Visitor for Watch {
    fn visit(&mut self, case: &TestCase<'_>, standing: Standing) {
        for required in &mut self.required {
            required.visit(case, standing);
        }
        match standing {
            Standing::Recovery { failed, errored } => self.recover(case, u64::from(failed) + u64::from(errored)),
            Standing::Relapse { failed, errored } => self.fail(case, u64::from(failed) + u64::from(errored)),
            _ => {}
        }
        if case.outcome.is_bad() {
            self.fail(case, 1);
        }
        if let Some(names) = &mut self.names {
            names.add(case);
        }
    }
}

impl FailingText {
    fn of(case: &TestCase<'_>) -> Self {
        let reason = case.message.lines().map(str::trim).find(|line| !line.is_empty());
        let reason = reason.map(|line| line.chars().take(500).collect());
        Self { id: case.id(), reason }
    }
}

/// A quarantine and what it hides.
#[derive(Debug)]
pub(crate) struct Quarantined {
    pub(crate) entry: Quarantine,
    pub(crate) active: bool,
    pub(crate) hidden: u64,
}

/// A test or suite that must be there, must have run and must have passed.
#[derive(Debug)]
pub(crate) struct Required {
    pattern: NamePattern,
    passed: u64,
    bad: u64,
    /// Tests that the pattern names by themselves, not by their suite, and that did not run.
    skipped: u64,
}

impl Required {
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
