//! The model into which every format is read.

use std::fmt;

use crate::format::Format;

/// The largest line number that is read: 2,147,483,647. No source file has so many lines.
pub const MAX_LINE: u32 = (1 << 31) - 1;

/// How many of something were executed at least once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Those that were executed.
    pub covered: u64,
    /// All of them; never less than `covered`.
    pub total: u64,
}

impl Count {
    /// The covered part, rounded down; `None` when there is nothing to cover, which is no evidence of anything.
    #[must_use]
    pub fn percent(self) -> Option<Percent> {
        let hundredths = (u128::from(self.covered) * 10_000).checked_div(u128::from(self.total))?;
        Some(Percent { hundredths: u32::try_from(hundredths.min(10_000)).unwrap_or(10_000) })
    }

    pub(crate) fn add(&mut self, other: Count) {
        self.covered = self.covered.saturating_add(other.covered);
        self.total = self.total.saturating_add(other.total);
    }
}

/// A part in hundredths of a percent, from 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent {
    hundredths: u32,
}

impl Percent {
    /// Hundredths of a percent: 8,333 for 83.33 %. Always rounded down, so that 10,000 means all.
    #[must_use]
    pub fn hundredths(self) -> u32 {
        self.hundredths
    }
}

impl fmt::Display for Percent {
    /// Writes `83.33`, `83.3` or `83`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:02}", self.hundredths / 100, self.hundredths % 100);
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Covered lines and branches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Lines; statements where the format counts those, as Go's does.
    pub line: Count,
    /// Outcomes of branches: an `if` has two.
    pub branch: Count,
}

impl Coverage {
    pub(crate) fn add(&mut self, other: Coverage) {
        self.line.add(other.line);
        self.branch.add(other.branch);
    }
}

/// A line that can be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// From 1, at most [`MAX_LINE`]; 0 where a writer knows no better.
    pub number: u32,
    /// Whether anything in it was executed.
    pub covered: bool,
}

/// What is known about branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// One outcome of a branch, known by a name that is the same in every report of the same program.
    Outcome {
        /// The line of the branch.
        line: u32,
        /// A hash of what the format names the outcome by, within its file.
        id: u64,
        /// Whether it was taken.
        covered: bool,
    },
    /// How many outcomes a line has, where the format does not tell them apart.
    Counted {
        /// The line of the branches.
        line: u32,
        /// Outcomes that were taken.
        covered: u32,
        /// All outcomes.
        total: u32,
    },
}

/// A block of statements that are executed together (Go).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Line and column where it begins.
    pub start: (u32, u32),
    /// Line and column where it ends.
    pub end: (u32, u32),
    /// How many statements it has.
    pub statements: u32,
    /// Whether it was executed.
    pub covered: bool,
}

/// A part of what a report says about a source file, lent to a [`Sink`] for the time of one call.
///
/// A file may come in any number of parts, from one report or from several, and the parts may repeat each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilePart<'a> {
    /// The file's path, normalised as [`normalise_path`](crate::normalise_path) does.
    pub path: &'a str,
    /// Lines, in any order.
    pub lines: &'a [Line],
    /// Branches, in any order.
    pub branches: &'a [Branch],
    /// Blocks, in any order.
    pub blocks: &'a [Block],
}

/// A file whose lines are counted but not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountedOnly<'a> {
    /// The file's path, normalised; empty for the report as a whole.
    pub path: &'a str,
    /// The counters.
    pub coverage: Coverage,
}

/// Something in a readable report that does not add up.
///
/// A report with a problem must not pass: its lines are not the whole evidence, or not certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The report; for a problem that only several reports together have, the file.
    pub source: String,
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// What is wrong, for people, without the source's name.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.source, self.message)
    }
}

/// What sort of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The report's own counters or rates are not what its lines show.
    CountersDisagree,
    /// The report says that something was not measured or not written.
    Incomplete,
    /// A value that decides about coverage is not one that the format knows.
    UnknownValue,
    /// The same file is listed by lines and also only counted, or counted twice with different figures: no union of the
    /// two can be worked out.
    MixedEvidence,
    /// The same file is described in two ways that exclude each other.
    Contradiction,
    /// The reports together have more files or lines than are kept.
    OverLimit,
}

/// What is known about a report after it was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFacts {
    /// The format in which it was read.
    pub format: Format,
    /// Bytes read.
    pub bytes: u64,
    /// Mentions of source files. A report without any is no evidence.
    pub files: u64,
    /// Lines, branches and blocks listed, repeated ones included.
    pub entries: u64,
    /// When the report was made, as written; empty if it does not say.
    pub timestamp: String,
}

/// Receives what a reader finds, in the order of the report.
pub trait Sink {
    /// A report begins. Everything up to the next call belongs to it.
    fn report(&mut self, source: &str, format: Format) {
        let _ = (source, format);
    }

    /// A part of a source file.
    fn file(&mut self, part: &FilePart<'_>);

    /// A file that is counted but not listed: the counters are all the evidence there is.
    fn counted_only(&mut self, counted: &CountedOnly<'_>);

    /// Something that must keep the report from passing.
    fn problem(&mut self, problem: Problem);
}
