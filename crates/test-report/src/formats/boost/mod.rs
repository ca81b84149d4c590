//! Boost.Test XML: the report (`--report_format=XML`) and the log (`--log_format=XML`).
//!
//! Of both, `TestSuite` elements nest around `TestCase` elements. The report states a result for each of them and
//! counters for suites; see [`report`]. The log lists what happened in each; see [`log`].

mod log;
mod report;

use report_input::xml::{Fault, Tag};
use report_input::{Input, Opening, ReportError, shortened};

use super::Entry;
use super::elements::{self, Elements, wrong_root};
use super::support::{Reporter, Scratch, SuitePath};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::Boost, recognise, read };

fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| matches!(root.name, "TestLog" | "TestResult"))
        && opening.tags().nth(1).is_none_or(|tag| log::is_known(tag.name))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = Boost {
        reporter: Reporter::new(input.source(), limits, sink),
        path: SuitePath::default(),
        suites: Vec::new(),
        cases: Vec::new(),
    };
    let bytes = elements::read(input, limits, &mut reader)?;
    Ok(reader.reporter.finish(Format::Boost, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Report,
    ReportSuite,
    ReportCase,
    Log,
    LogSuite,
    LogCase,
    /// An entry of the log that says that something was wrong in a test.
    Bad(Outcome),
    /// The same outside of tests.
    Loose,
    TestingTime,
    Other,
}

struct Boost<'a> {
    reporter: Reporter<'a>,
    path: SuitePath,
    /// The open suites of a report.
    suites: Vec<report::Suite>,
    /// The open tests: a test that runs a framework of its own logs suites and tests inside itself.
    cases: Vec<Case>,
}

/// A test that is being read.
#[derive(Debug)]
struct Case {
    scratch: Scratch,
    file: String,
    outcome: Outcome,
}

impl Boost<'_> {
    fn node(parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = parent else {
            return match tag.name {
                "TestResult" => Ok(Node::Report),
                "TestLog" => Ok(Node::Log),
                _ => Err(wrong_root(tag, "Boost.Test", "<TestResult> or <TestLog>")),
            };
        };
        Ok(match (parent, tag.name) {
            (Node::Report | Node::ReportSuite, "TestSuite") => Node::ReportSuite,
            (Node::Report | Node::ReportSuite, "TestCase") => Node::ReportCase,
            (Node::Log | Node::LogSuite | Node::LogCase, "TestSuite") => Node::LogSuite,
            (Node::Log | Node::LogSuite | Node::LogCase, "TestCase") => Node::LogCase,
            (Node::LogCase, "TestingTime") => Node::TestingTime,
            (Node::LogCase, name) => log::bad(name).map_or(Node::Other, Node::Bad),
            (Node::Log | Node::LogSuite, name) if log::bad(name).is_some() => Node::Loose,
            _ => Node::Other,
        })
    }

    fn enter_suite(&mut self, tag: &Tag<'_>) {
        self.reporter.suites += 1;
        self.path.enter(&shortened(&tag.get("name").unwrap_or_default(), self.reporter.limits.name));
    }

    /// Begins a test with what both kinds of documents say about it.
    fn begin_case(&mut self, tag: &Tag<'_>, outcome: Outcome) -> &mut Case {
        let limits = self.reporter.limits;
        let mut case = Case { scratch: Scratch::default(), file: String::new(), outcome };
        for attribute in tag.attributes() {
            match attribute.name {
                "name" => attribute.append_name_to(&mut case.scratch.name, limits.name),
                "file" => attribute.append_to(&mut case.file, limits.name),
                "reason" => attribute.append_to(&mut case.scratch.message, limits.message),
                _ => {}
            }
        }
        let at = self.cases.len();
        self.cases.push(case);
        &mut self.cases[at]
    }

    fn end_case(&mut self, suite_number: u64) -> Result<(), Fault> {
        let Some(Case { scratch, file, outcome }) = self.cases.pop() else { return Ok(()) };
        let case = scratch.as_case(outcome, self.path.as_str(), suite_number);
        self.reporter.case(&TestCase { file: &file, ..case })
    }

    /// Where something outside of tests went wrong.
    fn place(&self) -> String {
        if self.path.as_str().is_empty() { String::new() } else { format!("suite {}: ", self.path.as_str()) }
    }
}

impl Elements for Boost<'_> {
    type Node = Node;

    fn start(&mut self, parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let node = Self::node(parent, tag)?;
        match node {
            Node::ReportSuite => self.start_report_suite(tag),
            Node::ReportCase => self.start_report_case(tag),
            Node::LogSuite => self.enter_suite(tag),
            Node::LogCase => self.start_log_case(tag),
            _ => {}
        }
        Ok(node)
    }

    fn end(&mut self, node: Node, text: &str) -> Result<(), Fault> {
        match node {
            Node::ReportSuite => self.end_report_suite(),
            Node::ReportCase => self.end_report_case()?,
            Node::LogSuite => self.path.leave(),
            Node::LogCase => self.end_case(self.reporter.suites)?,
            Node::Bad(outcome) => self.end_bad(outcome, text),
            Node::Loose => self.end_loose(text),
            Node::TestingTime => self.testing_time(text),
            Node::Report | Node::Log | Node::Other => {}
        }
        Ok(())
    }

    fn keeps_text(node: Node) -> bool {
        matches!(node, Node::Bad(_) | Node::Loose | Node::TestingTime)
    }
}
