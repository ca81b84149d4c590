//! TestNG XML (`testng-results.xml`).
//!
//! `suite`, `test` and `class` nest around `test-method`, whose status is `PASS`, `FAIL` or `SKIP`. Configuration methods
//! (`is-config="true"`) are no tests, and not in the header's counters; one that failed is a problem, and an errored test.
//! An attempt that a retry analyser repeated (`retried="true"`) is no test either: it is a failed attempt of the test that
//! follows under the same name and with the same parameters in the same class. One that is not followed is a problem.
//! Parameters are a part of the name, without the addresses of objects in them, which differ from run to run.
//!
//! A report may be divided (`XMLReporterConfig`): its suites or tests only name other files, in which they are the root.
//! The file that names them is incomplete by itself.

use std::collections::HashMap;
use std::time::Duration;

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, ReportError, TextDigest, cut, shortened};

use super::Entry;
use super::support::{Claimed, Reporter, Scratch, SuitePath, push_text};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry {
    format: Format::TestNg,
    recognise: |opening| {
        opening.root().is_some_and(|root| match root.name {
            "testng-results" => true,
            "suite" | "test" => root.has("duration-ms") && root.has("started-at"),
            _ => false,
        })
    },
    read,
};

/// Bytes that are read of the parameters of a test; further ones count by their digest. The addresses of objects, which
/// differ from attempt to attempt, are found in them before the name is cut.
const READ_OF_PARAMETERS: usize = 64 << 10;

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
        skipped: 0,
        is_divided: false,
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
    /// `params` and `param`.
    Params,
    /// The value of a parameter.
    Value,
    Other,
}

#[derive(Debug, Default)]
struct Method {
    scratch: Scratch,
    /// The values of its parameters, each after a comma.
    parameters: String,
    /// What did not fit into the parameters.
    more_parameters: Option<TextDigest>,
    /// Where the value that is being read begins.
    value_start: usize,
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
    skipped: u64,
    /// A part of the report is in another file.
    is_divided: bool,
}

impl TestNg<'_> {
    fn node(&self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = self.nodes.last() else {
            return match tag.name {
                "testng-results" => Ok(Node::Root),
                "suite" | "test" => Ok(Node::Suite),
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
            (Node::Method, "params") | (Node::Params, "param") => Node::Params,
            (Node::Params, "value") => Node::Value,
            _ => Node::Other,
        })
    }

    fn start_method(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let method = &mut self.method;
        method.scratch.clear();
        method.parameters.clear();
        method.more_parameters = None;
        (method.outcome, method.is_config, method.is_retried) = (None, false, false);
        let mut status = None;
        for attribute in tag.attributes() {
            match attribute.name {
                "name" => attribute.append_name_to(&mut method.scratch.name, self.reporter.limits.name),
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
        self.method.name_parameters(self.reporter.limits.name);
        let case = self.method.scratch.as_case(outcome, self.path.as_str(), self.class_number);
        if self.method.is_config {
            if outcome == Outcome::Failed {
                let message = format!("the configuration method {} failed: {}", case.id(), case.message);
                let case = TestCase { outcome: Outcome::Errored, ..case };
                self.reporter.configuration_failed(&case, message);
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

    /// Looks at the header, unless it counts the tests of other files as well.
    fn end_root(&mut self) {
        if self.is_divided {
            return;
        }
        if self.reporter.cases == 0 && self.claimed.total > 0 {
            self.reporter.header_only("", self.claimed, self.skipped);
        } else {
            self.reporter.compare("<testng-results>", self.claimed, Claimed::default());
        }
    }

    fn start_suite(&mut self, tag: &Tag<'_>) {
        self.reporter.suites += 1;
        let limit = self.reporter.limits.name;
        self.path.enter(&shortened(&tag.get("name").unwrap_or_default(), limit));
        if let Some(start) = tag.get("started-at") {
            self.reporter.timestamp(&start);
        }
        if let Some(file) = tag.get("url")
            && !std::mem::replace(&mut self.is_divided, true)
        {
            let file = cut(&file, limit).escape_debug();
            let message = format!(
                "the report is divided: a <{}> is in the file \"{file}\"; read the files of the parts in place of this one",
                tag.name
            );
            self.reporter.problem(ProblemKind::Incomplete, message);
        }
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

impl Method {
    fn start_value(&mut self, tag: &Tag<'_>) {
        self.add_parameters(", ");
        self.value_start = self.parameters.len();
        if tag.get("is-null").is_some_and(|value| value == "true") {
            self.add_parameters("null");
        }
    }

    /// TestNG writes values on lines of their own.
    fn add_to_value(&mut self, text: &str) {
        self.add_parameters(if self.parameters.len() == self.value_start { text.trim_start() } else { text });
    }

    fn add_parameters(&mut self, text: &str) {
        let kept = cut(text, READ_OF_PARAMETERS.saturating_sub(self.parameters.len()));
        self.parameters.push_str(kept);
        if kept.len() < text.len() {
            self.more_parameters.get_or_insert_default().add(&text[kept.len()..]);
        }
    }

    fn end_value(&mut self) {
        let length = self.parameters[self.value_start..].trim_end().len();
        self.parameters.truncate(self.value_start + length);
    }

    /// Appends the parameters to the name.
    fn name_parameters(&mut self, limit: usize) {
        let Some(parameters) = self.parameters.strip_prefix(", ") else { return };
        let more = self.more_parameters.map(|digest| digest.to_string()).unwrap_or_default();
        let name = format!("{}({}{more})", self.scratch.name, without_addresses(parameters));
        self.scratch.name.clear();
        self.scratch.name.push_str(&shortened(&name, limit));
    }
}

/// The text without what Java writes behind the class of an object that has no text of its own: `shop.Basket@1b6d3586`.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split('@');
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(part.len());
        let is_address =
            (5..=8).contains(&end) && found.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ';' | '$'));
        let is_address = is_address && !part[end..].starts_with(|c: char| c.is_alphanumeric() || c == '.');
        if !is_address {
            found.push('@');
        }
        found.push_str(if is_address { &part[end..] } else { part });
    }
    found
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
                self.skipped = count("skipped");
            }
            Node::Suite => self.start_suite(tag),
            Node::Class => {
                self.reporter.suites += 1;
                self.class_number += 1;
                self.class_name.push_str(&shortened(&tag.get("name").unwrap_or_default(), self.reporter.limits.name));
            }
            Node::Method => self.start_method(tag)?,
            Node::Exception => {
                let class = tag.get("class").unwrap_or_default();
                push_text(&mut self.method.scratch.message, &class, self.reporter.limits.name);
                if !class.is_empty() {
                    self.method.scratch.message.push_str(": ");
                }
            }
            Node::Value => self.method.start_value(tag),
            Node::Params | Node::Message | Node::Other => {}
        }
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.nodes.pop() {
            Some(Node::Method) => self.end_method()?,
            Some(Node::Value) => self.method.end_value(),
            Some(Node::Class) => self.end_class(),
            Some(Node::Suite) => self.path.leave(),
            Some(Node::Root) => self.end_root(),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.nodes.last() == Some(&Node::Value) {
            self.method.add_to_value(text);
        } else if self.wants_text() {
            let text = if self.method.scratch.message.ends_with(": ") { text.trim_start() } else { text };
            push_text(&mut self.method.scratch.message, text, self.reporter.limits.message);
        }
    }

    fn wants_text(&self) -> bool {
        matches!(self.nodes.last(), Some(Node::Message | Node::Value))
    }
}
