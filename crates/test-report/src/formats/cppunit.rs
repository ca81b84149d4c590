//! CppUnit XML, as `XmlOutputter` writes it: `TestRun` with `FailedTests`, `SuccessfulTests` and `Statistics`.
//!
//! `FailureType` says `Assertion` for a failed test and `Error` for an errored one. A test that is known to fail
//! (`KnownFailedTest`, written by a branch of CppUnit) counts as skipped. `FailuresTotal` counts failures, of which a test
//! may have several, and so proves no more than that there are failed tests; `Tests` must not be more than are listed.

use report_input::xml::{Fault, Tag};
use report_input::{Input, Opening, ReportError, cut, shortened};

use super::Entry;
use super::elements::{self, Elements, wrong_root};
use super::support::{Claimed, Reporter, Scratch};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::CppUnit, recognise, read };

/// `TestRun` is the root of a TRX report as well.
fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| root.name == "TestRun")
        && opening.tags().skip(1).any(|tag| matches!(tag.name, "FailedTests" | "SuccessfulTests"))
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = CppUnit {
        reporter: Reporter::new(input.source(), limits, sink),
        scratch: Scratch::default(),
        file: String::new(),
        failure_type: String::new(),
        claimed: Claimed::default(),
    };
    let bytes = elements::read(input, limits, &mut reader)?;
    Ok(reader.reporter.finish(Format::CppUnit, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Run,
    Tests,
    Test(Kind),
    Name,
    FailureType,
    Message,
    Location,
    File,
    Statistics,
    TestCount,
    FailureCount,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failed,
    KnownToFail,
    Successful,
}

struct CppUnit<'a> {
    reporter: Reporter<'a>,
    scratch: Scratch,
    file: String,
    failure_type: String,
    claimed: Claimed,
}

impl CppUnit<'_> {
    fn end_test(&mut self, kind: Kind) -> Result<(), Fault> {
        let outcome = match (kind, self.failure_type.as_str()) {
            (Kind::Failed, "Assertion") | (Kind::Successful, "Assertion") => Outcome::Failed,
            (Kind::Failed, "Error") | (Kind::Successful, "Error") => Outcome::Errored,
            (Kind::Successful, "") => Outcome::Passed,
            (Kind::KnownToFail, _) => Outcome::Skipped,
            (Kind::Failed | Kind::Successful, unknown) => {
                self.reporter.unknown_value(&self.scratch.name, "failure type", unknown);
                Outcome::Errored
            }
        };
        let case = self.scratch.as_case(outcome, "", 0);
        self.reporter.case(&TestCase { file: &self.file, ..case })
    }

    fn node(parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = parent else {
            return if tag.name == "TestRun" { Ok(Node::Run) } else { Err(wrong_root(tag, "CppUnit", "<TestRun>")) };
        };
        Ok(match (parent, tag.name) {
            (Node::Run, "FailedTests" | "SuccessfulTests" | "KnownFailedTests") => Node::Tests,
            (Node::Run, "Statistics") => Node::Statistics,
            (Node::Tests, "FailedTest") => Node::Test(Kind::Failed),
            (Node::Tests, "KnownFailedTest") => Node::Test(Kind::KnownToFail),
            (Node::Tests, "Test") => Node::Test(Kind::Successful),
            (Node::Test(_), "Name") => Node::Name,
            (Node::Test(_), "FailureType") => Node::FailureType,
            (Node::Test(_), "Message") => Node::Message,
            (Node::Test(_), "Location") => Node::Location,
            (Node::Location, "File") => Node::File,
            (Node::Statistics, "Tests") => Node::TestCount,
            (Node::Statistics, "FailuresTotal" | "Errors" | "Failures") => Node::FailureCount,
            _ => Node::Other,
        })
    }
}

impl Elements for CppUnit<'_> {
    type Node = Node;

    fn start(&mut self, parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let node = Self::node(parent, tag)?;
        match node {
            Node::Tests => self.reporter.suites = 1,
            Node::Test(_) => {
                self.scratch.clear();
                self.file.clear();
                self.failure_type.clear();
            }
            _ => {}
        }
        Ok(node)
    }

    fn end(&mut self, node: Node, text: &str) -> Result<(), Fault> {
        let limits = self.reporter.limits;
        match node {
            Node::Name => {
                let name = &*shortened(text, limits.name);
                // The class stands before the last `::`, as in C++.
                let (class_name, name) = name.rsplit_once("::").unwrap_or(("", name));
                self.scratch.class_name.push_str(class_name);
                self.scratch.name.push_str(name);
            }
            Node::FailureType => self.failure_type.push_str(cut(text, 64)),
            Node::Message => self.scratch.message.push_str(cut(text, limits.message)),
            Node::File => self.file.push_str(cut(text, limits.name)),
            Node::TestCount => self.claimed.total = text.parse().unwrap_or(0),
            Node::FailureCount => {
                let any = text.parse::<u64>().is_ok_and(|count| count > 0);
                self.claimed.bad = self.claimed.bad.max(u64::from(any));
            }
            Node::Test(kind) => self.end_test(kind)?,
            Node::Run => self.reporter.compare("<Statistics>", self.claimed, Claimed::default()),
            _ => {}
        }
        Ok(())
    }

    fn keeps_text(node: Node) -> bool {
        matches!(
            node,
            Node::Name | Node::FailureType | Node::Message | Node::File | Node::TestCount | Node::FailureCount
        )
    }
}
