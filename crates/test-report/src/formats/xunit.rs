//! xUnit.net XML, versions 1 to 3, as Fixie and others write it too.
//!
//! `assemblies` holds `assembly`, which holds `class` (version 1) or `collection` (versions 2 and 3) with `test` in
//! them. What failed outside of tests stands in `errors` of an assembly, or as `failure` in a class; each is a problem and
//! an errored test. An assembly that counts tests and lists none is believed as far as it goes: its tests are counted.

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, ReportError, cut, shortened};

use super::Entry;
use super::support::{Claimed, Reporter, Scratch, SuitePath, push_text};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ReportFacts, Sink};
use crate::time::seconds;

pub(crate) const ENTRY: Entry = Entry {
    format: Format::XUnit,
    recognise: |opening| opening.root().is_some_and(|root| matches!(root.name, "assemblies" | "assembly")),
    read,
};

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let reporter = Reporter::new(input.source(), limits, sink);
    let mut reader = XUnit {
        reporter,
        nodes: Vec::new(),
        path: SuitePath::default(),
        suite_number: 0,
        assembly: Assembly::default(),
        case: Scratch::default(),
        outcome: Outcome::Errored,
        loose_message: String::new(),
    };
    let bytes = xml::read(input, &mut reader)?;
    Ok(reader.reporter.finish(Format::XUnit, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Root,
    Assembly,
    Errors,
    /// `collection` or `class`.
    Group,
    Test,
    /// `failure` or `reason` of a test.
    Why,
    /// `error` of an assembly, or `failure` of a class.
    Loose,
    Message,
    Other,
}

#[derive(Debug, Default)]
struct Assembly {
    claimed: Claimed,
    before: Claimed,
    skipped: u64,
    claimed_errors: u64,
    errors: u64,
}

struct XUnit<'a> {
    reporter: Reporter<'a>,
    nodes: Vec<Node>,
    path: SuitePath,
    suite_number: u64,
    assembly: Assembly,
    case: Scratch,
    outcome: Outcome,
    loose_message: String,
}

impl XUnit<'_> {
    fn node(&self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = self.nodes.last() else {
            return match tag.name {
                "assemblies" => Ok(Node::Root),
                "assembly" => Ok(Node::Assembly),
                name => {
                    let detail =
                        format!("the root element <{name}> is not one of xUnit.net's, <assemblies> or <assembly>");
                    Err(Fault::new(ErrorKind::Unrecognised, detail))
                }
            };
        };
        Ok(match (parent, tag.name) {
            (Node::Root, "assembly") => Node::Assembly,
            (Node::Assembly, "collection" | "class") => Node::Group,
            (Node::Group | Node::Assembly, "test") => Node::Test,
            (Node::Test, "failure" | "reason") => Node::Why,
            (Node::Assembly, "errors") => Node::Errors,
            (Node::Errors, "error") | (Node::Group, "failure") => Node::Loose,
            (Node::Loose, "failure") | (Node::Why | Node::Loose | Node::Message, "message") => Node::Message,
            _ => Node::Other,
        })
    }

    fn start_assembly(&mut self, tag: &Tag<'_>) {
        self.reporter.suites += 1;
        self.path.enter(&shortened(&tag.get("name").unwrap_or_default(), self.reporter.limits.name));
        let count = |name: &str| tag.get(name).and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
        self.assembly = Assembly {
            claimed: Claimed { total: count("total"), bad: count("failed") },
            before: self.reporter.so_far(),
            skipped: count("skipped").saturating_add(count("not-run")),
            claimed_errors: count("errors"),
            errors: 0,
        };
        if let Some(date) = tag.get("start-rtf").or_else(|| tag.get("run-date")) {
            let time = tag.get("run-time").filter(|_| !date.contains('T')).map(|time| format!("T{time}"));
            self.reporter.timestamp(&format!("{date}{}", time.unwrap_or_default()));
        }
    }

    fn end_assembly(&mut self) {
        let name = if self.path.as_str().is_empty() { "<assembly>" } else { self.path.as_str() };
        let whose = format!("assembly {name}");
        if self.reporter.cases == self.assembly.before.total && self.assembly.claimed.total > 0 {
            let Assembly { claimed, skipped, .. } = self.assembly;
            self.reporter.header_only(self.path.as_str(), claimed, skipped);
        } else {
            self.reporter.compare(&whose, self.assembly.claimed, self.assembly.before);
        }
        if self.assembly.claimed_errors > self.assembly.errors {
            let message = format!(
                "{whose} counts {} errors outside of tests, but {} are listed",
                self.assembly.claimed_errors, self.assembly.errors
            );
            self.reporter.suite_failed(self.path.as_str(), &message, message.as_str());
        }
        self.path.leave();
    }

    fn start_test(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        self.case.clear();
        let limit = self.reporter.limits.name;
        let mut result = None;
        for attribute in tag.attributes() {
            match attribute.name {
                "name" => attribute.append_name_to(&mut self.case.name, limit),
                "type" => attribute.append_name_to(&mut self.case.class_name, limit),
                "start-rtf" => attribute.append_to(&mut self.case.timestamp, 64),
                "time" => self.case.duration = seconds(&attribute.value()),
                "result" => result = Some(attribute.value()),
                _ => {}
            }
        }
        self.outcome = match result.as_deref() {
            Some("Pass" | "Passed") => Outcome::Passed,
            Some("Fail" | "Failed") => Outcome::Failed,
            Some("Skip" | "Skipped" | "NotRun") => Outcome::Skipped,
            // The logger of `dotnet test` writes `Unknown` for what its framework does not map.
            Some(unknown) => {
                self.reporter.unknown_value(&self.case.name, "result", unknown);
                Outcome::Errored
            }
            None => return Err(Fault::malformed("a <test> without a result")),
        };
        Ok(())
    }

    fn end_loose(&mut self) {
        self.assembly.errors += 1;
        let why = self.loose_message.trim();
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let message = format!("suite {}: an error outside of any test{why}", self.path.as_str());
        self.reporter.suite_failed(self.path.as_str(), self.loose_message.trim(), message);
    }
}

impl Handler for XUnit<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.node(tag)?;
        match node {
            Node::Assembly => self.start_assembly(tag),
            Node::Group => {
                self.reporter.suites += 1;
                self.suite_number += 1;
                self.path.enter(&shortened(&tag.get("name").unwrap_or_default(), self.reporter.limits.name));
            }
            Node::Test => self.start_test(tag)?,
            // A test with a failure has failed, whatever else it says.
            Node::Why if tag.name == "failure" => self.outcome = self.outcome.worse(Outcome::Failed),
            Node::Loose => {
                self.loose_message.clear();
                let name = tag.get("name").or_else(|| tag.get("type")).unwrap_or_default();
                self.loose_message.push_str(cut(&name, self.reporter.limits.name));
                if !name.is_empty() {
                    self.loose_message.push(' ');
                }
            }
            _ => {}
        }
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.nodes.pop() {
            Some(Node::Test) => {
                let case = self.case.as_case(self.outcome, self.path.as_str(), self.suite_number);
                self.reporter.case(&case)?;
            }
            Some(Node::Group) => self.path.leave(),
            Some(Node::Assembly) => self.end_assembly(),
            Some(Node::Loose) => self.end_loose(),
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if !self.wants_text() {
            return;
        }
        let limit = self.reporter.limits.message;
        if self.nodes.contains(&Node::Test) {
            push_text(&mut self.case.message, text, limit);
        } else {
            push_text(&mut self.loose_message, text, limit);
        }
    }

    fn wants_text(&self) -> bool {
        matches!(self.nodes.last(), Some(Node::Message | Node::Why))
    }
}
