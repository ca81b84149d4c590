//! Cobertura XML (`coverage-04.dtd`), as many tools write it.
//!
//! A class lists its lines, often a second time under its methods, and a source file may have several classes. They are
//! united by file. Lines that only a method lists count where the class lists none, or where the root's counters show
//! that the writer counts them; Istanbul, for one, puts the lines of function heads there and does not count them.
//! A relative file name stands below the one `source`; where there are several, nothing says
//! which, and the name stays as it is.

use std::collections::BTreeMap;

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{Input, Opening, ReportError};

use crate::format::Format;
use crate::formats::Entry;
use crate::limits::Limits;
use crate::model::{Branch, Count, Coverage, FilePart, Line, ProblemKind, ReportFacts, Sink};
use crate::output::{Header, Output, Part, apart, counter, is_hit, line_number, unplaced};
use crate::path::join;
use crate::record::Record;

pub(crate) const ENTRY: Entry = Entry { format: Format::Cobertura, recognise, read };

/// How far, in hundredths of a percent, rates may be from the lines: writers round to as few as two digits.
const RATE_SLACK: u32 = 100;

fn recognise(opening: &Opening) -> bool {
    let mut tags = opening.tags();
    let root = tags.next();
    root.is_some_and(|root| {
        root.name == "coverage"
            && (root.has("line-rate")
                || root.has("lines-valid")
                || tags.next().is_some_and(|child| matches!(child.name, "sources" | "packages")))
    })
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = Reader::new(Output::new(input.source(), limits, sink));
    let bytes = xml::read(input, &mut reader)?;
    Ok(reader.finish().finish(Format::Cobertura, bytes))
}

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Source,
    Class,
    Methods,
    Line,
    Other,
}

/// A source file.
#[derive(Debug, Default)]
struct File {
    lines: Record,
    /// Lines that only methods list, in classes that list lines of their own.
    only_in_methods: Record,
}

/// Counters of one kind, as the root element has them.
#[derive(Debug, Default)]
struct RootCounters {
    header: Header,
    rate: Option<String>,
}

/// The ways in which writers add up a report.
#[derive(Debug, Default)]
struct Sums {
    /// Each class by itself, lines that stand twice in it once.
    classes: Coverage,
    /// Every element below `lines` of a class.
    class_lines: Coverage,
    /// Every element, those of methods included.
    all_lines: Coverage,
}

struct Reader<'a> {
    output: Output<'a>,
    nodes: Vec<Node>,
    root: [RootCounters; 2],
    /// The version that Istanbul writes and nobody else.
    is_istanbul: bool,
    sources: Vec<String>,
    class: Part,
    /// The lines of the class's methods.
    methods: Part,
    /// What the `condition` elements of the open line say, for lines that do not add them up: taken, all, and whether
    /// every one of them could be read.
    conditions: Option<(u32, u32, bool)>,
    files: BTreeMap<String, File>,
    sums: Sums,
}

impl<'a> Reader<'a> {
    fn new(output: Output<'a>) -> Self {
        Reader {
            output,
            nodes: Vec::new(),
            root: Default::default(),
            is_istanbul: false,
            sources: Vec::new(),
            class: Part::default(),
            methods: Part::default(),
            conditions: None,
            files: BTreeMap::new(),
            sums: Sums::default(),
        }
    }

    fn start_root(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        if tag.name != "coverage" {
            return Err(Fault::new(
                report_input::ErrorKind::Unrecognised,
                format!("the root element <{}> is not Cobertura's <coverage>", tag.name.escape_debug()),
            ));
        }
        let mut root = [RootCounters::default(), RootCounters::default()];
        for (counters, of) in root
            .iter_mut()
            .zip([["lines-covered", "lines-valid", "line-rate"], ["branches-covered", "branches-valid", "branch-rate"]])
        {
            let number = |name: &str| tag.get(name).map(|text| counter(name, &text)).transpose();
            counters.header = Header { covered: number(of[0])?, total: number(of[1])? };
            counters.rate = tag.get(of[2]).map(|rate| rate.trim().replace(',', "."));
        }
        if let Some(timestamp) = tag.get("timestamp") {
            self.output.note_timestamp(&timestamp);
        }
        self.root = root;
        self.is_istanbul = tag.get("version").is_some_and(|version| version == "0.1");
        Ok(())
    }

    fn start_class(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        if self.nodes.contains(&Node::Class) {
            return Err(Fault::malformed("a <class> inside a <class>"));
        }
        let name = tag.get("filename").ok_or_else(|| Fault::malformed("a <class> without a `filename`"))?;
        let path = match &self.sources[..] {
            [root] => join(root, &name),
            _ => name.into_owned(),
        };
        self.class = Part { path: self.output.begin_file(&path)?, ..Part::default() };
        Ok(())
    }

    fn start_line(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let number = tag.get("number").ok_or_else(|| Fault::malformed("a <line> without a `number`"))?;
        let number = line_number(&number)?;
        let hits = tag.get("hits").ok_or_else(|| Fault::malformed("a <line> without `hits`"))?;
        let line = Line { number, covered: is_hit(&hits)? };
        self.output.count_entry()?;
        self.part().lines.push(line);
        let mut shown = Coverage { line: Count { covered: line.covered.into(), total: 1 }, ..Coverage::default() };
        self.conditions = None;
        if tag.get("branch").is_some_and(|branch| branch.trim().eq_ignore_ascii_case("true")) {
            match tag.get("condition-coverage").as_deref().and_then(fraction) {
                Some((covered, total)) if covered <= total => {
                    self.add_branches(number, covered, total)?;
                    shown.branch = Count { covered: covered.into(), total: total.into() };
                }
                Some((covered, total)) => {
                    return Err(Fault::malformed(format!("a line on which {covered} of {total} branches are covered")));
                }
                None => self.conditions = Some((0, 0, true)),
            }
        }
        self.add_shown(shown);
        Ok(())
    }

    fn add_branches(&mut self, line: u32, covered: u32, total: u32) -> Result<(), Fault> {
        self.output.count_entry()?;
        self.part().branches.push(Branch::Counted { line, covered, total });
        Ok(())
    }

    /// Where the open line belongs to.
    fn part(&mut self) -> &mut Part {
        if self.nodes.contains(&Node::Methods) { &mut self.methods } else { &mut self.class }
    }

    fn add_shown(&mut self, shown: Coverage) {
        self.sums.all_lines.add(shown);
        if !self.nodes.contains(&Node::Methods) {
            self.sums.class_lines.add(shown);
        }
    }

    /// A condition of two outcomes.
    fn start_condition(&mut self, tag: &Tag<'_>) {
        let Some((covered, total, certain)) = &mut self.conditions else { return };
        let part = tag.get("coverage").and_then(|text| text.trim().trim_end_matches('%').parse::<f64>().ok());
        *total = total.saturating_add(2);
        match part {
            Some(part) if part >= 100.0 => *covered = covered.saturating_add(2),
            Some(part) if part >= 50.0 => *covered = covered.saturating_add(1),
            Some(0.0) => {}
            _ => *certain = false,
        }
    }

    fn end_line(&mut self) -> Result<(), Fault> {
        let Some((covered, total, certain)) = self.conditions.take() else { return Ok(()) };
        let Some(number) = self.part().lines.last().map(|line| line.number) else { return Ok(()) };
        if total == 0 || !certain {
            let message = format!(
                "{}: line {number} has branches, but does not say how many are covered (`condition-coverage=\"50% \
                 (1/2)\"`)",
                self.class.path
            );
            self.output.problem(ProblemKind::UnknownValue, message);
        }
        self.add_branches(number, covered, total)?;
        let branch = Count { covered: covered.into(), total: total.into() };
        self.add_shown(Coverage { branch, ..Coverage::default() });
        Ok(())
    }

    fn end_class(&mut self) {
        let (mut class, mut methods) = (std::mem::take(&mut self.class), std::mem::take(&mut self.methods));
        if class.lines.is_empty() {
            methods.path = std::mem::take(&mut class.path);
            class = std::mem::take(&mut methods);
        }
        let own = record(&class);
        let listed: Vec<u32> = own.listed().0.iter().map(|line| line.number).collect();
        let is_listed = |number: u32| listed.binary_search(&number).is_ok();
        methods.lines.retain(|line| !is_listed(line.number));
        methods.branches.retain(|branch| !matches!(branch, Branch::Counted { line, .. } if is_listed(*line)));
        self.sums.classes.add(own.coverage());
        let file = self.files.entry(class.path).or_default();
        file.lines.absorb(&own);
        file.only_in_methods.absorb(&record(&methods));
    }

    /// Compares the root's counters with the lines, and hands the files on.
    fn finish(mut self) -> Output<'a> {
        let (mut union, mut with_methods) = (Coverage::default(), Coverage::default());
        for file in self.files.values_mut() {
            file.lines.compact();
            union.add(file.lines.coverage());
            let mut both = file.lines.clone();
            both.absorb(&file.only_in_methods);
            both.compact();
            with_methods.add(both.coverage());
        }
        let without = [union, self.sums.classes, self.sums.class_lines];
        let with = [with_methods, self.sums.all_lines];
        let [line, branch] = std::mem::take(&mut self.root);
        let counts_methods =
            !line.header.agrees(&without.map(|way| way.line)) && line.header.agrees(&with.map(|way| way.line));
        let ways = if counts_methods { with.to_vec() } else { without.to_vec() };
        let lines: Vec<Count> = ways.iter().map(|way| way.line).collect();
        let mut branches: Vec<Count> = ways.iter().map(|way| way.branch).collect();
        let says = branch.header.count().filter(|_| self.is_istanbul);
        let mut unplaced = says.and_then(|says| unplaced(says, branches[0]));
        if unplaced.is_some() {
            // Istanbul counts the branches of lines on which no statement starts, but has no line to show them at.
            branches.extend(says);
        }
        compare(&mut self.output, "line", &line, &lines);
        compare(&mut self.output, "branch", &branch, &branches);
        for (path, mut file) in self.files {
            if counts_methods {
                file.lines.absorb(&file.only_in_methods);
                file.lines.compact();
            }
            let (lines, mut branches) = file.lines.listed();
            branches.extend(unplaced.take());
            self.output.flush(&mut Part { path, lines, branches, blocks: Vec::new() });
        }
        self.output
    }
}

fn record(part: &Part) -> Record {
    let mut record = Record::default();
    record.add(&FilePart { path: &part.path, lines: &part.lines, branches: &part.branches, blocks: &[] });
    record.compact();
    record
}

fn compare(output: &mut Output<'_>, what: &str, root: &RootCounters, shown: &[Count]) {
    output.compare("", what, root.header, shown);
    let Some(text) = root.rate.as_deref().filter(|_| shown[0].total > 0) else { return };
    let rate = text.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate)).map(per_million);
    let Some(rate) = rate else {
        let text = report_input::cut(text, 40).escape_debug();
        output.problem(ProblemKind::UnknownValue, format!("the {what}-rate \"{text}\" is no number from 0 to 1"));
        return;
    };
    if shown.iter().all(|shown| apart(rate, *shown, RATE_SLACK)) {
        let listed = shown[0].percent().map(|percent| percent.to_string()).unwrap_or_default();
        let says = rate.percent().map(|percent| percent.to_string()).unwrap_or_default();
        let message = format!("the {what}-rate says {says} %, but {listed} % of those listed are covered");
        output.problem(ProblemKind::CountersDisagree, message);
    }
}

fn per_million(rate: f64) -> Count {
    let covered = format!("{:.0}", rate * 1_000_000.0).parse().unwrap_or(0);
    Count { covered, total: 1_000_000 }
}

/// The numbers of `50% (1/2)`.
fn fraction(text: &str) -> Option<(u32, u32)> {
    let (covered, total) = text.split_once('(')?.1.split_once(')')?.0.split_once('/')?;
    Some((covered.trim().parse().ok()?, total.trim().parse().ok()?))
}

impl Handler for Reader<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        if self.nodes.is_empty() {
            self.start_root(tag)?;
        }
        let in_class = self.nodes.contains(&Node::Class);
        let node = match tag.name {
            "source" => {
                if !self.files.is_empty() {
                    return Err(Fault::malformed("a <source> after the classes that it is the root of"));
                }
                self.sources.push(String::new());
                Node::Source
            }
            "class" => {
                self.start_class(tag)?;
                Node::Class
            }
            "methods" if in_class => Node::Methods,
            "line" if in_class => {
                self.start_line(tag)?;
                Node::Line
            }
            "condition" if in_class => {
                self.start_condition(tag);
                Node::Other
            }
            _ => Node::Other,
        };
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.nodes.pop() {
            Some(Node::Line) => self.end_line()?,
            Some(Node::Class) => self.end_class(),
            Some(Node::Source)
                // Cobertura's own Ant task writes its option as if it were a folder.
                if self.sources.last().is_some_and(|source| matches!(source.trim(), "" | "." | "--source")) =>
            {
                self.sources.pop();
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let (Some(Node::Source), Some(source)) = (self.nodes.last(), self.sources.last_mut()) {
            let room = self.output.limits.path.saturating_sub(source.len());
            source.push_str(report_input::cut(text, room));
        }
    }
}
