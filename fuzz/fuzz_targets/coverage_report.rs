//! Coverage reports of every format, recognised or named, and their union.
//!
//! A first byte from 0x80 on, with which no text begins, names a format; any other input is read as it is, so that the
//! fixtures of the crate can serve as a corpus without a change.
#![no_main]

use std::io::BufReader;

use coverage_report::{Coverage, Format, Limits, Merger, Problem, ReportError, ReportFacts, read_coverage};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let named = input.first().and_then(|first| Format::ALL.get(usize::from(first.checked_sub(0x80)?)));
    let report = if named.is_some() { &input[1..] } else { input };
    let whole = Found::read(report, named.copied());
    assert_eq!(whole, Found::read(report, named.copied()), "reading again gives something else");
    let mut merger = Merger::default();
    let parts = BufReader::with_capacity(7, report);
    let facts = read_coverage("report", parts, named.copied(), &limits(), &mut merger);
    assert_eq!(whole, Found::new(facts, merger), "reading by parts gives something else");
    whole.check();
    let Ok(facts) = &whole.facts else { return };
    assert_eq!(whole, Found::read(report, Some(facts.format)), "recognised and named formats are read differently");
    check_union(report, &whole, facts.format);
    if is_one_document(facts.format) {
        check_damaged(report, &whole, facts.format);
    }
});

/// A span in llvm-cov's export names any number of lines in a few bytes; so many would only make fuzzing slow.
fn limits() -> Limits {
    Limits { entries: 100_000, ..Limits::default() }
}

/// Everything that a caller can learn from a report.
#[derive(Debug, PartialEq)]
struct Found {
    facts: Result<ReportFacts, ReportError>,
    coverage: Coverage,
    files: Vec<(String, Coverage, Vec<u32>)>,
    problems: Vec<Problem>,
    problem_count: u64,
}

impl Found {
    fn read(report: &[u8], format: Option<Format>) -> Found {
        let mut merger = Merger::default();
        let facts = read_coverage("report", report, format, &limits(), &mut merger);
        Found::new(facts, merger)
    }

    fn new(facts: Result<ReportFacts, ReportError>, merger: Merger) -> Found {
        let merged = merger.finish();
        let files = merged.files();
        let files =
            files.map(|file| (file.path().to_owned(), file.coverage(), file.uncovered_lines().take(50).collect()));
        Found {
            facts,
            coverage: merged.coverage(),
            files: files.collect(),
            problems: merged.problems().to_vec(),
            problem_count: merged.problem_count(),
        }
    }

    /// What holds for every report, readable or not.
    fn check(&self) {
        for Coverage { line, branch } in self.files.iter().map(|(_, coverage, _)| coverage).chain([&self.coverage]) {
            assert!(line.covered <= line.total && branch.covered <= branch.total, "{self:?}");
        }
        let lines = self.files.iter().map(|(_, coverage, _)| coverage.line.total).fold(0, u64::saturating_add);
        assert_eq!(self.coverage.line.total, lines, "{self:?}");
        assert!(self.problems.len() as u64 <= self.problem_count, "{self:?}");
        assert!(self.problems.iter().all(|problem| problem.message.len() < 16384), "{:?}", self.problems);
        if let Err(error) = &self.facts {
            assert!(!error.detail().is_empty() && error.to_string().starts_with("read report"), "{error}");
            assert!(error.to_string().len() < 8192, "{error}");
        }
    }
}

/// A union with itself changes nothing, whether by reading again or by taking in what was read.
fn check_union(report: &[u8], whole: &Found, format: Format) {
    let mut merger = Merger::default();
    let read = |merger: &mut Merger| {
        read_coverage("report", report, Some(format), &limits(), merger).expect("was read before");
    };
    read(&mut merger);
    let mut twice = Merger::default();
    twice.absorb(&merger);
    twice.absorb(&merger);
    read(&mut merger);
    for (how, merger) in [("read twice", merger), ("absorbed twice", twice)] {
        let merged = merger.finish();
        assert_eq!(merged.coverage(), whole.coverage, "{how}");
        assert_eq!(merged.files().len(), whole.files.len(), "{how}");
        assert_eq!(merged.problem_count() > 0, whole.problem_count > 0, "{how}");
    }
}

/// Whether a report of the format is one document, which has an end. One that is made of lines may end after any of them.
fn is_one_document(format: Format) -> bool {
    !matches!(format, Format::Lcov | Format::GoCover)
}

/// A document that was cut short, or has something after its end, is not read as another report.
fn check_damaged(report: &[u8], whole: &Found, format: Format) {
    let cut = Found::read(&report[..place(report)], Some(format));
    if cut.facts.is_ok() {
        let is_same = cut.coverage == whole.coverage && cut.problem_count == whole.problem_count;
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
