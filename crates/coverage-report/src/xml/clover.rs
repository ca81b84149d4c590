//! Clover XML, as OpenClover, Istanbul and PHPUnit write it.
//!
//! Lines are those of type `stmt` and `cond`. What `truecount` and `falsecount` of a condition mean depends on the
//! writer: OpenClover counts how often it was true and how often false (two outcomes), Istanbul how many outcomes were
//! taken and how many were not, and gives such lines a `count` as well. The `metrics` of the file confirm which it is.

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, Opening, ReportError};

use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, Count, Coverage, FilePart, ReportFacts, Sink};
use crate::output::{Header, Output, Part, counter, is_hit, line_number, outcome_id, unplaced};
use crate::record::Record;

pub(crate) const ENTRY: Entry = Entry { format: Format::Clover, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let mut tags = opening.tags();
    tags.next().is_some_and(|root| root.name == "coverage")
        && tags.next().is_some_and(|child| matches!(child.name, "project" | "testproject"))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = Reader {
        output: Output::new(input.source(), limits, sink),
        nodes: Vec::new(),
        package: String::new(),
        file: File::default(),
        project: Metrics::default(),
        sums: [Coverage::default(); 3],
    };
    let bytes = xml::read(input, &mut reader)?;
    Ok(reader.finish().finish(Format::Clover, bytes))
}

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Coverage,
    Project,
    Package,
    File,
    /// Nothing in it is looked at.
    Opaque,
}

#[derive(Debug, Clone, Copy, Default)]
struct Metrics {
    statements: Header,
    conditionals: Header,
}

impl Metrics {
    fn read(tag: &Tag<'_>) -> Result<Metrics, Fault> {
        let number = |name: &str| tag.get(name).map(|text| counter(name, &text)).transpose();
        Ok(Metrics {
            statements: Header { covered: number("coveredstatements")?, total: number("statements")? },
            conditionals: Header { covered: number("coveredconditionals")?, total: number("conditionals")? },
        })
    }

    fn coverage(self) -> Result<Coverage, Fault> {
        let whole = |header: Header| {
            let count = Count { covered: header.covered.unwrap_or(0), total: header.total.unwrap_or(0) };
            if count.covered > count.total {
                return Err(Fault::malformed(format!("{} of {} are covered", count.covered, count.total)));
            }
            Ok(count)
        };
        Ok(Coverage { line: whole(self.statements)?, branch: whole(self.conditionals)? })
    }
}

#[derive(Debug, Clone, Copy)]
struct Condition {
    line: u32,
    when_true: u64,
    when_false: u64,
}

/// The file that is being read.
#[derive(Debug, Default)]
struct File {
    part: Part,
    conditions: Vec<Condition>,
    /// A condition has a `count`, as Istanbul writes.
    conditions_have_counts: bool,
    statements: Count,
    metrics: Metrics,
}

struct Reader<'a> {
    output: Output<'a>,
    nodes: Vec<Node>,
    package: String,
    file: File,
    project: Metrics,
    /// The report's totals: of united lines, of all elements, and of elements of type `stmt`.
    sums: [Coverage; 3],
}

impl<'a> Reader<'a> {
    fn start_node(&mut self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let parent = self.nodes.last().copied();
        Ok(match (parent, tag.name) {
            (None, "coverage") => {
                if let Some(generated) = tag.get("generated") {
                    self.output.note_timestamp(&generated);
                }
                Node::Coverage
            }
            (None, _) => {
                let detail = format!("the root element <{}> is not Clover's <coverage>", tag.name.escape_debug());
                return Err(Fault::new(ErrorKind::Unrecognised, detail));
            }
            // A <testproject> is about the tests' own code.
            (Some(Node::Coverage), "project") => Node::Project,
            (Some(Node::Project), "package") => {
                self.package = tag.get("name").unwrap_or_default().into_owned();
                Node::Package
            }
            (Some(Node::Project | Node::Package), "file") => {
                self.start_file(parent == Some(Node::Package), tag)?;
                Node::File
            }
            (Some(Node::Project), "metrics") => {
                self.project = Metrics::read(tag)?;
                Node::Opaque
            }
            (Some(Node::File), "metrics") => {
                self.file.metrics = Metrics::read(tag)?;
                Node::Opaque
            }
            (Some(Node::File), "line") => {
                self.line(tag)?;
                Node::Opaque
            }
            _ => Node::Opaque,
        })
    }

    fn start_file(&mut self, in_package: bool, tag: &Tag<'_>) -> Result<(), Fault> {
        let name = tag.get("name").unwrap_or_default();
        let path = match tag.get("path").filter(|path| !path.trim().is_empty()) {
            Some(path) => path.into_owned(),
            None if in_package && !name.contains(['/', '\\']) => {
                format!("{}/{name}", self.package.replace('.', "/")).trim_start_matches('/').to_owned()
            }
            None => name.into_owned(),
        };
        let path = self.output.begin_file(&path)?;
        self.file = File { part: Part { path, ..Part::default() }, ..File::default() };
        Ok(())
    }

    fn line(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let kind = tag.get("type").unwrap_or_default();
        if !matches!(&*kind, "stmt" | "cond") {
            return Ok(());
        }
        let number = tag.get("num").ok_or_else(|| Fault::malformed("a <line> without a number `num`"))?;
        let number = line_number(&number)?;
        let count = tag.get("count").map(|count| is_hit(&count)).transpose()?;
        let covered = if kind == "cond" {
            let times = |name: &str| tag.get(name).map(|text| counter(name, &text)).transpose();
            let (when_true, when_false) = (times("truecount")?.unwrap_or(0), times("falsecount")?.unwrap_or(0));
            self.output.count_entry()?;
            self.file.conditions.push(Condition { line: number, when_true, when_false });
            self.file.conditions_have_counts |= count.is_some();
            count.unwrap_or(when_true > 0 || when_false > 0)
        } else {
            let covered = count.ok_or_else(|| Fault::malformed("a statement without a `count`"))?;
            self.file.statements.add(Count { covered: covered.into(), total: 1 });
            covered
        };
        self.output.count_entry()?;
        self.file.part.lines.push(crate::model::Line { number, covered });
        Ok(())
    }

    fn end_file(&mut self) -> Result<(), Fault> {
        let mut file = std::mem::take(&mut self.file);
        if file.part.lines.is_empty() {
            let counted = file.metrics.coverage()?;
            if counted != Coverage::default() {
                self.output.counted_only(&file.part.path, counted);
                self.sums.iter_mut().for_each(|sum| sum.add(counted));
                return Ok(());
            }
        }
        let branch = file.decide_branches()?;
        let lines = &file.part.lines;
        let covered = lines.iter().filter(|line| line.covered).count() as u64;
        let elements = Count { covered, total: lines.len() as u64 };
        let mut record = Record::default();
        record.add(&FilePart { path: "", lines, branches: &[], blocks: &[] });
        record.compact();
        let ways = [record.coverage().line, elements, file.statements];
        self.output.compare(&file.part.path, "statements", file.metrics.statements, &ways);
        self.output.compare(&file.part.path, "conditionals", file.metrics.conditionals, &[branch]);
        for (sum, line) in self.sums.iter_mut().zip(ways) {
            sum.add(Coverage { line, branch });
        }
        self.output.flush(&mut file.part);
        Ok(())
    }

    fn finish(mut self) -> Output<'a> {
        let Metrics { statements, conditionals } = self.project;
        if self.sums[0] == Coverage::default() {
            if let Ok(counted) = self.project.coverage()
                && counted != Coverage::default()
            {
                self.output.counted_only("", counted);
            }
            return self.output;
        }
        self.output.compare("the project", "statements", statements, &self.sums.map(|sum| sum.line));
        self.output.compare("the project", "conditionals", conditionals, &[self.sums[0].branch]);
        self.output
    }
}

impl File {
    /// Decides what the conditions mean, adds their branches and returns how many there are.
    fn decide_branches(&mut self) -> Result<Count, Fault> {
        let mut outcomes = Count::default();
        for condition in &self.conditions {
            let covered = u64::from(condition.when_true > 0) + u64::from(condition.when_false > 0);
            outcomes.add(Count { covered, total: 2 });
        }
        let mut parts = Count::default();
        for Condition { when_true, when_false, .. } in &self.conditions {
            parts.add(Count { covered: *when_true, total: when_true.saturating_add(*when_false) });
        }
        let says = self.metrics.conditionals.count();
        let are_parts = match (says == Some(outcomes), says == Some(parts)) {
            (true, false) => false,
            (false, true) => true,
            _ => self.conditions_have_counts,
        };
        let mut nth = (0, 0u64);
        for Condition { line, when_true, when_false } in std::mem::take(&mut self.conditions) {
            nth = if nth.0 == line { (line, nth.1 + 1) } else { (line, 0) };
            let number = nth.1.to_le_bytes();
            if are_parts {
                let small = |count: u64| u32::try_from(count).ok();
                let total = small(when_true.saturating_add(when_false));
                let (Some(covered), Some(total)) = (small(when_true), total) else {
                    return Err(Fault::malformed("a line with more branches than any program"));
                };
                self.part.branches.push(Branch::Counted { line, covered, total });
            } else {
                for (side, count) in [(&b"true"[..], when_true), (b"false", when_false)] {
                    let id = outcome_id([&number[..], side]);
                    self.part.branches.push(Branch::Outcome { line, id, covered: count > 0 });
                }
            }
        }
        if !are_parts {
            return Ok(outcomes);
        }
        // Istanbul counts the branches of lines on which no statement starts (default values of parameters), but has no
        // line to show them at.
        if let Some(unplaced) = says.and_then(|says| unplaced(says, parts)) {
            self.part.branches.push(unplaced);
            return Ok(says.unwrap_or(parts));
        }
        Ok(parts)
    }
}

impl Handler for Reader<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.start_node(tag)?;
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.nodes.pop() == Some(Node::File) {
            self.end_file()?;
        }
        Ok(())
    }

    fn text(&mut self, _: &str) {}
}
