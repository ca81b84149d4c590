//! The report: `result` of suites and tests is `passed`, `failed`, `aborted`, `timed-out` or `skipped`.
//!
//! A test that was aborted (by an exception, a signal, or a requirement that was not met) or timed out is errored. A
//! suite that lists no tests (`--report_level=short`, or a suite that was skipped as a whole) is only counted. Of a
//! suite's counters, `test_cases_failed` includes `test_cases_aborted`.

use report_input::cut;
use report_input::xml::{Fault, Tag};

use super::Boost;
use crate::formats::elements::counter;
use crate::model::{CountedOnly, Outcome, ProblemKind};

/// Tests of a suite, those of the suites in it included.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    total: u64,
    failed: u64,
    errored: u64,
    skipped: u64,
}

impl Counts {
    fn of(tag: &Tag<'_>) -> Self {
        let count = |name: &str| counter(tag, name).unwrap_or(0);
        let (failed, aborted) = (count("test_cases_failed"), count("test_cases_aborted"));
        let (timed_out, skipped) = (count("test_cases_timed_out"), count("test_cases_skipped"));
        let failed = failed.max(aborted);
        let passed = count("test_cases_passed").saturating_add(count("test_cases_passed_with_warnings"));
        Counts {
            total: passed.saturating_add(failed).saturating_add(timed_out).saturating_add(skipped),
            failed: failed - aborted,
            errored: aborted.saturating_add(timed_out),
            skipped,
        }
    }

    fn add(&mut self, other: Counts) {
        self.total = self.total.saturating_add(other.total);
        self.failed = self.failed.saturating_add(other.failed);
        self.errored = self.errored.saturating_add(other.errored);
        self.skipped = self.skipped.saturating_add(other.skipped);
    }

    fn bad(self) -> u64 {
        self.failed.saturating_add(self.errored)
    }
}

/// A suite that is being read.
#[derive(Debug, Default)]
pub(super) struct Suite {
    number: u64,
    claimed: Counts,
    listed: Counts,
    result: String,
    /// More assertions failed than were expected to.
    has_unexpected_failures: bool,
    /// A problem was reported already, here or in a suite inside.
    is_explained: bool,
}

impl Suite {
    /// How the suite is worse than its tests show.
    fn complaint(&self) -> Option<String> {
        let (claimed, listed) = (self.claimed, self.listed);
        // Boost before 1.59 calls a suite failed for a test that was skipped.
        let for_skipped = self.result == "failed" && listed.skipped > 0 && !self.has_unexpected_failures;
        if claimed.total > listed.total {
            Some(format!("the counters say {} tests, but {} are listed", claimed.total, listed.total))
        } else if claimed.bad() > listed.bad() {
            Some(format!("the counters say {} failed tests, but {} are listed", claimed.bad(), listed.bad()))
        } else if listed.bad() == 0 && !matches!(self.result.as_str(), "passed" | "skipped" | "") && !for_skipped {
            Some(format!("the suite is {}, although none of its tests is", self.result))
        } else {
            None
        }
    }
}

fn has_unexpected_failures(tag: &Tag<'_>) -> bool {
    counter(tag, "assertions_failed").unwrap_or(0) > counter(tag, "expected_failures").unwrap_or(0)
}

impl Boost<'_> {
    pub(super) fn start_report_suite(&mut self, tag: &Tag<'_>) {
        self.enter_suite(tag);
        self.suites.push(Suite {
            number: self.reporter.suites,
            claimed: Counts::of(tag),
            result: cut(&tag.get("result").unwrap_or_default(), 64).to_owned(),
            has_unexpected_failures: has_unexpected_failures(tag),
            ..Suite::default()
        });
    }

    pub(super) fn end_report_suite(&mut self) {
        let Some(mut suite) = self.suites.pop() else { return };
        if suite.listed.total == 0 && suite.claimed.total > 0 {
            let Counts { total, failed, errored, skipped } = suite.claimed;
            let path = self.path.as_str();
            self.reporter.counted_only(&CountedOnly { suite: path, total, failed, errored, skipped, duration: None });
            suite.listed = suite.claimed;
        }
        if !suite.is_explained
            && let Some(complaint) = suite.complaint()
        {
            let message = format!("{}{complaint}", self.place());
            if complaint.starts_with("the counters") {
                self.reporter.problem(ProblemKind::CountersDisagree, message);
            } else {
                self.reporter.suite_failed(self.path.as_str(), &complaint, message);
            }
            suite.is_explained = true;
        }
        if let Some(around) = self.suites.last_mut() {
            around.listed.add(suite.listed);
            around.is_explained |= suite.is_explained;
        }
        self.path.leave();
    }

    pub(super) fn start_report_case(&mut self, tag: &Tag<'_>) {
        let result = tag.get("result").unwrap_or_default();
        let outcome = match &*result {
            "passed" if has_unexpected_failures(tag) => Outcome::Failed,
            "passed" => Outcome::Passed,
            "failed" => Outcome::Failed,
            "aborted" | "timed-out" => Outcome::Errored,
            "skipped" => Outcome::Skipped,
            unknown => {
                let name = tag.get("name").unwrap_or_default();
                self.reporter.unknown_value(&name, "result", unknown);
                Outcome::Errored
            }
        };
        let case = self.begin_case(tag, outcome);
        if outcome.is_bad() {
            let failed = counter(tag, "assertions_failed").unwrap_or(0);
            case.scratch.message.push_str(&format!("{}, {failed} assertions failed", cut(&result, 64)));
        }
    }

    pub(super) fn end_report_case(&mut self) -> Result<(), Fault> {
        let Some(suite) = self.suites.last_mut() else { return self.end_case(0) };
        if let Some(case) = self.cases.last() {
            suite.listed.add(Counts {
                total: 1,
                failed: u64::from(case.outcome == Outcome::Failed),
                errored: u64::from(case.outcome == Outcome::Errored),
                skipped: u64::from(case.outcome == Outcome::Skipped),
            });
        }
        let number = suite.number;
        self.end_case(number)
    }
}
