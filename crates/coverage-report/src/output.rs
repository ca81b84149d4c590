//! What readers write to: the sink, with the limits watched.

use report_input::json::Refusal;
use report_input::xml::Fault;
use report_input::{ErrorKind, Lines, ReportError};

use crate::format::Format;
use crate::limits::Limits;
use crate::model::{
    Block, Branch, Count, CountedOnly, Coverage, FilePart, Line, MAX_LINE, Problem, ProblemKind, ReportFacts, Sink,
};
use crate::path::normalise_path;

/// Entries after which a part is handed on.
const PART: usize = 1 << 16;

/// The most lines of a report that are named by a span, not one by one.
const SPAN_LINES: u64 = 20_000_000;

/// The file that is being read.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub(crate) path: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) branches: Vec<Branch>,
    pub(crate) blocks: Vec<Block>,
}

impl Part {
    pub(crate) fn held(&self) -> usize {
        self.lines.len() + self.branches.len() + self.blocks.len()
    }
}

/// Where a reader's findings go.
pub(crate) struct Output<'a> {
    pub(crate) source: &'a str,
    pub(crate) limits: &'a Limits,
    sink: &'a mut dyn Sink,
    files: u64,
    entries: u64,
    /// Entries since a part was handed on.
    file_entries: u64,
    span_lines: u64,
    timestamp: String,
    refusal: Refusal,
}

impl<'a> Output<'a> {
    pub(crate) fn new(source: &'a str, limits: &'a Limits, sink: &'a mut dyn Sink) -> Self {
        let (timestamp, refusal) = (String::new(), Refusal::default());
        Output { source, limits, sink, files: 0, entries: 0, file_entries: 0, span_lines: 0, timestamp, refusal }
    }

    /// Counts a mention of a file and checks and normalises its path.
    pub(crate) fn begin_file(&mut self, path: &str) -> Result<String, Fault> {
        self.files += 1;
        self.file_entries = 0;
        if self.files > self.limits.files {
            let detail = format!("the report has more than {} source files", self.limits.files);
            return Err(Fault::new(ErrorKind::Limit, detail));
        }
        if path.len() > self.limits.path {
            let detail = format!("a source file's path of more than {} bytes", self.limits.path);
            return Err(Fault::new(ErrorKind::Limit, detail));
        }
        let path = normalise_path(path);
        if path.is_empty() { Err(Fault::malformed("a source file without a path")) } else { Ok(path) }
    }

    /// Counts a line, branch or block.
    pub(crate) fn count_entry(&mut self) -> Result<(), Fault> {
        self.count_entries(1)
    }

    /// Counts as many lines, branches or blocks, before any of them takes memory.
    pub(crate) fn count_entries(&mut self, more: u64) -> Result<(), Fault> {
        self.entries = self.entries.saturating_add(more);
        self.file_entries = self.file_entries.saturating_add(more);
        let detail = match () {
            () if self.entries > self.limits.entries => {
                format!("the report has more than {} lines, branches and blocks", self.limits.entries)
            }
            () if self.file_entries > self.limits.file_entries => {
                format!("a source file has more than {} lines, branches and blocks", self.limits.file_entries)
            }
            () => return Ok(()),
        };
        Err(Fault::new(ErrorKind::Limit, detail))
    }

    /// Counts lines that a report names by where they begin and end, so that a few bytes stand for any number of them.
    pub(crate) fn count_span(&mut self, lines: u64) -> Result<(), Fault> {
        self.span_lines = self.span_lines.saturating_add(lines);
        if self.span_lines > SPAN_LINES {
            let detail = format!("spans of more than {SPAN_LINES} lines together");
            return Err(Fault::new(ErrorKind::Limit, detail));
        }
        self.count_entries(lines)
    }

    /// Adds a line; a full part is handed on.
    pub(crate) fn line(&mut self, part: &mut Part, number: u32, covered: bool) -> Result<(), Fault> {
        self.count_entry()?;
        part.lines.push(Line { number, covered });
        self.flush_full(part);
        Ok(())
    }

    /// Adds a branch; a full part is handed on.
    pub(crate) fn branch(&mut self, part: &mut Part, branch: Branch) -> Result<(), Fault> {
        self.count_entry()?;
        part.branches.push(branch);
        self.flush_full(part);
        Ok(())
    }

    /// Adds a block; a full part is handed on.
    pub(crate) fn block(&mut self, part: &mut Part, block: Block) -> Result<(), Fault> {
        self.count_entry()?;
        part.blocks.push(block);
        self.flush_full(part);
        Ok(())
    }

    fn flush_full(&mut self, part: &mut Part) {
        if part.held() >= PART {
            self.flush(part);
        }
    }

    /// Hands on what the part holds, and empties it. The path stays; without one, nothing was begun.
    pub(crate) fn flush(&mut self, part: &mut Part) {
        self.file_entries = 0;
        if part.path.is_empty() {
            return;
        }
        let Part { path, lines, branches, blocks } = part;
        self.sink.file(&FilePart { path, lines, branches, blocks });
        lines.clear();
        branches.clear();
        blocks.clear();
    }

    pub(crate) fn counted_only(&mut self, path: &str, coverage: Coverage) {
        self.sink.counted_only(&CountedOnly { path, coverage });
    }

    pub(crate) fn problem(&mut self, kind: ProblemKind, message: impl Into<String>) {
        self.sink.problem(Problem { source: self.source.to_owned(), kind, message: message.into() });
    }

    /// Checks counters against what was listed.
    pub(crate) fn compare(&mut self, of: &str, what: &str, header: Header, shown: &[Count]) {
        if let Some(message) = header.disagreement(shown) {
            let of = if of.is_empty() { String::new() } else { format!("{of}: ") };
            self.problem(ProblemKind::CountersDisagree, format!("{of}the {what} counters {message}"));
        }
    }

    pub(crate) fn note_timestamp(&mut self, timestamp: &str) {
        if self.timestamp.is_empty() {
            self.timestamp.push_str(report_input::cut(timestamp, 64));
        }
    }

    /// Remembers what kind of fault goes through a JSON parser as a text.
    pub(crate) fn refuse<E: serde::de::Error>(&mut self, fault: Fault) -> E {
        self.refusal.refuse(fault)
    }

    /// Gives an error its kind back.
    pub(crate) fn explain(&self, error: ReportError) -> ReportError {
        self.refusal.explain(error)
    }

    pub(crate) fn finish(self, format: Format, bytes: u64) -> ReportFacts {
        ReportFacts { format, bytes, files: self.files, entries: self.entries, timestamp: self.timestamp }
    }
}

/// What a report's own counters say; each may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Header {
    pub(crate) covered: Option<u64>,
    pub(crate) total: Option<u64>,
}

impl Header {
    /// Both counters, or nothing.
    pub(crate) fn count(self) -> Option<Count> {
        Some(Count { covered: self.covered?, total: self.total? })
    }

    /// Whether the counters are one of the `shown` ones.
    pub(crate) fn agrees(self, shown: &[Count]) -> bool {
        shown.iter().any(|shown| {
            self.covered.is_none_or(|covered| covered == shown.covered)
                && self.total.is_none_or(|total| total == shown.total)
        })
    }

    /// What is wrong if the counters are none of the `shown` ones. The first of those is the one to name.
    fn disagreement(self, shown: &[Count]) -> Option<String> {
        if self.agrees(shown) {
            return None;
        }
        let first = shown.first()?;
        let number = |number: Option<u64>| number.map_or("?".to_owned(), |number| number.to_string());
        Some(format!(
            "say {} of {}, but {} of {} are listed",
            number(self.covered),
            number(self.total),
            first.covered,
            first.total
        ))
    }
}

/// Branches that counters know and no line shows, where that is in the nature of the writer: line 0 stands for them.
pub(crate) fn unplaced(says: Count, shown: Count) -> Option<Branch> {
    let covered = u32::try_from(says.covered.checked_sub(shown.covered)?).ok()?;
    let total = u32::try_from(says.total.checked_sub(shown.total)?).ok()?;
    (total > 0 && covered <= total).then_some(Branch::Counted { line: 0, covered, total })
}

/// Whether percentages, in hundredths, are further apart than `slack`.
pub(crate) fn apart(a: Count, b: Count, slack: u32) -> bool {
    match (a.percent(), b.percent()) {
        (Some(a), Some(b)) => a.hundredths().abs_diff(b.hundredths()) > slack,
        _ => false,
    }
}

/// A line number as text.
pub(crate) fn line_number(text: &str) -> Result<u32, Fault> {
    let number = text.trim().parse::<u64>().map_err(|_| not_a_number("line number", text))?;
    checked_line(number)
}

/// A line number within what is read.
pub(crate) fn checked_line(number: u64) -> Result<u32, Fault> {
    u32::try_from(number).ok().filter(|number| *number <= MAX_LINE).ok_or_else(|| {
        Fault::malformed(format!("the line number {number} is beyond {MAX_LINE}, which no source file reaches"))
    })
}

/// Whether a count of executions is more than zero.
///
/// Counts are summed and rounded by many tools: very large ones, fractions and powers of ten count; negative ones, which
/// gcov writes when its counters race, are no execution.
pub(crate) fn is_hit(text: &str) -> Result<bool, Fault> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(!text.starts_with('-') && digits.bytes().any(|byte| byte != b'0'));
    }
    match text.parse::<f64>() {
        Ok(count) if count.is_finite() => Ok(count > 0.0),
        _ => Err(not_a_number("count", text)),
    }
}

/// A counter.
pub(crate) fn counter(name: &str, text: &str) -> Result<u64, Fault> {
    text.trim().parse().map_err(|_| not_a_number(name, text))
}

pub(crate) fn not_a_number(name: &str, text: &str) -> Fault {
    let text: String = text.chars().take(40).collect();
    Fault::malformed(format!("the {name} \"{}\" is no number", text.escape_debug()))
}

/// Places a fault at the line that was read last.
pub(crate) fn at_line<T>(lines: &Lines<'_>, result: Result<T, Fault>) -> Result<T, ReportError> {
    result.map_err(|fault| lines.error(fault.kind, fault.detail))
}

/// A name for a branch's outcome: a hash (FNV-1a) of what the format names it by.
pub(crate) fn outcome_id<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for part in parts {
        for byte in part.iter().chain(&[0xff]) {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}
