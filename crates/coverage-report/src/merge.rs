//! The union of any number of reports.

use std::collections::BTreeMap;

use crate::format::Format;
use crate::model::{CountedOnly, Coverage, FilePart, Problem, ProblemKind, Sink};
use crate::path::{below, normalise_path};
use crate::record::{Doubt, Record};

/// Lines, branches and blocks that are kept, unless the caller says otherwise.
const KEPT_ENTRIES: u64 = 20_000_000;
/// Files that are kept.
const KEPT_FILES: usize = 2_000_000;
/// Problems that are kept; all are counted.
const KEPT_PROBLEMS: usize = 50;

/// The sink that most callers want: it unites reports by source file.
///
/// A line that is covered in any report is covered, and counts once however often it is listed. The order of the
/// reports does not matter, and reading a report twice changes nothing. [`Merger::finish`] gives the result.
#[derive(Debug)]
pub struct Merger {
    roots: Vec<String>,
    files: BTreeMap<String, Record>,
    entries: u64,
    kept_entries: u64,
    over_limit: bool,
    reports: u64,
    source: String,
    problems: Vec<Problem>,
    problem_count: u64,
}

impl Default for Merger {
    fn default() -> Self {
        Merger {
            roots: Vec::new(),
            files: BTreeMap::new(),
            entries: 0,
            kept_entries: KEPT_ENTRIES,
            over_limit: false,
            reports: 0,
            source: String::new(),
            problems: Vec::new(),
            problem_count: 0,
        }
    }
}

impl Merger {
    /// A merger for shards that were built in different folders: a path below one of the `roots` is merged by what
    /// stands behind the root. Of several roots that fit, the longest counts.
    #[must_use]
    pub fn with_roots<R: AsRef<str>>(roots: impl IntoIterator<Item = R>) -> Self {
        let mut roots: Vec<String> = roots.into_iter().map(|root| normalise_path(root.as_ref())).collect();
        roots.retain(|root| !root.is_empty());
        roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
        Merger { roots, ..Merger::default() }
    }

    /// Sets how many lines, branches and blocks are kept (default 20,000,000; 4 to 28 bytes each). What comes after
    /// that is left out with a [`Problem`] of kind [`ProblemKind::OverLimit`].
    #[must_use]
    pub fn keeping_entries(mut self, entries: u64) -> Self {
        self.kept_entries = entries;
        self
    }

    /// Takes in what another merger has united, as if it had been read here.
    pub fn absorb(&mut self, other: &Merger) {
        for (path, record) in &other.files {
            let before = self.entries;
            let Some(known) = self.record(path) else { continue };
            let held = known.held();
            known.absorb(record);
            self.entries = before + known.held() - held;
        }
        self.reports += other.reports;
        self.over_limit |= other.over_limit;
        for problem in &other.problems {
            if !self.problems.contains(problem) {
                self.keep(problem.clone());
            }
        }
        self.problem_count += other.problem_count.saturating_sub(other.problems.len() as u64);
    }

    /// Works out the union.
    #[must_use]
    pub fn finish(mut self) -> Merged {
        let mut files = std::mem::take(&mut self.files);
        let (mut coverage, mut counted_only) = (Coverage::default(), false);
        for (path, record) in &mut files {
            record.compact();
            coverage.add(record.coverage());
            counted_only |= record.is_counted();
            if let Some(doubt) = record.doubt() {
                self.keep(doubtful(path, doubt));
            }
        }
        if let (true, Some(whole)) = (files.len() > 1, files.get("")) {
            // A total of some report and files of others: nothing says what the two have in common.
            if whole.is_counted() {
                let message = "a report gives only totals, and other reports list files; judge them apart".to_owned();
                let source = "totals".to_owned();
                self.keep(Problem { source, kind: ProblemKind::MixedEvidence, message });
            }
        }
        Merged {
            files,
            coverage,
            counted_only,
            reports: self.reports,
            problems: self.problems,
            problem_count: self.problem_count,
        }
    }

    fn path<'p>(&self, path: &'p str) -> &'p str {
        self.roots.iter().find_map(|root| below(root, path)).unwrap_or(path)
    }

    fn record(&mut self, path: &str) -> Option<&mut Record> {
        let path = self.path(path);
        if !self.files.contains_key(path) {
            if self.files.len() >= KEPT_FILES {
                self.note_over_limit(&format!("more than {KEPT_FILES} source files"));
                return None;
            }
            self.files.insert(path.to_owned(), Record::default());
        }
        self.files.get_mut(path)
    }

    fn note_over_limit(&mut self, what: &str) {
        if !std::mem::replace(&mut self.over_limit, true) {
            let message = format!("{what} in all reports together; what comes after them is left out");
            self.keep(Problem { source: self.source.clone(), kind: ProblemKind::OverLimit, message });
        }
    }

    fn keep(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < KEPT_PROBLEMS {
            self.problems.push(problem);
        }
    }
}

fn doubtful(path: &str, doubt: Doubt) -> Problem {
    let (kind, message) = match doubt {
        Doubt::Mixed => (
            ProblemKind::MixedEvidence,
            "one report lists what is covered and another only counts it, or counts something else; no union of the \
             two can be worked out, so name the reports of one format",
        ),
        Doubt::CountedTwice => (
            ProblemKind::MixedEvidence,
            "two reports count it with different figures and list no lines; no union of the two can be worked out, so \
             write reports that list lines",
        ),
        Doubt::Statements => (
            ProblemKind::Contradiction,
            "the same block has different numbers of statements; the reports are not of the same sources",
        ),
    };
    let source = if path.is_empty() { "totals".to_owned() } else { path.to_owned() };
    Problem { source, kind, message: message.to_owned() }
}

impl Sink for Merger {
    fn report(&mut self, source: &str, format: Format) {
        let _ = format;
        self.reports += 1;
        self.source.clear();
        self.source.push_str(source);
    }

    fn file(&mut self, part: &FilePart<'_>) {
        let added = (part.lines.len() + part.branches.len() + part.blocks.len()) as u64;
        if self.entries.saturating_add(added) > self.kept_entries {
            // Repetitions may be pending in many files. Only what is left without them counts.
            self.files.values_mut().for_each(Record::compact);
            self.entries = self.files.values().map(Record::held).sum();
            if self.entries.saturating_add(added) > self.kept_entries {
                self.note_over_limit(&format!("more than {} lines, branches and blocks", self.kept_entries));
                return;
            }
        }
        let entries = self.entries;
        let Some(record) = self.record(part.path) else { return };
        let held = record.held();
        record.add(part);
        self.entries = (entries + record.held()).saturating_sub(held);
    }

    fn counted_only(&mut self, counted: &CountedOnly<'_>) {
        if let Some(record) = self.record(counted.path) {
            record.count(counted.coverage);
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.keep(problem);
    }
}

/// What any number of reports show together.
#[derive(Debug, Clone)]
pub struct Merged {
    files: BTreeMap<String, Record>,
    coverage: Coverage,
    counted_only: bool,
    reports: u64,
    problems: Vec<Problem>,
    problem_count: u64,
}

impl Merged {
    /// The totals over all files.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// The files with their totals, by path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FileCoverage<'_>> {
        self.files.iter().map(|(path, record)| FileCoverage { path, record })
    }

    /// The file with this normalised path.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<FileCoverage<'_>> {
        self.files.get_key_value(path).map(|(path, record)| FileCoverage { path, record })
    }

    /// Whether some figures are counters that no listed line supports.
    #[must_use]
    pub fn is_counted_only(&self) -> bool {
        self.counted_only
    }

    /// Reports begun.
    #[must_use]
    pub fn reports(&self) -> u64 {
        self.reports
    }

    /// The first problems; as long as there is one, the reports must not pass.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All problems, those that were not kept included.
    #[must_use]
    pub fn problem_count(&self) -> u64 {
        self.problem_count
    }
}

/// What a line of a [`FileCoverage`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Lines, as listed.
    Lines,
    /// Statements in blocks, as Go counts.
    Statements,
    /// Whatever the report's counters count.
    CountedOnly,
}

/// One source file of a [`Merged`].
#[derive(Debug, Clone, Copy)]
pub struct FileCoverage<'a> {
    path: &'a str,
    record: &'a Record,
}

impl<'a> FileCoverage<'a> {
    /// The normalised path; empty for totals that no file accounts for.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The file's totals.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        self.record.coverage()
    }

    /// What its lines are.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match () {
            () if self.record.has_blocks() => Unit::Statements,
            () if self.record.is_listed() || !self.record.is_counted() => Unit::Lines,
            () => Unit::CountedOnly,
        }
    }

    /// The lines that could be executed and were not, in order. Empty where no lines are listed.
    pub fn uncovered_lines(&self) -> impl Iterator<Item = u32> + 'a {
        self.record.uncovered_lines()
    }
}
