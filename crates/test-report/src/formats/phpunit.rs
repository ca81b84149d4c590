//! TestDox XML of PHPUnit (`--testdox-xml`, PHPUnit 5.4 to 9): `tests` with one `test` for each test.
//!
//! `status` is a number, or a word in the last versions that knew the format. Incomplete tests are skipped. Risky tests
//! are errored and warnings failed, which is what PHPUnit's ordinary log and its exit code make of them.

use report_input::xml::{Fault, Tag};
use report_input::{Input, Opening, ReportError};

use super::Entry;
use super::elements::{self, Elements, wrong_root};
use super::support::{Reporter, Scratch};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ReportFacts, Sink};
use crate::time::seconds;

pub(crate) const ENTRY: Entry = Entry { format: Format::PhpUnit, recognise, read };

fn recognise(opening: &Opening) -> bool {
    let mut tags = opening.tags();
    tags.next().is_some_and(|root| root.name == "tests")
        && tags.next().is_none_or(|test| {
            test.name == "test" && ["prettifiedMethodName", "prettifiedMethod"].iter().any(|name| test.has(name))
        })
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = TestDox { reporter: Reporter::new(input.source(), limits, sink), scratch: Scratch::default() };
    let bytes = elements::read(input, limits, &mut reader)?;
    Ok(reader.reporter.finish(Format::PhpUnit, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Tests,
    Test(Outcome),
    Other,
}

struct TestDox<'a> {
    reporter: Reporter<'a>,
    scratch: Scratch,
}

/// The outcome of a status; the numbers are those of PHPUnit's `BaseTestRunner`.
fn outcome(status: &str) -> Option<Outcome> {
    match status.trim() {
        "0" | "success" | "passed" => Some(Outcome::Passed),
        "1" | "skipped" | "2" | "incomplete" => Some(Outcome::Skipped),
        "3" | "failure" => Some(Outcome::Failed),
        "4" | "error" | "5" | "risky" => Some(Outcome::Errored),
        "6" | "warning" => Some(Outcome::Failed),
        // What PHPUnit 10 only remarks on.
        "notice" | "deprecation" => Some(Outcome::Passed),
        _ => None,
    }
}

impl TestDox<'_> {
    fn start_test(&mut self, tag: &Tag<'_>) -> Outcome {
        let limits = self.reporter.limits;
        self.scratch.clear();
        let (mut status, mut has_exception) = (None, false);
        for attribute in tag.attributes() {
            match attribute.name {
                "methodName" | "method" => attribute.append_name_to(&mut self.scratch.name, limits.name),
                "className" | "class" => attribute.append_name_to(&mut self.scratch.class_name, limits.name),
                "exceptionMessage" => {
                    has_exception = true;
                    attribute.append_to(&mut self.scratch.message, limits.message);
                }
                "status" => status = Some(attribute.value()),
                "time" => self.scratch.duration = seconds(&attribute.value()),
                _ => {}
            }
        }
        let status = status.unwrap_or_default();
        match outcome(&status) {
            // An exception is only written for tests that failed or errored.
            Some(Outcome::Passed) if has_exception => Outcome::Failed,
            Some(outcome) => outcome,
            None => {
                self.reporter.unknown_value(&self.scratch.name, "status", &status);
                Outcome::Errored
            }
        }
    }
}

impl Elements for TestDox<'_> {
    type Node = Node;

    fn start(&mut self, parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        Ok(match (parent, tag.name) {
            (None, "tests") => Node::Tests,
            (None, _) => return Err(wrong_root(tag, "PHPUnit's TestDox", "<tests>")),
            (Some(Node::Tests), "test") => Node::Test(self.start_test(tag)),
            _ => Node::Other,
        })
    }

    fn end(&mut self, node: Node, _text: &str) -> Result<(), Fault> {
        match node {
            Node::Test(outcome) => self.reporter.case(&self.scratch.as_case(outcome, "", 0)),
            Node::Tests | Node::Other => Ok(()),
        }
    }

    fn keeps_text(_node: Node) -> bool {
        false
    }
}
