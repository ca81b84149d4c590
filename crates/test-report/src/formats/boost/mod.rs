//! Boost.Test XML: the report (`--report_format=XML`) and the log (`--log_format=XML`).
//!
//! Of both, `TestSuite` elements nest around `TestCase` elements. The report states a result for each of them and
//! counters for suites; see [`report`]. The log lists what happened in each; see [`log`].

mod log;
mod report;

use super::Entry;
use super::elements::{self, Elements, wrong_root};
use super::support::{Reporter, Scratch, SuitePath};
use crate::error::ReportError;
use crate::format::Format;
use crate::input::Input;
use crate::model::{Outcome, ReportFacts, Sink};
use crate::recognise::Opening;
use crate::xml::{Fault, Tag};

pub(crate) const ENTRY: Entry = Entry { format: Format::Boost, recognise, read };

fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| matches!(root.name, "TestLog" | "TestResult"))
        && opening.tags().nth(1).is_none_or(|tag| log::is_known(tag.name))
}

fn read(input: Input<'_>, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = Boost {
        reporter: Reporter::new(input.source, input.limits, sink),
        path: SuitePath::default(),
        suites: Vec::new(),
        scratch: Scratch::default(),
        file: String::new(),
        outcome: Outcome::Passed,
    };
    let bytes = elements::read(input, &mut reader)?;
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
    scratch: Scratch,
    file: String,
    /// The outcome of the open test.
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
            (Node::Log | Node::LogSuite, "TestSuite") => Node::LogSuite,
            (Node::Log | Node::LogSuite, "TestCase") => Node::LogCase,
            (Node::LogCase, "TestingTime") => Node::TestingTime,
            (Node::LogCase, name) => log::bad(name).map_or(Node::Other, Node::Bad),
            (Node::Log | Node::LogSuite, name) if log::bad(name).is_some() => Node::Loose,
            _ => Node::Other,
        })
    }

    /// Begins a suite or test with what both kinds of documents say about it.
    fn begin(&mut self, tag: &Tag<'_>) {
        self.scratch.clear();
        self.file.clear();
        for attribute in tag.attributes() {
            match attribute.name {
                "name" => attribute.append_to(&mut self.scratch.name, self.reporter.limits.name),
                "file" => attribute.append_to(&mut self.file, self.reporter.limits.name),
                "reason" => attribute.append_to(&mut self.scratch.message, self.reporter.limits.message),
                _ => {}
            }
        }
    }

    fn enter_suite(&mut self) {
        self.reporter.suites += 1;
        self.path.enter(&self.scratch.name);
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
            Node::LogSuite => self.start_log_suite(tag),
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
            Node::LogCase => self.end_log_case()?,
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
