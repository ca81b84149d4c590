//! What a suite's header claims beside what the suite lists.
//!
//! Dialects fill the same attributes in different ways, so a header is believed to disagree only if **no** reading that
//! some writer is known to use makes it agree:
//!
//! * Lower counters than listed are never a disagreement: nothing is hidden by them. (Writers leave out skipped tests,
//!   repeated attempts or nested suites.)
//! * `tests` may count attempts (`flakyFailure`, `rerunFailure`), suite-level errors, and one more for a test that
//!   passed and then failed in its teardown (pytest).
//! * `tests` may count skipped tests that are not listed; they are counted then.
//! * `tests` may count assertions instead of tests (Catch2, doctest).
//! * `failures` and `errors` count `<failure>` and `<error>` elements, of which a test may have several; `failures` may
//!   include the errors, and old versions of mocha write the same number into both.
//! * A suite around suites may add up the headers of all levels below it.

use crate::model::CountedOnly;
use std::time::Duration;

/// Counters of a header; `None` where the attribute is missing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Header {
    pub(super) tests: Option<u64>,
    pub(super) failures: Option<u64>,
    pub(super) errors: Option<u64>,
    pub(super) skipped: Option<u64>,
}

/// What a suite and the suites in it list.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Listed {
    /// Executions, those that are only counted included.
    pub(super) total: u64,
    /// Executions that are listed one by one.
    pub(super) cases: u64,
    /// Executions that errored.
    pub(super) errored: u64,
    pub(super) skipped: u64,
    /// `<failure>` and `<error>` elements, the ones of suites included, and failures that are only counted.
    pub(super) bad_elements: u64,
    /// `<error>` elements, the ones of suites included.
    pub(super) error_elements: u64,
    /// Failures and errors of suites themselves.
    pub(super) suite_elements: u64,
    /// Earlier attempts that the report lists inside a test.
    pub(super) attempts: u64,
    /// The sums of all headers below.
    pub(super) headers_tests: u64,
    pub(super) headers_bad: u64,
    /// A suite below has a problem already, or counts assertions.
    pub(super) is_explained: bool,
}

impl Listed {
    pub(super) fn add(&mut self, below: &Listed) {
        self.total += below.total;
        self.cases += below.cases;
        self.errored += below.errored;
        self.skipped += below.skipped;
        self.bad_elements += below.bad_elements;
        self.error_elements += below.error_elements;
        self.suite_elements += below.suite_elements;
        self.attempts += below.attempts;
        self.headers_tests = self.headers_tests.saturating_add(below.headers_tests);
        self.headers_bad = self.headers_bad.saturating_add(below.headers_bad);
        self.is_explained |= below.is_explained;
    }

    /// Adds the header of the suite itself, for the suites around it.
    pub(super) fn add_header(&mut self, header: &Header) {
        self.headers_tests = self.headers_tests.saturating_add(header.tests.unwrap_or(0));
        self.headers_bad = self.headers_bad.saturating_add(header.bad());
    }

    fn add_counted(&mut self, counted: &CountedOnly<'_>) {
        self.total = self.total.saturating_add(counted.total);
        self.errored = self.errored.saturating_add(counted.errored);
        self.skipped = self.skipped.saturating_add(counted.skipped);
        self.bad_elements = self.bad_elements.saturating_add(counted.failed).saturating_add(counted.errored);
        self.error_elements = self.error_elements.saturating_add(counted.errored);
    }
}

impl Header {
    fn bad(&self) -> u64 {
        self.failures.unwrap_or(0).saturating_add(self.errors.unwrap_or(0))
    }

    /// The tests that are only counted, if there are any: all of a suite that lists none, or skipped tests that a
    /// suite does not list. They are added to what is listed.
    pub(super) fn counted_only<'a>(
        &self,
        suite: &'a str,
        duration: Option<Duration>,
        listed: &mut Listed,
    ) -> Option<CountedOnly<'a>> {
        let tests = self.tests.unwrap_or(0);
        let skipped = self.skipped.unwrap_or(0);
        let counted = if listed.total == 0 {
            // Failures of the suite itself may be what the header counts; they are handed on by themselves.
            let beyond = |count: u64, elements: u64| count.saturating_sub(elements);
            let errored = beyond(self.errors.unwrap_or(0), listed.error_elements);
            let failed = beyond(self.failures.unwrap_or(0), listed.bad_elements - listed.error_elements);
            let tests = beyond(tests, listed.suite_elements);
            let total = tests.max(failed.saturating_add(errored).saturating_add(skipped));
            CountedOnly { suite, total, failed, errored, skipped, duration }
        } else {
            let missing = tests.saturating_sub(listed.total);
            let unlisted = if missing <= skipped.saturating_sub(listed.skipped) { missing } else { 0 };
            CountedOnly { suite, total: unlisted, failed: 0, errored: 0, skipped: unlisted, duration: None }
        };
        if counted.total == 0 {
            return None;
        }
        listed.add_counted(&counted);
        Some(counted)
    }

    /// How the header disagrees with what is listed.
    pub(super) fn disagreement(&self, listed: &Listed, counts_assertions: bool) -> Option<String> {
        if listed.is_explained {
            return None;
        }
        let tests = self.tests.unwrap_or(0);
        let explained = listed
            .total
            .saturating_add(listed.attempts)
            .saturating_add(listed.suite_elements)
            .saturating_add(listed.errored);
        if !counts_assertions && tests > explained && tests > listed.headers_tests {
            return Some(format!("the header counts {tests} tests, but {} are listed", listed.total));
        }
        let (failures, errors) = (self.failures.unwrap_or(0), self.errors.unwrap_or(0));
        let bad = listed.bad_elements.saturating_add(listed.attempts);
        let agrees = self.bad() <= bad
            || (failures <= bad && errors <= listed.error_elements)
            || (failures == errors && failures <= bad)
            || self.bad() <= listed.headers_bad;
        if agrees {
            return None;
        }
        Some(format!(
            "the header counts {failures} failures and {errors} errors, but the tests show {}",
            listed.bad_elements
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: [u64; 4], listed: Listed, expected: &str) {
        let [tests, failures, errors, skipped] = header.map(Some);
        let header = Header { tests, failures, errors, skipped };
        let found = header.disagreement(&listed, false).unwrap_or_default();
        assert!(if expected.is_empty() { found.is_empty() } else { found.contains(expected) }, "{header:?}: {found}");
    }

    #[test]
    fn a_header_disagrees_only_if_no_reading_agrees() {
        let four = Listed { total: 4, cases: 4, ..Listed::default() };
        check([4, 0, 0, 0], four, "");
        check([3, 0, 0, 0], four, "");
        check([5, 0, 0, 0], four, "counts 5 tests, but 4 are listed");
        check([4, 1, 0, 0], four, "1 failures and 0 errors, but the tests show 0");
        check([4, 0, 1, 0], four, "0 failures and 1 errors");
        let failed = Listed { bad_elements: 2, error_elements: 1, errored: 1, ..four };
        check([4, 1, 1, 0], failed, "");
        check([4, 2, 1, 0], failed, "");
        check([4, 2, 2, 0], failed, "");
        check([4, 2, 0, 0], failed, "");
        check([4, 3, 0, 0], failed, "3 failures");
        check([5, 1, 1, 0], failed, "");
        check([6, 1, 1, 0], failed, "6 tests");
        let repeated = Listed { attempts: 2, ..four };
        check([6, 2, 0, 0], repeated, "");
        check([7, 0, 0, 0], repeated, "7 tests");
        let nested = Listed { headers_tests: 8, headers_bad: 2, ..four };
        check([8, 2, 0, 0], nested, "");
        check([9, 0, 0, 0], nested, "9 tests");
        check([8, 3, 0, 0], nested, "3 failures");
    }
}
