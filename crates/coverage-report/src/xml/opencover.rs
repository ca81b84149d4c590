//! OpenCover XML, as OpenCover and coverlet write it.
//!
//! A line is one on which a sequence point starts; it is covered if one of those was visited. What a statement spans
//! beyond its first line is not counted, because other points (those of a lambda) may lie in it unvisited.

use std::collections::HashMap;

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, Opening, ReportError};

use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, Count, ProblemKind, ReportFacts, Sink};
use crate::output::{Header, Output, Part, counter, is_hit, line_number, outcome_id};

pub(crate) const ENTRY: Entry = Entry { format: Format::OpenCover, recognise, read };

/// The line that .NET compilers give to code that is hidden from debuggers.
const HIDDEN: &str = "16707566";
/// Where branches of generated code go that belongs to no file.
const NO_FILE: &str = "(no source file)";

fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| root.name == "CoverageSession")
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = Reader {
        output: Output::new(input.source(), limits, sink),
        depth: 0,
        open: Vec::new(),
        header: None,
        files: HashMap::new(),
        method: Method::default(),
        part: Part::default(),
        points: Count::default(),
        branches: Count::default(),
        methods: 0,
    };
    let bytes = xml::read(input, &mut reader)?;
    Ok(reader.finish().finish(Format::OpenCover, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Module,
    Method,
    MethodName,
    Other,
}

/// The method that is being read.
#[derive(Debug, Default)]
struct Method {
    name: String,
    file: Option<String>,
}

struct Reader<'a> {
    output: Output<'a>,
    depth: usize,
    open: Vec<Node>,
    /// Sequence points and branch points of the session.
    header: Option<[Header; 2]>,
    /// The module's files by their number.
    files: HashMap<String, String>,
    method: Method,
    part: Part,
    points: Count,
    branches: Count,
    methods: u64,
}

impl<'a> Reader<'a> {
    fn start_node(&mut self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let in_method = self.open.contains(&Node::Method);
        match tag.name {
            _ if self.depth == 0 && tag.name != "CoverageSession" => {
                let detail = format!("the root element <{}> is not OpenCover's <CoverageSession>", tag.name);
                return Err(Fault::new(ErrorKind::Unrecognised, detail));
            }
            "Summary" if self.depth == 1 => {
                let number = |name: &str| tag.get(name).map(|text| counter(name, &text)).transpose();
                self.header = Some([
                    Header { covered: number("visitedSequencePoints")?, total: number("numSequencePoints")? },
                    Header { covered: number("visitedBranchPoints")?, total: number("numBranchPoints")? },
                ]);
            }
            "Module" => {
                self.files.clear();
                return Ok(Node::Module);
            }
            "File" => {
                let number = tag.get("uid").ok_or_else(|| Fault::malformed("a <File> without a `uid`"))?;
                let path = tag.get("fullPath").ok_or_else(|| Fault::malformed("a <File> without a `fullPath`"))?;
                let path = self.output.begin_file(&path)?;
                self.files.insert(number.into_owned(), path);
            }
            "Method" => {
                self.methods += 1;
                self.method = Method::default();
                return Ok(Node::Method);
            }
            "Name" if in_method => return Ok(Node::MethodName),
            "FileRef" if in_method => self.method.file = tag.get("uid").map(std::borrow::Cow::into_owned),
            "SequencePoint" if in_method => self.point(tag)?,
            "BranchPoint" if in_method => self.branch(tag)?,
            _ => {}
        }
        Ok(Node::Other)
    }

    /// Turns to the file of a point.
    fn turn_to_file(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let number = tag.get("fileid").filter(|number| number != "0");
        let path = match number.as_deref().or(self.method.file.as_deref()) {
            Some(number) => self.files.get(number).map(String::as_str).ok_or_else(|| {
                let number = report_input::cut(number, 20).escape_debug();
                Fault::malformed(format!("a point in the file {number}, which the module does not list"))
            })?,
            None => NO_FILE,
        };
        if self.part.path != path {
            let path = path.to_owned();
            self.output.flush(&mut self.part);
            self.part.path = path;
        }
        Ok(())
    }

    fn point(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let covered = visited(tag)?;
        self.points.add(Count { covered: covered.into(), total: 1 });
        let line = tag.get("sl").ok_or_else(|| Fault::malformed("a <SequencePoint> without a line `sl`"))?;
        if line.trim() == HIDDEN {
            return Ok(());
        }
        let number = line_number(&line)?;
        self.turn_to_file(tag)?;
        self.output.line(&mut self.part, number, covered)
    }

    fn branch(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let covered = visited(tag)?;
        self.branches.add(Count { covered: covered.into(), total: 1 });
        let line = match tag.get("sl") {
            Some(line) if line.trim() != HIDDEN => line_number(&line)?,
            _ => 0,
        };
        let (offset, path) = (tag.get("offset").unwrap_or_default(), tag.get("path").unwrap_or_default());
        let ordinal = tag.get("ordinal").unwrap_or_default();
        let names = [self.method.name.as_bytes(), offset.as_bytes(), path.as_bytes(), ordinal.as_bytes()];
        let id = outcome_id(names);
        self.turn_to_file(tag)?;
        self.output.branch(&mut self.part, Branch::Outcome { line, id, covered })
    }

    fn finish(mut self) -> Output<'a> {
        self.output.flush(&mut self.part);
        let Some([points, branches]) = self.header else { return self.output };
        self.output.compare("the session", "sequence point", points, &[self.points]);
        // OpenCover counts the entry of each method as a branch of its own; coverlet does not.
        let within = |says: Option<u64>, listed: u64| {
            says.is_none_or(|says| (listed..=listed.saturating_add(self.methods)).contains(&says))
        };
        if !within(branches.total, self.branches.total) || !within(branches.covered, self.branches.covered) {
            let message = format!(
                "the session: the branch point counters say {} of {}, but {} of {} are listed",
                branches.covered.unwrap_or(0),
                branches.total.unwrap_or(0),
                self.branches.covered,
                self.branches.total
            );
            self.output.problem(ProblemKind::CountersDisagree, message);
        }
        self.output
    }
}

fn visited(tag: &Tag<'_>) -> Result<bool, Fault> {
    let count = tag.get("vc").ok_or_else(|| Fault::malformed(format!("a <{}> without a count `vc`", tag.name)))?;
    is_hit(&count)
}

impl Handler for Reader<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.start_node(tag)?;
        self.open.push(node);
        self.depth += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.depth -= 1;
        self.open.pop();
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.open.last() == Some(&Node::MethodName) {
            let room = self.output.limits.path.saturating_sub(self.method.name.len());
            self.method.name.push_str(report_input::cut(text, room));
        }
    }
}
