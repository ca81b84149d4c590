//! JaCoCo XML (`report.dtd`).
//!
//! A `line` has the instructions (`mi`, `ci`) and branches (`mb`, `cb`) that were missed and covered. A line with at
//! least one covered instruction counts as covered in JaCoCo's counter LINE, and here. Classes that were compiled
//! without line numbers, and reports stripped of their source files, leave only counters.

use std::collections::{BTreeMap, HashSet};

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, Opening, ReportError};

use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, Count, Coverage, ReportFacts, Sink};
use crate::output::{Header, Output, Part, counter, line_number};

pub(crate) const ENTRY: Entry = Entry { format: Format::JaCoCo, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let mut tags = opening.tags();
    tags.next().is_some_and(|root| root.name == "report")
        && (opening.text().contains("JACOCO//DTD")
            || tags.next().is_some_and(|child| matches!(child.name, "sessioninfo" | "group" | "package" | "counter")))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = Reader::new(Output::new(input.source(), limits, sink));
    let bytes = xml::read(input, &mut reader)?;
    Ok(reader.finish().finish(Format::JaCoCo, bytes))
}

/// The counters LINE and BRANCH of an element.
#[derive(Debug, Clone, Copy, Default)]
struct Counters {
    line: Option<Count>,
    branch: Option<Count>,
}

impl Counters {
    fn coverage(self) -> Coverage {
        Coverage { line: self.line.unwrap_or_default(), branch: self.branch.unwrap_or_default() }
    }
}

fn header(count: Option<Count>) -> Header {
    Header { covered: count.map(|count| count.covered), total: count.map(|count| count.total) }
}

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Report,
    Group,
    Package,
    Class,
    SourceFile,
    Other,
}

struct Reader<'a> {
    output: Output<'a>,
    nodes: Vec<Node>,
    /// The names of the open groups and the package.
    place: Vec<String>,
    report: Counters,
    /// The source file that is being read.
    part: Part,
    listed: Coverage,
    counters: Counters,
    /// The class that is being read, and those of the package by source file.
    class_path: String,
    classes: BTreeMap<String, Coverage>,
    /// Source files of the package that account for their classes.
    accounted: HashSet<String>,
    sum: Coverage,
}

impl<'a> Reader<'a> {
    fn new(output: Output<'a>) -> Self {
        Reader {
            output,
            nodes: Vec::new(),
            place: Vec::new(),
            report: Counters::default(),
            part: Part::default(),
            listed: Coverage::default(),
            counters: Counters::default(),
            class_path: String::new(),
            classes: BTreeMap::new(),
            accounted: HashSet::new(),
            sum: Coverage::default(),
        }
    }

    fn path(&self, name: &str) -> String {
        let mut path = self.place.join("/");
        path.push('/');
        path.push_str(name);
        // An unnamed package leaves a slash in front, which would make the path absolute.
        path.trim_start_matches('/').to_owned()
    }

    fn start_node(&mut self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let name = || tag.get("name").unwrap_or_default();
        let parent = self.nodes.last().copied();
        Ok(match (parent, tag.name) {
            (None, "report") => Node::Report,
            (None, _) => {
                let detail = format!("the root element <{}> is not JaCoCo's <report>", tag.name.escape_debug());
                return Err(Fault::new(ErrorKind::Unrecognised, detail));
            }
            (Some(Node::Report | Node::Group), "group") => {
                self.place.push(name().into_owned());
                Node::Group
            }
            (Some(Node::Report | Node::Group), "package") => {
                self.place.push(name().into_owned());
                Node::Package
            }
            (Some(Node::Package), "class") => {
                let name = name();
                // Names are those of the virtual machine: `org/example/Shape$Side`.
                let own = name.rsplit('/').next().unwrap_or_default();
                let file = tag.get("sourcefilename");
                self.class_path = self.path(file.as_deref().unwrap_or(own));
                self.counters = Counters::default();
                Node::Class
            }
            (Some(Node::Package), "sourcefile") => {
                let path = self.path(&name());
                let normalised = self.output.begin_file(&path)?;
                self.part = Part { path: normalised, ..Part::default() };
                self.class_path = path;
                self.counters = Counters::default();
                self.listed = Coverage::default();
                Node::SourceFile
            }
            (Some(Node::SourceFile), "line") => {
                self.line(tag)?;
                Node::Other
            }
            (Some(parent), "counter") => {
                self.counter(parent, tag)?;
                Node::Other
            }
            (Some(Node::Report), "sessioninfo") => {
                if let Some(dump) = tag.get("dump") {
                    self.output.note_timestamp(&dump);
                }
                Node::Other
            }
            _ => Node::Other,
        })
    }

    fn line(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let number = |name: &str| match tag.get(name) {
            Some(text) => counter(name, &text),
            None => Ok(0),
        };
        let line = tag.get("nr").ok_or_else(|| Fault::malformed("a <line> without a number `nr`"))?;
        let line = line_number(&line)?;
        let (missed, covered) = (number("mi")?, number("ci")?);
        if missed > 0 || covered > 0 {
            self.listed.line.add(Count { covered: u64::from(covered > 0), total: 1 });
            self.output.count_entry()?;
            self.part.lines.push(crate::model::Line { number: line, covered: covered > 0 });
        }
        let (missed, covered) = (branches(number("mb")?)?, branches(number("cb")?)?);
        let total = missed.checked_add(covered).ok_or_else(too_many)?;
        if total > 0 {
            self.listed.branch.add(Count { covered: covered.into(), total: total.into() });
            self.output.count_entry()?;
            self.part.branches.push(Branch::Counted { line, covered, total });
        }
        Ok(())
    }

    fn counter(&mut self, parent: Node, tag: &Tag<'_>) -> Result<(), Fault> {
        let counters = match parent {
            Node::Report => &mut self.report,
            Node::Class | Node::SourceFile => &mut self.counters,
            _ => return Ok(()),
        };
        let slot = match tag.get("type").as_deref() {
            Some("LINE") => &mut counters.line,
            Some("BRANCH") => &mut counters.branch,
            _ => return Ok(()),
        };
        let number = |name: &str| {
            let text = tag.get(name).ok_or_else(|| Fault::malformed(format!("a <counter> without `{name}`")))?;
            counter(name, &text)
        };
        let (missed, covered) = (number("missed")?, number("covered")?);
        *slot = Some(Count { covered, total: missed.checked_add(covered).ok_or_else(too_many)? });
        Ok(())
    }

    fn end_source_file(&mut self) {
        let mut part = std::mem::take(&mut self.part);
        let says = self.counters.coverage();
        if part.held() == 0 && says != Coverage::default() {
            self.output.counted_only(&part.path, says);
            self.sum.add(says);
            self.accounted.insert(std::mem::take(&mut self.class_path));
            return;
        }
        let Counters { line, branch } = self.counters;
        self.output.compare(&part.path, "LINE", header(line), &[self.listed.line]);
        self.output.compare(&part.path, "BRANCH", header(branch), &[self.listed.branch]);
        self.sum.add(self.listed);
        if part.held() > 0 {
            self.accounted.insert(std::mem::take(&mut self.class_path));
        }
        self.output.flush(&mut part);
    }

    fn end_class(&mut self) {
        let path = std::mem::take(&mut self.class_path);
        let counted = self.counters.coverage();
        if counted != Coverage::default() {
            self.classes.entry(path).or_default().add(counted);
        }
    }

    /// Counts the classes for which no source file stands.
    fn end_package(&mut self) -> Result<(), Fault> {
        let accounted = std::mem::take(&mut self.accounted);
        for (path, counted) in std::mem::take(&mut self.classes) {
            if !accounted.contains(&path) {
                let path = self.output.begin_file(&path)?;
                self.output.counted_only(&path, counted);
                self.sum.add(counted);
            }
        }
        self.place.pop();
        Ok(())
    }

    fn finish(mut self) -> Output<'a> {
        let Counters { line, branch } = self.report;
        if self.sum == Coverage::default() {
            if self.report.coverage() != Coverage::default() {
                self.output.counted_only("", self.report.coverage());
            }
            return self.output;
        }
        self.output.compare("the report", "LINE", header(line), &[self.sum.line]);
        self.output.compare("the report", "BRANCH", header(branch), &[self.sum.branch]);
        self.output
    }
}

fn branches(number: u64) -> Result<u32, Fault> {
    u32::try_from(number).map_err(|_| too_many())
}

fn too_many() -> Fault {
    Fault::malformed("a counter that is larger than any program")
}

impl Handler for Reader<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.start_node(tag)?;
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.nodes.pop() {
            Some(Node::SourceFile) => self.end_source_file(),
            Some(Node::Class) => self.end_class(),
            Some(Node::Package) => self.end_package()?,
            Some(Node::Group) => {
                self.place.pop();
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, _: &str) {}
}
