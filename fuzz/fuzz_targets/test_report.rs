//! Test reports of every format, recognised or named.
//!
//! A first byte from 0x80 on, with which no text begins, names a format; any other input is read as it is, so that the
//! fixtures of the crate can serve as a corpus without a change.
#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use test_report::{Failing, Format, Limits, Problem, ReportError, ReportFacts, Summary, Tests, read_report};

fuzz_target!(|input: &[u8]| {
    let named = input.first().and_then(|first| Format::ALL.get(usize::from(first.checked_sub(0x80)?)));
    let report = if named.is_some() { &input[1..] } else { input };
    let whole = Found::read(report, named.copied());
    assert_eq!(whole, Found::read(report, named.copied()), "reading again gives something else");
    assert_eq!(whole, Found::read_in_small_parts(report, named.copied()), "reading by parts gives something else");
    whole.check();
    let Ok(facts) = &whole.facts else { return };
    assert_eq!(whole, Found::read(report, Some(facts.format)), "recognised and named formats are read differently");
    if is_one_document(facts.format) {
        check_damaged(report, &whole, facts.format);
    }
});

/// Everything that a caller can learn from a report.
#[derive(Debug, PartialEq)]
struct Found {
    facts: Result<ReportFacts, ReportError>,
    tests: Tests,
    failing: Vec<Failing>,
    problems: Vec<Problem>,
    problem_count: u64,
}

impl Found {
    fn read(report: &[u8], format: Option<Format>) -> Found {
        let mut summary = Summary::default();
        let facts = read_report("report", report, format, &Limits::default(), &mut summary);
        Found::new(facts, &summary)
    }

    fn read_in_small_parts(report: &[u8], format: Option<Format>) -> Found {
        let mut summary = Summary::default();
        let parts = BufReader::with_capacity(7, report);
        let facts = read_report("report", parts, format, &Limits::default(), &mut summary);
        Found::new(facts, &summary)
    }

    fn new(facts: Result<ReportFacts, ReportError>, summary: &Summary) -> Found {
        Found {
            facts,
            tests: summary.tests(),
            failing: summary.failing().into_iter().cloned().collect(),
            problems: summary.problems().to_vec(),
            problem_count: summary.problem_count(),
        }
    }

    fn bad(&self) -> u64 {
        self.tests.failed + self.tests.errored
    }

    /// What holds for every report, readable or not.
    fn check(&self) {
        let Tests { total, passed, failed, errored, skipped, flaky } = self.tests;
        let sum = [passed, failed, errored, skipped].into_iter().fold(0, u64::saturating_add);
        assert_eq!(total, sum, "{self:?}");
        assert!(flaky <= passed, "{self:?}");
        assert!(self.failing.len() as u64 <= self.bad(), "{self:?}");
        assert!(self.problems.len() as u64 <= self.problem_count, "{self:?}");
        assert!(self.problems.iter().all(|problem| problem.message.len() < 16384), "{:?}", self.problems);
        assert!(
            self.failing.iter().all(|failing| failing.outcome.is_bad() && failing.message.len() <= 500),
            "{self:?}"
        );
        if let Err(error) = &self.facts {
            assert!(!error.detail().is_empty() && error.to_string().starts_with("read report"), "{error}");
            assert!(error.to_string().len() < 8192, "{error}");
        }
    }
}

/// Whether a report of the format is one document, which has an end. One that is made of lines may end after any of them.
fn is_one_document(format: Format) -> bool {
    !matches!(format, Format::Tap | Format::GoTest | Format::Libtest | Format::Dart)
}

/// A document that was cut short, or has something after its end, is not read as a report that is greener.
fn check_damaged(report: &[u8], whole: &Found, format: Format) {
    let cut = Found::read(&report[..place(report)], Some(format));
    if cut.facts.is_ok() {
        let is_same = cut.tests == whole.tests && cut.problem_count == whole.problem_count;
        assert!(is_same, "a report that was cut short is read: {cut:?}, whole: {whole:?}");
    }
    let longer = Found::read(&[report, b"<"].concat(), Some(format));
    assert!(longer.facts.is_err(), "a report with something after its end is read: {longer:?}");
}

/// A place in the report that depends on all of it.
fn place(report: &[u8]) -> usize {
    let hash = report
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash >> 32).unwrap_or_default() % report.len()
}
