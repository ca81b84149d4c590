//! What the reports of one execution hold, gathered file by file.

mod digest;
mod names;
mod stated_time;
mod watch;

use std::io::BufRead;
use std::time::Duration;

use coverage_report::Merger;
use jiff::civil::Date;
use sarif_report::Which;
use stagegate_config::{ReportFiles, TestGate, TestsPolicy};
use test_report::{CountedOnly, Observed, Outcome, Sink, Standing, Summary, TestCase, Visitor};

use crate::codebuild_reports::{BuildReports, CaseOutcome};

pub(crate) use digest::Digests;
pub use names::Names;
pub(crate) use names::Vanished;
pub(crate) use stated_time::read as read_time;
pub(crate) use watch::Watch;

/// The most problems and findings that are kept with their texts; all of them are counted.
const KEPT: usize = 50;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Tests.
    Tests,
    /// Code coverage.
    Coverage,
    /// Static analysis.
    Sarif,
}

impl Kind {
    /// The name of the policy, with which its rules begin.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Coverage => "coverage",
            Self::Sarif => "sarif",
        }
    }
}

/// Everything that was read, and everything that could not be.
#[derive(Debug)]
pub struct Evidence {
    pub(crate) tests: Option<TestEvidence>,
    pub(crate) coverage: Option<CoverageEvidence>,
    pub(crate) sarif: Option<SarifEvidence>,
    /// Where reports were looked for, for messages: `the artifact Reports`, for example.
    pub places: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct TestEvidence {
    pub(crate) files: Files<test_report::Format>,
    pub(crate) summary: Summary,
    pub(crate) watch: Watch,
}

#[derive(Debug)]
pub(crate) struct CoverageEvidence {
    pub(crate) files: Files<coverage_report::Format>,
    pub(crate) merger: Merger,
}

#[derive(Debug)]
pub(crate) struct SarifEvidence {
    pub(crate) files: Files<()>,
    pub(crate) summary: sarif_report::Summary,
}

/// The report files of one kind.
#[derive(Debug)]
pub(crate) struct Files<F> {
    pub(crate) patterns: Vec<Pattern<F>>,
    /// The files that were looked at, readable or not, in the order of reading.
    pub(crate) read: Vec<ReportFile>,
}

#[derive(Debug)]
pub(crate) struct Pattern<F> {
    pub(crate) glob: String,
    pub(crate) min_files: u64,
    pub(crate) matched: u64,
    format: Option<F>,
}

/// A report file.
#[derive(Clone, Debug)]
pub(crate) struct ReportFile {
    /// Its place: `Reports:reports/TEST-login.xml`, or its path on this machine.
    pub(crate) source: String,
    /// A digest of its content, where the place states one.
    pub(crate) digest: Option<String>,
    /// Why it cannot be judged, or the time that it states; an empty one where it states none.
    pub(crate) outcome: Result<String, Unreadable>,
}

/// Why a report cannot be judged. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Unreadable {
    reason: String,
    /// Whether the input itself was at fault, not what is in it.
    input_failed: bool,
}

/// The readers of all kinds of reports fail with the same error.
impl From<test_report::ReportError> for Unreadable {
    fn from(error: test_report::ReportError) -> Self {
        Self { reason: error.to_string(), input_failed: error.kind() == test_report::ErrorKind::Input }
    }
}

/// A policy that names a format that is not known. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("use the policy for `{policy}`: {reason}")]
pub struct UnknownFormat {
    policy: &'static str,
    reason: String,
}

impl<F> Files<F> {
    fn new(
        kind: Kind,
        patterns: &[ReportFiles],
        min_files: impl Fn(&ReportFiles) -> u64,
        format: impl Fn(&str) -> Result<F, String>,
    ) -> Result<Self, UnknownFormat> {
        let pattern = |pattern: &ReportFiles| {
            let format = pattern.format.as_deref().map(&format).transpose();
            Ok(Pattern {
                glob: pattern.files.glob().to_owned(),
                min_files: min_files(pattern),
                matched: 0,
                format: format.map_err(|reason| UnknownFormat { policy: kind.as_str(), reason })?,
            })
        };
        Ok(Self { patterns: patterns.iter().map(pattern).collect::<Result<_, _>>()?, read: Vec::new() })
    }

    pub(crate) fn unreadable(&self) -> impl Iterator<Item = &Unreadable> {
        self.read.iter().filter_map(|file| file.outcome.as_ref().err())
    }
}

impl Evidence {
    /// No evidence yet, for a policy that is applied on `today`.
    ///
    /// # Errors
    ///
    /// If the policy names a format that is not known.
    pub fn new(policy: &TestGate, today: Date) -> Result<Self, UnknownFormat> {
        let tests = policy.tests.as_ref().map(|tests| TestEvidence::new(tests, today)).transpose()?;
        let coverage = policy.coverage.as_ref().map(|coverage| {
            let format = |name: &str| name.parse().map_err(|error: coverage_report::UnknownFormat| error.to_string());
            let files = Files::new(Kind::Coverage, &coverage.reports, |files| coverage.min_files_of(files), format)?;
            Ok(CoverageEvidence { files, merger: Merger::default() })
        });
        let sarif = policy.sarif.as_ref().map(|sarif| {
            let format = |name: &str| match name.eq_ignore_ascii_case("sarif") {
                true => Ok(()),
                false => Err(format!("know the format `{name}`; the only one here is sarif")),
            };
            let files = Files::new(Kind::Sarif, &sarif.reports, |files| sarif.min_files_of(files), format)?;
            let which = if sarif.new_only { Which::OnlyNew } else { Which::All };
            Ok(SarifEvidence { files, summary: sarif_report::Summary::keeping(which, KEPT) })
        });
        Ok(Self { tests, coverage: coverage.transpose()?, sarif: sarif.transpose()?, places: Vec::new() })
    }

    /// The patterns of all kinds, each with its number among those of its kind.
    pub fn patterns(&self) -> Vec<(Kind, usize, &str)> {
        fn of<F>(kind: Kind, files: Option<&Files<F>>) -> impl Iterator<Item = (Kind, usize, &str)> {
            let patterns = files.into_iter().flat_map(|files| files.patterns.iter().enumerate());
            patterns.map(move |(number, pattern)| (kind, number, pattern.glob.as_str()))
        }
        let tests = of(Kind::Tests, self.tests.as_ref().map(|tests| &tests.files));
        let coverage = of(Kind::Coverage, self.coverage.as_ref().map(|coverage| &coverage.files));
        tests.chain(coverage).chain(of(Kind::Sarif, self.sarif.as_ref().map(|sarif| &sarif.files))).collect()
    }

    /// Notes that a file matches a pattern of its kind.
    pub fn matched(&mut self, kind: Kind, pattern: usize) {
        let count = match kind {
            Kind::Tests => self.tests.as_mut().map(|tests| &mut tests.files.patterns[pattern].matched),
            Kind::Coverage => self.coverage.as_mut().map(|coverage| &mut coverage.files.patterns[pattern].matched),
            Kind::Sarif => self.sarif.as_mut().map(|sarif| &mut sarif.files.patterns[pattern].matched),
        };
        if let Some(count) = count {
            *count += 1;
        }
    }

    /// Reads one report that a pattern of its kind has chosen, or none where it is named outright. A report that cannot
    /// be read to its end is kept as such: it is never judged by its first part.
    ///
    /// Gives whether the input itself was at fault, not what is in it.
    pub fn read(
        &mut self,
        kind: Kind,
        pattern: Option<usize>,
        source: String,
        digest: Option<String>,
        input: impl BufRead,
    ) -> Reading {
        let outcome = match kind {
            Kind::Tests => self.tests.as_mut().map(|tests| tests.read(pattern, &source, input)),
            Kind::Coverage => self.coverage.as_mut().map(|coverage| coverage.read(pattern, &source, input)),
            Kind::Sarif => self.sarif.as_mut().map(|sarif| sarif.read(&source, input)),
        };
        let Some(outcome) = outcome else { return Reading::Done };
        let reading = match &outcome {
            Ok(_) => Reading::Done,
            Err(Unreadable { input_failed: true, .. }) => Reading::InputFailed,
            Err(_) => Reading::Rejected,
        };
        let file = ReportFile { source, digest, outcome };
        match kind {
            Kind::Tests => self.tests.iter_mut().for_each(|tests| tests.files.read.push(file.clone())),
            Kind::Coverage => self.coverage.iter_mut().for_each(|coverage| coverage.files.read.push(file.clone())),
            Kind::Sarif => self.sarif.iter_mut().for_each(|sarif| sarif.files.read.push(file.clone())),
        }
        reading
    }

    /// Counts the reports of a build in place of files: the figures of their summaries, and the cases that are kept.
    pub fn count_build(&mut self, build: &BuildReports) {
        let Some(tests) = &mut self.tests else { return };
        let counts = &build.counts;
        tests.summary.counted_only(&CountedOnly {
            suite: &build.build,
            total: counts.total,
            failed: counts.failed,
            errored: counts.errored,
            skipped: counts.skipped,
            duration: Some(Duration::from_millis(counts.duration_ms)),
        });
        for case in &build.cases {
            let outcome = match case.outcome {
                CaseOutcome::Passed => Outcome::Passed,
                CaseOutcome::Failed => Outcome::Failed,
                CaseOutcome::Errored => Outcome::Errored,
                CaseOutcome::Skipped => Outcome::Skipped,
            };
            let case = TestCase {
                class_name: &case.class_name,
                suite: &case.suite,
                message: &case.message,
                ..TestCase::new(&case.name, outcome)
            };
            tests.watch.visit(&case, Standing::Separate);
        }
    }

    /// All report files of all kinds.
    pub(crate) fn files(&self) -> impl Iterator<Item = &ReportFile> {
        let tests = self.tests.iter().flat_map(|tests| &tests.files.read);
        let coverage = self.coverage.iter().flat_map(|coverage| &coverage.files.read);
        tests.chain(coverage).chain(self.sarif.iter().flat_map(|sarif| &sarif.files.read))
    }
}

/// How far a report was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// To its end.
    Done,
    /// To the place where it is wrong.
    Rejected,
    /// To the place where the input failed.
    InputFailed,
}

impl TestEvidence {
    fn new(policy: &TestsPolicy, today: Date) -> Result<Self, UnknownFormat> {
        let format = |name: &str| name.parse().map_err(|error: test_report::UnknownFormat| error.to_string());
        Ok(Self {
            files: Files::new(Kind::Tests, &policy.reports, |files| policy.min_files_of(files), format)?,
            summary: Summary::keeping(KEPT),
            watch: Watch::new(policy, today),
        })
    }

    fn read(&mut self, pattern: Option<usize>, source: &str, input: impl BufRead) -> Result<String, Unreadable> {
        let format = pattern.and_then(|pattern| self.files.patterns[pattern].format);
        self.watch.begin_report();
        let mut sink = Observed { summary: &mut self.summary, visitor: &mut self.watch };
        let facts = test_report::read_report(source, input, format, &test_report::Limits::default(), &mut sink)?;
        Ok(self.watch.take_oldest().unwrap_or(facts.timestamp))
    }
}

impl CoverageEvidence {
    fn read(&mut self, pattern: Option<usize>, source: &str, input: impl BufRead) -> Result<String, Unreadable> {
        let format = pattern.and_then(|pattern| self.files.patterns[pattern].format);
        let limits = coverage_report::Limits::default();
        let facts = coverage_report::read_coverage(source, input, format, &limits, &mut self.merger)?;
        Ok(facts.timestamp)
    }
}

impl SarifEvidence {
    fn read(&mut self, source: &str, input: impl BufRead) -> Result<String, Unreadable> {
        let facts = sarif_report::read_sarif(source, input, &sarif_report::Limits::default(), &mut self.summary)?;
        Ok(facts.timestamp)
    }
}
