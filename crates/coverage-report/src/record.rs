//! What is known about one source file.

use crate::model::{Block, Branch, Count, Coverage, FilePart, Line, MAX_LINE};
use crate::union::{Element, Union};

/// A line in 32 bits.
#[derive(Debug, Clone, Copy)]
struct PackedLine(u32);

impl PackedLine {
    fn new(line: Line) -> Self {
        PackedLine(line.number.min(MAX_LINE) << 1 | u32::from(line.covered))
    }

    fn covered(self) -> bool {
        self.0 & 1 == 1
    }
}

impl Element for PackedLine {
    type Key = u32;

    fn key(&self) -> u32 {
        self.0 >> 1
    }

    fn join(&mut self, other: Self) {
        self.0 |= other.0 & 1;
    }
}

#[derive(Debug, Clone, Copy)]
struct Outcome {
    id: u64,
    line: u32,
    covered: bool,
}

impl Element for Outcome {
    type Key = (u32, u64);

    fn key(&self) -> (u32, u64) {
        (self.line, self.id)
    }

    fn join(&mut self, other: Self) {
        self.covered |= other.covered;
    }
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    line: u32,
    covered: u32,
    total: u32,
}

impl Element for Counted {
    type Key = u32;

    fn key(&self) -> u32 {
        self.line
    }

    /// Which of the outcomes were taken is not known, so the union may be larger, but never smaller.
    fn join(&mut self, other: Self) {
        self.covered = self.covered.max(other.covered);
        self.total = self.total.max(other.total);
    }
}

/// A block with what became of its repetitions.
#[derive(Debug, Clone, Copy)]
struct Statements {
    block: Block,
    contradicted: bool,
}

impl Element for Statements {
    type Key = ((u32, u32), (u32, u32));

    fn key(&self) -> Self::Key {
        (self.block.start, self.block.end)
    }

    fn join(&mut self, other: Self) {
        self.contradicted |= other.contradicted || self.block.statements != other.block.statements;
        self.block.statements = self.block.statements.max(other.block.statements);
        self.block.covered |= other.block.covered;
    }
}

/// The union of everything that was said about a source file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    lines: Union<PackedLine>,
    outcomes: Union<Outcome>,
    counted: Union<Counted>,
    statements: Union<Statements>,
    counters: Option<Coverage>,
    counters_differ: bool,
}

impl Record {
    pub(crate) fn add(&mut self, part: &FilePart<'_>) {
        for line in part.lines {
            self.lines.push(PackedLine::new(*line));
        }
        for branch in part.branches {
            match *branch {
                Branch::Outcome { line, id, covered } => self.outcomes.push(Outcome { id, line, covered }),
                Branch::Counted { line, covered, total } => {
                    self.counted.push(Counted { line, covered: covered.min(total), total });
                }
            }
        }
        for block in part.blocks {
            self.statements.push(Statements { block: *block, contradicted: false });
        }
    }

    /// Takes in counters. Two different ones leave the lower bound of what they may mean together.
    pub(crate) fn count(&mut self, coverage: Coverage) {
        let Some(known) = &mut self.counters else {
            self.counters = Some(coverage);
            return;
        };
        if *known != coverage {
            self.counters_differ = true;
            let join = |a: Count, b: Count| Count { covered: a.covered.max(b.covered), total: a.total.max(b.total) };
            *known = Coverage { line: join(known.line, coverage.line), branch: join(known.branch, coverage.branch) };
        }
    }

    pub(crate) fn absorb(&mut self, other: &Record) {
        self.lines.absorb(&other.lines);
        self.outcomes.absorb(&other.outcomes);
        self.counted.absorb(&other.counted);
        self.statements.absorb(&other.statements);
        if let Some(counters) = other.counters {
            self.count(counters);
        }
        self.counters_differ |= other.counters_differ;
    }

    /// Sorts in everything; to be called before anything is asked.
    pub(crate) fn compact(&mut self) {
        self.lines.compact();
        self.outcomes.compact();
        self.counted.compact();
        self.statements.compact();
    }

    /// Lines, branches and blocks held.
    pub(crate) fn held(&self) -> u64 {
        (self.lines.held() + self.outcomes.held() + self.counted.held() + self.statements.held()) as u64
    }

    /// Whether the file's lines, branches or blocks are listed.
    pub(crate) fn is_listed(&self) -> bool {
        self.has_lines() || self.has_blocks()
    }

    fn has_lines(&self) -> bool {
        !(self.lines.is_empty() && self.outcomes.is_empty() && self.counted.is_empty())
    }

    pub(crate) fn has_blocks(&self) -> bool {
        !self.statements.is_empty()
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.counters.is_some()
    }

    /// Why the figures are uncertain, if they are.
    pub(crate) fn doubt(&self) -> Option<Doubt> {
        if self.statements.elements().iter().any(|statements| statements.contradicted) {
            return Some(Doubt::Statements);
        }
        let kinds = [self.has_lines(), self.has_blocks(), self.is_counted()].into_iter().filter(|kind| *kind).count();
        match () {
            () if kinds > 1 => Some(Doubt::Mixed),
            () if self.counters_differ => Some(Doubt::CountedTwice),
            () => None,
        }
    }

    /// The totals. Where a file was described in ways that cannot be united, the way that shows least is taken.
    pub(crate) fn coverage(&self) -> Coverage {
        let listed = self.has_lines().then(|| self.listed_coverage());
        let blocks = self.has_blocks().then(|| Coverage { line: self.statement_count(), ..Coverage::default() });
        [listed, blocks, self.counters]
            .into_iter()
            .flatten()
            .min_by_key(|coverage| coverage.line.percent())
            .unwrap_or_default()
    }

    fn listed_coverage(&self) -> Coverage {
        let lines = self.lines.elements();
        let covered = lines.iter().filter(|line| line.covered()).count();
        Coverage { line: Count { covered: covered as u64, total: lines.len() as u64 }, branch: self.branch_count() }
    }

    fn statement_count(&self) -> Count {
        let mut count = Count::default();
        for Statements { block, .. } in self.statements.elements() {
            let statements = u64::from(block.statements);
            count.add(Count { covered: if block.covered { statements } else { 0 }, total: statements });
        }
        count
    }

    /// Outcomes that are told apart count one by one. Where a line's are only counted, or counted as well, the larger
    /// figures of that line count.
    fn branch_count(&self) -> Count {
        let mut total = Count::default();
        let mut counted = self.counted.elements().iter().peekable();
        for group in self.outcomes.elements().chunk_by(|a, b| a.line == b.line) {
            let line = group[0].line;
            while let Some(before) = counted.next_if(|counted| counted.line < line) {
                total.add(before.count());
            }
            let covered = group.iter().filter(|outcome| outcome.covered).count() as u64;
            let mut here = Count { covered, total: group.len() as u64 };
            if let Some(same) = counted.next_if(|counted| counted.line == line) {
                here.covered = here.covered.max(same.count().covered);
                here.total = here.total.max(same.count().total);
            }
            total.add(here);
        }
        for rest in counted {
            total.add(rest.count());
        }
        total
    }

    pub(crate) fn uncovered_lines(&self) -> impl Iterator<Item = u32> + '_ {
        self.lines.elements().iter().filter(|line| !line.covered()).map(Element::key)
    }

    /// Everything that is listed, to be handed on.
    pub(crate) fn listed(&self) -> (Vec<Line>, Vec<Branch>) {
        let lines = self.lines.elements().iter();
        let lines = lines.map(|line| Line { number: line.key(), covered: line.covered() }).collect();
        let outcomes = self.outcomes.elements().iter();
        let outcomes = outcomes.map(|of| Branch::Outcome { line: of.line, id: of.id, covered: of.covered });
        let counted = self.counted.elements().iter();
        let counted = counted.map(|of| Branch::Counted { line: of.line, covered: of.covered, total: of.total });
        (lines, outcomes.chain(counted).collect())
    }
}

impl Counted {
    fn count(&self) -> Count {
        Count { covered: u64::from(self.covered), total: u64::from(self.total) }
    }
}

/// Why a file's figures are uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// Two of lines, statements and counters describe it.
    Mixed,
    /// Two different sets of counters describe it.
    CountedTwice,
    /// A block has different numbers of statements.
    Statements,
}
