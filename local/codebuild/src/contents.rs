//! What the files of a report hold.

use std::collections::VecDeque;
use std::fs::File;
use std::io::BufReader;
use std::time::Duration;

use coverage_report::{Merged, Merger};
use stagegate_local_actions::ReportRecord;
use test_report::{CountedOnly, Format, Outcome, Problem, ProblemKind, Sink, TestCase};

/// How many test cases of a report are kept (AWS CodeBuild guide, "Test report statuses").
pub(crate) const KEPT_CASES: usize = 500;

/// What was read of a report.
#[derive(Debug)]
pub(crate) enum Contents {
    /// A file cannot be read, or there is none.
    Unusable,
    /// Test cases.
    Tests(Tests),
    /// Coverage of source files.
    Coverage(Box<Merged>),
}

/// Whether the buildspec's `file-format` is one of code coverage.
pub(crate) fn is_coverage(file_format: &str) -> bool {
    file_format.parse::<coverage_report::Format>().is_ok() && file_format.parse::<Format>().is_err()
}

impl Contents {
    /// Reads the files of a report.
    pub(crate) fn read(record: &ReportRecord) -> Self {
        let read = if is_coverage(&record.file_format) { read_coverage(record) } else { read_tests(record) };
        let reason = match read {
            Err(Unusable(reason)) => reason,
            Ok(_) if record.files.is_empty() => "no file was found".to_owned(),
            Ok(contents) if contents.is_empty() => "its files hold nothing".to_owned(),
            Ok(contents) => return contents,
        };
        // The API has no place for the reason.
        tracing::warn!(report = %record.arn, %reason, "a report is incomplete");
        Self::Unusable
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Unusable => true,
            Self::Tests(tests) => tests.total() == 0,
            Self::Coverage(merged) => merged.files().len() == 0,
        }
    }

    /// `ReportStatusType` of the AWS model.
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self::Unusable => "INCOMPLETE",
            Self::Tests(tests) if tests.count(Status::Failed) + tests.count(Status::Error) > 0 => "FAILED",
            Self::Tests(tests) if tests.suite_failed => "FAILED",
            Self::Tests(tests) if tests.is_doubtful => "INCOMPLETE",
            Self::Coverage(merged) if merged.problem_count() > 0 => "INCOMPLETE",
            Self::Tests(_) | Self::Coverage(_) => "SUCCEEDED",
        }
    }
}

/// Why a report cannot be used.
struct Unusable(String);

impl<E: std::error::Error> From<E> for Unusable {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn open(path: &std::path::Path) -> Result<BufReader<File>, Unusable> {
    Ok(BufReader::with_capacity(1 << 16, File::open(path)?))
}

fn read_tests(record: &ReportRecord) -> Result<Contents, Unusable> {
    let format: Format = record.file_format.parse()?;
    let mut tests = Tests::default();
    for file in &record.files {
        let limits = test_report::Limits::default();
        test_report::read_report(&file.name, open(&file.path)?, Some(format), &limits, &mut tests)?;
    }
    Ok(Contents::Tests(tests))
}

fn read_coverage(record: &ReportRecord) -> Result<Contents, Unusable> {
    let format: coverage_report::Format = record.file_format.parse()?;
    let mut merger = Merger::default();
    for file in &record.files {
        let limits = coverage_report::Limits::default();
        coverage_report::read_coverage(&file.name, open(&file.path)?, Some(format), &limits, &mut merger)?;
    }
    Ok(Contents::Coverage(Box::new(merger.finish())))
}

/// The status of a test case (AWS CodeBuild guide). `UNKNOWN` does not come up: readers know every outcome or fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Succeeded,
    Failed,
    Error,
    Skipped,
}

impl Status {
    const ALL: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Error, Self::Skipped];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Error => "ERROR",
            Self::Skipped => "SKIPPED",
        }
    }

    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Passed => Self::Succeeded,
            Outcome::Failed => Self::Failed,
            Outcome::Errored => Self::Error,
            Outcome::Skipped => Self::Skipped,
        }
    }

    /// Which cases are kept before others when there are too many.
    fn rank(self) -> usize {
        match self {
            Self::Failed => 0,
            Self::Error => 1,
            Self::Succeeded | Self::Skipped => 2,
        }
    }
}

/// A test case that is kept.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Its place among all cases of the report.
    place: u64,
    pub(crate) status: Status,
    pub(crate) name: String,
    pub(crate) prefix: String,
    pub(crate) suite: String,
    pub(crate) file: String,
    pub(crate) message: String,
    pub(crate) duration: Duration,
}

/// The test cases of a report: all are counted, some are kept.
#[derive(Debug, Default)]
pub(crate) struct Tests {
    counts: [u64; 4],
    duration: Duration,
    /// By rank, each in the order of the report and with at most [`KEPT_CASES`].
    kept: [VecDeque<Case>; 3],
    listed: u64,
    file: String,
    /// Something failed outside of any test.
    suite_failed: bool,
    /// The report does not add up.
    is_doubtful: bool,
}

impl Tests {
    pub(crate) fn count(&self, status: Status) -> u64 {
        self.counts[status as usize]
    }

    /// The counts by the names of the statuses.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Status::ALL.into_iter().map(|status| (status.as_str(), self.count(status))).chain([("UNKNOWN", 0)])
    }

    /// All test cases, those that are not kept included.
    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) fn duration(&self) -> Duration {
        self.duration
    }

    /// Whether not all test cases are kept.
    pub(crate) fn is_truncated(&self) -> bool {
        self.listed > KEPT_CASES as u64
    }

    /// The test cases that are kept: all in the order of the report, or the failed ones first where there are too many.
    pub(crate) fn cases(&self) -> Vec<&Case> {
        let mut cases: Vec<_> = self.kept.iter().flatten().take(KEPT_CASES).collect();
        if !self.is_truncated() {
            cases.sort_by_key(|case| case.place);
        }
        cases
    }
}

impl Sink for Tests {
    fn report(&mut self, source: &str, _format: Format) {
        source.clone_into(&mut self.file);
    }

    fn case(&mut self, case: &TestCase<'_>) {
        let status = Status::of(case.outcome);
        self.counts[status as usize] += 1;
        self.duration = self.duration.saturating_add(case.duration.unwrap_or_default());
        self.listed += 1;
        let kept = &mut self.kept[status.rank()];
        if kept.len() < KEPT_CASES {
            kept.push_back(Case {
                place: self.listed,
                status,
                name: case.name.to_owned(),
                prefix: if case.class_name.is_empty() { case.suite } else { case.class_name }.to_owned(),
                suite: case.suite.to_owned(),
                file: self.file.clone(),
                message: case.message.to_owned(),
                duration: case.duration.unwrap_or_default(),
            });
        }
    }

    fn counted_only(&mut self, counted: &CountedOnly<'_>) {
        let CountedOnly { total, failed, errored, skipped, .. } = *counted;
        let passed = total.saturating_sub(failed).saturating_sub(errored).saturating_sub(skipped);
        for (status, count) in Status::ALL.into_iter().zip([passed, failed, errored, skipped]) {
            self.counts[status as usize] += count;
        }
        self.duration = self.duration.saturating_add(counted.duration.unwrap_or_default());
    }

    fn problem(&mut self, problem: Problem) {
        match problem.kind {
            ProblemKind::SuiteFailed => self.suite_failed = true,
            _ => self.is_doubtful = true,
        }
    }
}
