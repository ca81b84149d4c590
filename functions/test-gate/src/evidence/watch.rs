//! Looks at each test while it is counted: required tests, quarantined failures, the first failing tests, all names.

use jiff::civil::Date;
use stagegate_config::{NamePattern, NamePatterns, Quarantine, TestsPolicy};
use test_report::{Outcome, Standing, TestCase, Visitor};

use super::digest::{Digests, OwnerDigest};
use super::names::{NameCollector, Names};
use super::stated_time::StatedTime;

/// The most failing tests that are told apart; above it, all further ones count as new.
const MAX_FAILING: usize = 10_000;
/// The most failing tests that are kept with their names.
const MAX_NAMED: usize = 50;

#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) required: Vec<Required>,
    required_patterns: NamePatterns,
    pub(crate) quarantines: Vec<Quarantined>,
    /// The patterns of the quarantines in force.
    quarantine_patterns: NamePatterns,
    /// Suite and class of the test before; most tests have the same ones.
    owner: Option<Owner>,
    /// The failing tests that no quarantine names.
    failing: Vec<Failing>,
    /// Failing tests beyond [`MAX_FAILING`].
    more_failing: u64,
    names: Option<NameCollector>,
    /// The oldest time that a suite of this report states.
    oldest: Option<StatedTime>,
    /// Reports begun.
    reports: u64,
    /// Tests seen.
    seen: u64,
    /// Room for the id of a test.
    id: String,
}

/// What is known about a test as soon as its suite and class are.
#[derive(Debug)]
struct Owner {
    suite: String,
    class_name: String,
    digest: OwnerDigest,
    /// The required entries that name the class or a suite.
    required: Vec<usize>,
}

/// A test that failed or ended in an error.
#[derive(Debug)]
struct Failing {
    /// Suites are numbered anew in each report.
    report: u64,
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
        let quarantines = policy.quarantine.iter().cloned();
        let quarantines: Vec<_> =
            quarantines.map(|entry| Quarantined { active: today <= entry.until, entry, hidden: 0 }).collect();
        let in_force = quarantines.iter().enumerate().filter(|(_, quarantine)| quarantine.active);
        Self {
            required: policy.required.iter().cloned().map(Required::new).collect(),
            required_patterns: NamePatterns::new(policy.required.iter().enumerate()),
            quarantine_patterns: NamePatterns::new(in_force.map(|(number, entry)| (number, &entry.entry.test))),
            quarantines,
            owner: None,
            failing: Vec::new(),
            more_failing: 0,
            names: policy.compares().then(NameCollector::default),
            oldest: None,
            reports: 0,
            seen: 0,
            id: String::new(),
        }
    }

    /// Another report begins.
    pub(crate) fn begin_report(&mut self) {
        self.reports += 1;
        self.oldest = None;
    }

    /// The oldest time that a suite of this report states, as it states it. Given once.
    pub(crate) fn take_oldest(&mut self) -> Option<String> {
        self.oldest.take().map(StatedTime::into_text)
    }

    /// Failures that do not count.
    pub(crate) fn quarantined(&self) -> u64 {
        self.quarantines.iter().map(|quarantine| quarantine.hidden).sum()
    }

    /// The first failing tests that count.
    pub(crate) fn first_failing(&self) -> impl Iterator<Item = &FailingText> {
        self.failing.iter().filter_map(|failing| failing.text.as_ref())
    }

    /// Digests of the failing tests that count.
    pub(crate) fn failing_digests(&self) -> Digests {
        self.failing.iter().map(|failing| failing.digest).collect()
    }

    /// How many failing tests that count are not among `known`, and the names of the first of them.
    pub(crate) fn newly_failing(&self, known: &Digests) -> (u64, Vec<String>) {
        let new = || self.failing.iter().filter(|failing| !known.contains(failing.digest));
        let names = new().filter_map(|failing| failing.text.as_ref()).map(|text| text.id.clone()).collect();
        (new().count() as u64 + self.more_failing, names)
    }

    /// The tests that were there, where the policy compares. Given once.
    pub(crate) fn take_names(&mut self) -> Option<Names> {
        self.names.take().map(NameCollector::finish)
    }

    /// What is known of the suite and class of a test.
    fn owner_of(&mut self, case: &TestCase<'_>) -> &Owner {
        let same = |owner: &Owner| owner.suite == case.suite && owner.class_name == case.class_name;
        if !self.owner.as_ref().is_some_and(same) {
            self.owner = None;
        }
        self.owner.get_or_insert_with(|| Owner::new(case, &self.required_patterns))
    }

    fn fail(&mut self, case: &TestCase<'_>, digest: u64, times: u64) {
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
            let (report, suite_number) = (self.reports, case.suite_number);
            self.failing.push(Failing { report, suite_number, digest, text });
        }
    }

    /// Failures of a test that passed on a rerun are taken back.
    fn recover(&mut self, case: &TestCase<'_>, digest: u64, times: u64) {
        if let Some(quarantine) = self.quarantine_of(case) {
            quarantine.hidden = quarantine.hidden.saturating_sub(times);
            return;
        }
        let (test, before) = ((self.reports, case.suite_number, digest), self.failing.len());
        self.failing.retain(|failing| (failing.report, failing.suite_number, failing.digest) != test);
        let removed = (before - self.failing.len()) as u64;
        self.more_failing = self.more_failing.saturating_sub(times.saturating_sub(removed));
    }

    /// The quarantine in force that names a test. A quarantine names tests by themselves, never by their suite, so that
    /// it hides nothing that it does not name.
    fn quarantine_of(&mut self, case: &TestCase<'_>) -> Option<&mut Quarantined> {
        if self.quarantine_patterns.is_empty() {
            return None;
        }
        case.write_id(&mut self.id);
        let first = self.quarantine_patterns.matching(&self.id).min()?;
        self.quarantines.get_mut(first)
    }

    fn visit_required(&mut self, case: &TestCase<'_>, standing: Standing) {
        self.seen += 1;
        let Self { required, required_patterns: patterns, owner, seen, id, .. } = self;
        let mut visit = |number: usize, by_name| {
            let entry: &mut Required = &mut required[number];
            // An entry may match in several ways; the first counts.
            if std::mem::replace(&mut entry.seen, *seen) != *seen {
                entry.visit(case, standing, by_name);
            }
        };
        if patterns.may_match_ending(case.name) {
            patterns.matching(case.name).for_each(|number| visit(number, true));
            case.write_id(id);
            patterns.matching(id).for_each(|number| visit(number, true));
        }
        owner.iter().flat_map(|owner| &owner.required).for_each(|number| visit(*number, false));
    }
}

impl Visitor for Watch {
    fn visit(&mut self, case: &TestCase<'_>, standing: Standing) {
        let digest = self.owner_of(case).digest.of(case);
        if !self.required.is_empty() {
            self.visit_required(case, standing);
        }
        match standing {
            Standing::Recovery { failed, errored } => {
                self.recover(case, digest, u64::from(failed) + u64::from(errored));
            }
            Standing::Relapse { failed, errored } => self.fail(case, digest, u64::from(failed) + u64::from(errored)),
            _ => {}
        }
        if case.outcome.is_bad() {
            self.fail(case, digest, 1);
        }
        if let Some(names) = &mut self.names {
            names.add(digest, case);
        }
    }

    fn suite_timestamp(&mut self, timestamp: &str) {
        StatedTime::keep_older(&mut self.oldest, timestamp);
    }
}

impl Owner {
    fn new(case: &TestCase<'_>, required: &NamePatterns) -> Self {
        let suites = case.suite.split(" > ").flat_map(|suite| required.matching(suite));
        let names = required.matching(case.class_name).chain(required.matching(case.suite));
        Self {
            suite: case.suite.to_owned(),
            class_name: case.class_name.to_owned(),
            digest: OwnerDigest::new(case.suite, case.class_name),
            required: names.chain(suites).collect(),
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
    /// The number of the last test that was noted.
    seen: u64,
}

impl Required {
    fn new(pattern: NamePattern) -> Self {
        Self { pattern, passed: 0, bad: 0, skipped: 0, seen: 0 }
    }

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

    /// Notes a test that the pattern names, by itself or by its class or suite.
    fn visit(&mut self, case: &TestCase<'_>, standing: Standing, by_name: bool) {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop::sample::select(vec![Outcome::Passed, Outcome::Skipped, Outcome::Failed, Outcome::Errored])
    }

    /// Of a required entry: passed, bad, skipped.
    fn by_definition(pattern: &NamePattern, cases: &[TestCase<'_>]) -> (u64, u64, u64) {
        let (mut passed, mut bad, mut skipped) = (0, 0, 0);
        for case in cases {
            let by_name = pattern.matches(case.name) || pattern.matches(&case.id());
            let mut suites = case.suite.split(" > ").chain([case.suite, case.class_name]);
            if by_name || suites.any(|suite| pattern.matches(suite)) {
                match case.outcome {
                    Outcome::Passed => passed += 1,
                    Outcome::Skipped => skipped += u64::from(by_name),
                    Outcome::Failed | Outcome::Errored => bad += 1,
                }
            }
        }
        (passed, bad, skipped)
    }

    proptest! {
        #[test]
        fn the_watch_sees_what_each_pattern_names(
            patterns in prop::collection::vec("[ab*?]{1,3}|[ab]::[ab*]|[ab*] > b", 0..6),
            cases in prop::collection::vec(("|a|b|a > b", "|a|b", "|a|b|ab|a\\.b", outcome()), 0..12),
        ) {
            let entry = |test| json!({"test": test, "owner": "web", "reason": "clock", "until": "2030-01-01"});
            let entries: Vec<_> = patterns.iter().map(entry).collect();
            let policy = json!({"required": patterns, "quarantine": entries, "max_vanished": 0});
            let policy: TestsPolicy = serde_json::from_value(policy).unwrap();
            let patterns = &policy.required;
            let cases: Vec<_> = cases
                .iter()
                .map(|(suite, class_name, name, outcome)| TestCase { suite, class_name, ..TestCase::new(name, *outcome) })
                .collect();
            let mut watch = Watch::new(&policy, Date::MIN);
            cases.iter().for_each(|case| watch.visit(case, Standing::Separate));

            for (required, pattern) in watch.required.iter().zip(patterns) {
                let seen = (required.passed, required.bad, required.skipped);
                prop_assert_eq!(seen, by_definition(pattern, &cases), "{}", pattern.as_str());
            }
            let bad = || cases.iter().filter(|case| case.outcome.is_bad());
            for (number, quarantined) in watch.quarantines.iter().enumerate() {
                let first = |case: &TestCase<'_>| patterns.iter().position(|pattern| pattern.matches(&case.id()));
                let hidden = bad().filter(|case| first(case) == Some(number)).count();
                prop_assert_eq!(quarantined.hidden, hidden as u64, "{}", patterns[number].as_str());
            }
            let counted = bad().filter(|case| !patterns.iter().any(|pattern| pattern.matches(&case.id())));
            let digest = |case: &TestCase<'_>| OwnerDigest::new(case.suite, case.class_name).of(case);
            prop_assert_eq!(watch.failing_digests(), counted.map(digest).collect());
            let mut alone = NameCollector::default();
            cases.iter().for_each(|case| alone.add(digest(case), case));
            prop_assert_eq!(watch.take_names(), Some(alone.finish()));
        }
    }
}
