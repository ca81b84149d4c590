//! The sink that most callers want: totals, the first failing tests, and what does not add up.

use std::time::Duration;

use report_input::cut;

use crate::format::Format;
use crate::model::{CountedOnly, Outcome, Problem, Sink, TestCase};
use crate::repeats::{Repeats, Standing};

/// Totals over all tests; `total` is the sum of `passed`, `failed`, `errored` and `skipped`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tests {
    /// All tests, the skipped ones included.
    pub total: u64,
    /// Tests that passed, the flaky ones included.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
    /// Tests that errored.
    pub errored: u64,
    /// Tests that were skipped.
    pub skipped: u64,
    /// Tests that passed after at least one failed attempt.
    pub flaky: u64,
}

impl Tests {
    fn of(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Passed => &mut self.passed,
            Outcome::Skipped => &mut self.skipped,
            Outcome::Failed => &mut self.failed,
            Outcome::Errored => &mut self.errored,
        }
    }
}

/// A test that failed or errored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// [`TestCase::id`].
    pub id: String,
    /// Failed or errored.
    pub outcome: Outcome,
    /// Why, cut to 500 bytes.
    pub message: String,
    /// The report that says so.
    pub source: String,
}

/// Sees every execution together with how [`Summary`] counted it; see [`Observed`].
pub trait Visitor {
    /// One execution of a test.
    fn visit(&mut self, case: &TestCase<'_>, standing: Standing);

    /// When a suite began; see [`Sink::suite_timestamp`].
    fn suite_timestamp(&mut self, timestamp: &str) {
        let _ = timestamp;
    }
}

/// Totals over any number of reports.
///
/// Executions are told apart by the rules of [`Standing`]. Memory does not grow with the number of tests.
#[derive(Debug)]
pub struct Summary {
    tests: Tests,
    duration: Duration,
    reports: u64,
    source: String,
    failing: Vec<(Option<u64>, Failing)>,
    keep_failing: usize,
    problems: Vec<Problem>,
    problem_count: u64,
    keep_problems: usize,
    repeats: Repeats,
}

impl Default for Summary {
    /// Keeps the first 50 failing tests and the first 50 problems.
    fn default() -> Self {
        Summary::keeping(50)
    }
}

impl Summary {
    /// A summary that keeps the first `failing` failing tests, and as many problems. Both are counted to the end.
    #[must_use]
    pub fn keeping(failing: usize) -> Self {
        Summary {
            tests: Tests::default(),
            duration: Duration::ZERO,
            reports: 0,
            source: String::new(),
            failing: Vec::new(),
            keep_failing: failing,
            problems: Vec::new(),
            problem_count: 0,
            keep_problems: failing,
            repeats: Repeats::default(),
        }
    }

    /// The totals so far.
    #[must_use]
    pub fn tests(&self) -> Tests {
        self.tests
    }

    /// The sum of the tests' durations, where the reports state them.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Reports begun.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// The first failing tests, in the order of the reports. All of them are in `tests().failed` and `.errored`.
    #[must_use]
    pub fn failing(&self) -> Vec<&Failing> {
        self.failing.iter().map(|(_, failing)| failing).collect()
    }

    /// The first problems, in the order of the reports.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All problems, the ones that were not kept included.
    #[must_use]
    pub fn problem_count(&self) -> u64 {
        self.problem_count
    }

    /// Counts an execution and says what it is to those before it.
    pub fn count(&mut self, case: &TestCase<'_>) -> Standing {
        if let Some(duration) = case.duration {
            self.duration = self.duration.saturating_add(duration);
        }
        let key = self.repeats.key(case);
        let standing = match key {
            // A test that the report itself calls flaky had its attempts merged already.
            Some(key) if !case.is_flaky() => self.repeats.note(case.suite_number, key, case.outcome),
            _ => Standing::Separate,
        };
        match standing {
            Standing::Separate => self.add(key, case),
            Standing::Recovery { failed, errored } => {
                self.tests.failed -= u64::from(failed);
                self.tests.errored -= u64::from(errored);
                self.tests.total -= u64::from(failed) + u64::from(errored);
                self.failing.retain(|(kept, _)| *kept != key);
                self.tests.flaky += 1;
                self.add(key, case);
            }
            Standing::Relapse { failed, errored } => {
                self.tests.flaky -= 1;
                self.tests.failed += u64::from(failed);
                self.tests.errored += u64::from(errored);
                self.tests.total += u64::from(failed) + u64::from(errored);
                let outcome = if failed > 0 { Outcome::Failed } else { Outcome::Errored };
                self.keep(key, &TestCase { outcome, message: "", ..*case });
                self.add(key, case);
            }
        }
        standing
    }

    fn add(&mut self, key: Option<u64>, case: &TestCase<'_>) {
        self.tests.total += 1;
        *self.tests.of(case.outcome) += 1;
        self.tests.flaky += u64::from(case.is_flaky());
        if case.outcome.is_bad() {
            self.keep(key, case);
        }
    }

    fn keep(&mut self, key: Option<u64>, case: &TestCase<'_>) {
        if self.failing.len() < self.keep_failing {
            let message = cut(case.message.trim(), 500).to_owned();
            let failing = Failing { id: case.id(), outcome: case.outcome, message, source: self.source.clone() };
            self.failing.push((key, failing));
        }
    }
}

impl Sink for Summary {
    fn report(&mut self, source: &str, _format: Format) {
        self.reports += 1;
        self.repeats.next_report();
        source.clone_into(&mut self.source);
    }

    fn case(&mut self, case: &TestCase<'_>) {
        self.count(case);
    }

    fn counted_only(&mut self, counted: &CountedOnly<'_>) {
        let bad = counted.failed.saturating_add(counted.errored);
        let not_passed = bad.saturating_add(counted.skipped);
        // Failures beyond the total are counted all the same.
        let total = counted.total.max(not_passed);
        self.tests.total = self.tests.total.saturating_add(total);
        self.tests.failed = self.tests.failed.saturating_add(counted.failed);
        self.tests.errored = self.tests.errored.saturating_add(counted.errored);
        self.tests.skipped = self.tests.skipped.saturating_add(counted.skipped);
        self.tests.passed = self.tests.passed.saturating_add(total - not_passed);
        if let Some(duration) = counted.duration {
            self.duration = self.duration.saturating_add(duration);
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < self.keep_problems {
            self.problems.push(problem);
        }
    }
}

/// A [`Summary`] and a [`Visitor`] that sees every execution with its [`Standing`]; for callers that look for certain
/// tests while they are counted: required ones, quarantined ones, newly failing ones.
pub struct Observed<'a> {
    /// Counts.
    pub summary: &'a mut Summary,
    /// Looks on.
    pub visitor: &'a mut dyn Visitor,
}

impl Sink for Observed<'_> {
    fn report(&mut self, source: &str, format: Format) {
        self.summary.report(source, format);
    }

    fn case(&mut self, case: &TestCase<'_>) {
        let standing = self.summary.count(case);
        self.visitor.visit(case, standing);
    }

    fn counted_only(&mut self, counted: &CountedOnly<'_>) {
        self.summary.counted_only(counted);
    }

    fn suite_timestamp(&mut self, timestamp: &str) {
        self.visitor.suite_timestamp(timestamp);
    }

    fn problem(&mut self, problem: Problem) {
        self.summary.problem(problem);
    }
}
