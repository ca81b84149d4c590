//! TestNG XML (`testng-results.xml`).
//!
//! `suite`, `test` and `class` nest around `test-method`, whose status is `PASS`, `FAIL` or `SKIP`. Configuration methods
//! (`is-config="true"`) are no tests, and not in the header's counters; one that failed is a problem. An attempt that a
//! retry analyser repeated (`retried="true"`) is no test either: it is a failed attempt of the test that follows under
//! the same name in the same class. One that is not followed is a problem.

use std::collections::HashMap;
use std::time::Duration;

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, ReportError, cut};

use super::Entry;
use super::support::{Claimed, Reporter, Scratch, SuitePath, push_text};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry {
    format: Format::TestNg,
    recognise: |opening| opening.root().is_some_and(|root| root.name == "testng-results"),
    read,
};

/// Attempts in one class that may wait for their test.
const MOST_ATTEMPTS: usize = 10_000;

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let reporter = Reporter::new(input.source(), limits, sink);
    let mut reader = TestNg {
        reporter,
        nodes: Vec::new(),
        path: SuitePath::default(),
        class_name: String::new(),
        class_number: 0,
        method: Method::default(),
        attempts: HashMap::new(),
        claimed: Claimed::default(),
    };
    let bytes = xml::read(input, &mut reader)?;
    Ok(reader.reporter.finish(Format::TestNg, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Root,
    /// `suite` and `test`.
    Suite,
    Class,
    Method,
    Exception,
    Message,
    Other,
}

#[derive(Debug, Default)]
struct Method {
    scratch: Scratch,
    outcome: Option<Outcome>,
    is_config: bool,
    is_retried: bool,
}

struct TestNg<'a> {
    reporter: Reporter<'a>,
    nodes: Vec<Node>,
    path: SuitePath,
    class_name: String,
    class_number: u64,
    method: Method,
    /// Attempts in this class whose test has not come yet, by name.
    attempts: HashMap<String, u32>,
    claimed: Claimed,
}

impl TestNg<'_> {
    fn node(&self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = self.nodes.last() else {
            return match tag.name {
                "testng-results" => Ok(Node::Root),
                name => {
                    let detail = format!("the root element <{name}> is not the one of TestNG, <testng-results>");
                    Err(Fault::new(ErrorKind::Unrecognised, detail))
                }
            };
        };
        Ok(match (parent, tag.name) {
            (Node::Root, "suite") | (Node::Suite, "test") => Node::Suite,
            (Node::Root | Node::Suite, "class") => Node::Class,
            (Node::Root | Node::Suite | Node::Class, "test-method") => Node::Method,
            (Node::Method, "exception") => Node::Exception,
            (Node::Exception, "message") => Node::Message,
            _ => Node::Other,
        })
    }

    fn start_method(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let method = &mut self.method;
        method.scratch.clear();
        (method.outcome, method.is_config, method.is_retried) = (None, false, false);
        let mut status = None;
        for attribute in tag.attributes() {
            match attribute.name {
                "name" => attribute.append_to(&mut method.scratch.name, self.reporter.limits.name),
                "started-at" => attribute.append_to(&mut method.scratch.timestamp, 64),
                "duration-ms" => {
                    method.scratch.duration = attribute.value().trim().parse().ok().map(Duration::from_millis)
                }
                "status" => status = Some(attribute.value()),
                "is-config" => method.is_config = attribute.value() == "true",
                "retried" => method.is_retried = attribute.value() == "true",
                _ => {}
            }
        }
        method.scratch.class_name.push_str(&self.class_name);
        method.outcome = Some(match status.as_deref() {
            Some("PASS") => Outcome::Passed,
            // Failures within the success percentage that the test itself asks for.
            Some("SUCCESS_PERCENTAGE_FAILURE") => Outcome::Passed,
            Some("FAIL") => Outcome::Failed,
            Some("SKIP") => Outcome::Skipped,
            other => {
                let other: String = other.unwrap_or_default().chars().take(40).collect();
                let detail = format!("a <test-method> with the unknown status \"{}\"", other.escape_debug());
                return Err(Fault::malformed(detail));
            }
        });
        Ok(())
    }

    fn end_method(&mut self) -> Result<(), Fault> {
        let outcome = self.method.outcome.unwrap_or(Outcome::Errored);
        let case = self.method.scratch.as_case(outcome, self.path.as_str(), self.class_number);
        if self.method.is_config {
            if outcome == Outcome::Failed {
                let message = format!("the configuration method {} failed: {}", case.id(), case.message);
                self.reporter.problem(ProblemKind::SuiteFailed, message);
            }
            return Ok(());
        }
        if self.method.is_retried && outcome != Outcome::Passed {
            if self.attempts.len() >= MOST_ATTEMPTS {
                let detail = format!("more than {MOST_ATTEMPTS} tests of one class were repeated");
                return Err(Fault::new(ErrorKind::Limit, detail));
            }
            *self.attempts.entry(case.name.to_owned()).or_default() += 1;
            return Ok(());
        }
        let failed_attempts = self.attempts.remove(case.name).unwrap_or(0);
        self.reporter.case(&TestCase { failed_attempts, ..case })
    }

    fn end_class(&mut self) {
        let mut lost: Vec<String> = self.attempts.drain().map(|(name, _)| name).collect();
        lost.sort();
        for name in lost {
            let message = format!("{}::{name} was repeated, but the last attempt is not listed", self.class_name);
            self.reporter.problem(ProblemKind::Incomplete, message);
        }
        self.class_name.clear();
    }
}

impl Handler for TestNg<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.node(tag)?;
        match node {
            Node::Root => {
                let count = |name: &str| tag.get(name).and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
                // `total` includes repeated attempts, and ignored tests that are not listed.
                let others = count("ignored").saturating_add(count("retried"));
                self.claimed = Claimed { total: count("total").saturating_sub(others), bad: count("failed") };
            }
            Node::Suite => {
                self.reporter.suites += 1;
                self.path.enter(cut(&tag.get("name").unwrap_or_default(), self.reporter.limits.name));
                if let Some(start) = tag.get("started-at") {
                    self.reporter.timestamp(&start);
                }
            }
            Node::Class => {
                self.reporter.suites += 1;
                self.class_number += 1;
                self.class_name.push_str(cut(&tag.get("name").unwrap_or_default(), self.reporter.limits.name));
            }
            Node::Method => self.start_method(tag)?,
            Node::Exception => {
                let class = tag.get("class").unwrap_or_default();
                push_text(&mut self.method.scratch.message, &class, self.reporter.limits.name);
                if !class.is_empty() {
                    self.method.scratch.message.push_str(": ");
                }
            }
            Node::Message | Node::Other => {}
        }
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.nodes.pop() {
            Some(Node::Method) => self.end_method()?,
            Some(Node::Class) => self.end_class(),
            Some(Node::Suite) => self.path.leave(),
            Some(Node::Root) => self.reporter.compare("<testng-results>", self.claimed, Claimed::default()),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.wants_text() {
            let text = if self.method.scratch.message.ends_with(": ") { text.trim_start() } else { text };
            push_text(&mut self.method.scratch.message, text, self.reporter.limits.message);
        }
    }

    fn wants_text(&self) -> bool {
        self.nodes.last() == Some(&Node::Message)
    }
}
