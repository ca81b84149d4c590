//! Qt Test XML (`-o FILE,xml`): `TestCase` holds `TestFunction`, which holds `Incident` and `Message`.
//!
//! What counts is what Qt's own totals count: each data row of each function, `initTestCase` and `cleanupTestCase`
//! included.
//!
//! | incident | outcome of the row |
//! |---|---|
//! | `pass`, `bpass` | passed |
//! | `fail`, `xpass` | failed; so is a row with a message of type `qfatal`, but errored |
//! | `skip` (Qt 6), or a message of type `skip` (Qt 4 and 5) | skipped |
//! | `bfail`, `bxpass` | skipped: it failed, but is on the blacklist, so that its result is ignored |
//! | `xfail`, `bxfail` | none of its own: the row goes on, and ends with another incident or passes |
//!
//! A function without any result is errored. A row ends with its incident; failures that follow each other under one
//! data tag are one row.

use std::time::Duration;

use report_input::xml::{Fault, Tag};
use report_input::{Input, Opening, ReportError, cut, shortened};

use super::Entry;
use super::elements::{self, Elements, wrong_root};
use super::support::{Reporter, Scratch};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::QtTest, recognise, read };

fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| root.name == "TestCase")
        && opening.tags().nth(1).is_none_or(|tag| matches!(tag.name, "Environment" | "TestFunction" | "Duration"))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = QtTest {
        reporter: Reporter::new(input.source(), limits, sink),
        suite: String::new(),
        function: Function::default(),
        row: None,
        entry: Row::default(),
        scratch: Scratch::default(),
    };
    let bytes = elements::read(input, limits, &mut reader)?;
    Ok(reader.reporter.finish(Format::QtTest, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    TestCase,
    Function,
    /// An incident, or a message that has a say in the outcome.
    Entry,
    DataTag,
    Description,
    Duration,
    Other,
}

/// A function that is being read.
#[derive(Debug, Default)]
struct Function {
    name: String,
    rows: u64,
    duration: Option<Duration>,
}

/// A data row, or what one entry says about it.
#[derive(Debug, Default)]
struct Row {
    tag: String,
    message: String,
    file: String,
    verdict: Verdict,
}

/// What an entry says about its row; a later variant prevails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// The row goes on.
    #[default]
    Open,
    Passed,
    Skipped,
    Failed,
    Errored,
}

impl Verdict {
    fn outcome(self) -> Outcome {
        match self {
            // The last thing about the row is a failure that was expected.
            Verdict::Open | Verdict::Passed => Outcome::Passed,
            Verdict::Skipped => Outcome::Skipped,
            Verdict::Failed => Outcome::Failed,
            Verdict::Errored => Outcome::Errored,
        }
    }
}

struct QtTest<'a> {
    reporter: Reporter<'a>,
    suite: String,
    function: Function,
    /// The row to which more entries may belong.
    row: Option<Row>,
    entry: Row,
    scratch: Scratch,
}

impl QtTest<'_> {
    fn node(parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = parent else {
            return if tag.name == "TestCase" {
                Ok(Node::TestCase)
            } else {
                Err(wrong_root(tag, "Qt Test", "<TestCase>"))
            };
        };
        Ok(match (parent, tag.name) {
            (Node::TestCase, "TestFunction") => Node::Function,
            (Node::Function, "Incident") => Node::Entry,
            (Node::Function, "Message") => match tag.get("type").as_deref() {
                Some("skip" | "qfatal") => Node::Entry,
                _ => Node::Other,
            },
            (Node::Function, "Duration") => Node::Duration,
            (Node::Entry, "DataTag") => Node::DataTag,
            (Node::Entry, "Description") => Node::Description,
            _ => Node::Other,
        })
    }

    fn start_entry(&mut self, tag: &Tag<'_>) {
        let kind = tag.get("type").unwrap_or_default();
        let verdict = match &*kind {
            "pass" | "bpass" => Verdict::Passed,
            "skip" | "bfail" | "bxpass" => Verdict::Skipped,
            "fail" | "xpass" => Verdict::Failed,
            "qfatal" => Verdict::Errored,
            "xfail" | "bxfail" => Verdict::Open,
            unknown => {
                self.reporter.unknown_value(&self.function.name, "type of incident", unknown);
                Verdict::Errored
            }
        };
        let file = tag.get("file").unwrap_or_default();
        let file = cut(&file, self.reporter.limits.name).to_owned();
        self.entry = Row { file, verdict, ..Row::default() };
    }

    fn end_entry(&mut self) -> Result<(), Fault> {
        let entry = std::mem::take(&mut self.entry);
        // After an incident that passed, the same tag is that of another row.
        let same_row = |row: &Row| row.tag == entry.tag && row.verdict != Verdict::Passed;
        if !self.row.as_ref().is_some_and(same_row) {
            self.end_row()?;
        }
        match &mut self.row {
            Some(row) if entry.verdict == Verdict::Passed && row.verdict != Verdict::Open => {
                // It passed, although it failed or was skipped before: it ran again.
                self.end_row()?;
                self.row = Some(entry);
            }
            Some(row) if entry.verdict > row.verdict => *row = entry,
            Some(_) => {}
            None => self.row = Some(entry),
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), Fault> {
        let Some(row) = self.row.take() else { return Ok(()) };
        self.function.rows += 1;
        let outcome = row.verdict.outcome();
        self.case(&row, outcome)
    }

    fn case(&mut self, row: &Row, outcome: Outcome) -> Result<(), Fault> {
        self.scratch.clear();
        self.scratch.name.push_str(&self.function.name);
        if !row.tag.is_empty() {
            self.scratch.name.push_str(&format!("({})", row.tag));
        }
        self.scratch.class_name.push_str(&self.suite);
        if outcome != Outcome::Passed {
            self.scratch.message.push_str(&row.message);
        }
        // Only the whole function is timed; its last row comes after its duration.
        self.scratch.duration = self.function.duration.take();
        let case = self.scratch.as_case(outcome, &self.suite, self.reporter.suites);
        self.reporter.case(&TestCase { file: &row.file, ..case })
    }

    fn end_function(&mut self) -> Result<(), Fault> {
        self.end_row()?;
        if self.function.rows == 0 {
            let row = Row { message: "the function has no result".to_owned(), ..Row::default() };
            self.case(&row, Outcome::Errored)?;
        }
        Ok(())
    }
}

impl Elements for QtTest<'_> {
    type Node = Node;

    fn start(&mut self, parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let node = Self::node(parent, tag)?;
        let name = |limit| shortened(&tag.get("name").unwrap_or_default(), limit).into_owned();
        match node {
            Node::TestCase => self.suite = name(self.reporter.limits.name),
            Node::Function => {
                self.reporter.suites += 1;
                self.function = Function { name: name(self.reporter.limits.name), ..Function::default() };
            }
            Node::Entry => self.start_entry(tag),
            Node::Duration => {
                let milliseconds = tag.get("msecs").and_then(|msecs| msecs.trim().parse::<f64>().ok());
                self.function.duration =
                    milliseconds.and_then(|milliseconds| Duration::try_from_secs_f64(milliseconds / 1000.0).ok());
            }
            _ => {}
        }
        Ok(node)
    }

    fn end(&mut self, node: Node, text: &str) -> Result<(), Fault> {
        let limits = self.reporter.limits;
        match node {
            Node::DataTag => self.entry.tag.push_str(&shortened(text, limits.name)),
            Node::Description => self.entry.message.push_str(cut(text, limits.message)),
            Node::Entry => self.end_entry()?,
            Node::Function => self.end_function()?,
            _ => {}
        }
        Ok(())
    }

    fn keeps_text(node: Node) -> bool {
        matches!(node, Node::DataTag | Node::Description)
    }
}
