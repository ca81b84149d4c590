//! NUnit 2 (`test-results`) and NUnit 3 (`test-run`) XML.
//!
//! Both are trees of `test-suite` with `test-case` in them; NUnit 2 puts a `results` element between the levels.
//! Outcomes are those of NUnit's own documentation of the formats:
//!
//! | NUnit 3 `result` | NUnit 2 `result` | here |
//! |---|---|---|
//! | `Passed`, `Warning` | `Success` | passed |
//! | `Failed` | `Failure` | failed |
//! | | `Error`, `Cancelled` | errored |
//! | `Skipped`, `Inconclusive` | `Ignored`, `Skipped`, `Inconclusive`, `NotRunnable` | skipped |
//!
//! A test that is `NotRunnable` is a mistake in the test, so it is a problem as well. Old writers say only `executed`
//! and `success`. A suite that failed without a failed test in it (setup, teardown) is a problem, and an errored test where
//! the report would have neither a failed nor an errored one.

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, ReportError};

use super::Entry;
use super::support::{Claimed, Reporter, Scratch, SuitePath, push_text};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink};
use crate::time::seconds;

pub(crate) const NUNIT2: Entry = Entry {
    format: Format::NUnit2,
    recognise: |opening| {
        opening
            .root()
            .is_some_and(|root| root.name == "test-results" || (root.name == "test-suite" && root.has("executed")))
    },
    read: |input, limits, sink| read(input, limits, sink, Format::NUnit2),
};

pub(crate) const NUNIT3: Entry = Entry {
    format: Format::NUnit3,
    recognise: |opening| opening.root().is_some_and(|root| matches!(root.name, "test-run" | "test-suite")),
    read: |input, limits, sink| read(input, limits, sink, Format::NUnit3),
};

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink, format: Format) -> Result<ReportFacts, ReportError> {
    let reporter = Reporter::new(input.source(), limits, sink);
    let mut reader = NUnit::new(format, reporter);
    let bytes = xml::read(input, &mut reader)?;
    reader.count_failed_suite();
    Ok(reader.reporter.finish(format, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Root,
    Suite,
    Case,
    /// `failure` or `reason`.
    Why,
    /// `message` in one of those.
    Message,
    Other,
}

#[derive(Debug)]
struct Suite {
    number: u64,
    before: Claimed,
    has_failed: bool,
    message: String,
}

#[derive(Debug)]
struct FailedSuite {
    path: String,
    message: String,
    may_be_lost_test: bool,
}

struct NUnit<'a> {
    format: Format,
    reporter: Reporter<'a>,
    nodes: Vec<Node>,
    suites: Vec<Suite>,
    path: SuitePath,
    case: Scratch,
    stated: Option<Outcome>,
    has_failure: bool,
    claimed: Claimed,
    /// The first suite that failed although none of its tests did; one that says why, if there is one.
    failed_suite: Option<FailedSuite>,
}

impl<'a> NUnit<'a> {
    fn new(format: Format, reporter: Reporter<'a>) -> Self {
        NUnit {
            format,
            reporter,
            nodes: Vec::new(),
            suites: Vec::new(),
            path: SuitePath::default(),
            case: Scratch::default(),
            stated: None,
            has_failure: false,
            claimed: Claimed::default(),
            failed_suite: None,
        }
    }

    /// NUnit and its readers count tests only. A report in which nothing but a suite failed has an errored test all the
    /// same: its totals would be those of a good one.
    fn count_failed_suite(&mut self) {
        if self.reporter.bad == 0
            && let Some(suite) = &self.failed_suite
            && (!suite.may_be_lost_test || self.claimed.bad == 0)
        {
            self.reporter.outside(&suite.path, &suite.message);
        }
    }

    fn node(&self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = self.nodes.last() else {
            return match tag.name {
                "test-run" | "test-results" => Ok(Node::Root),
                "test-suite" => Ok(Node::Suite),
                name => {
                    let detail =
                        format!("the root element <{name}> is not one of NUnit's, <test-run> or <test-results>");
                    Err(Fault::new(ErrorKind::Unrecognised, detail))
                }
            };
        };
        Ok(match (parent, tag.name) {
            (Node::Root | Node::Suite | Node::Other, "test-suite") => Node::Suite,
            (Node::Root | Node::Suite | Node::Other, "test-case") => Node::Case,
            (Node::Suite | Node::Case, "failure" | "reason") => Node::Why,
            (Node::Why, "message") => Node::Message,
            _ => Node::Other,
        })
    }

    fn start_root(&mut self, tag: &Tag<'_>) {
        let count = |name: &str| tag.get(name).and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
        // NUnit 2 counts `failures` and `errors`, NUnit 3 counts both as `failed`.
        let bad = count("failures").saturating_add(count("errors")).saturating_add(count("failed"));
        self.claimed = Claimed { total: count("total"), bad };
        if let Some(start) = tag.get("start-time").or_else(|| tag.get("date")) {
            self.reporter.timestamp(&start);
        }
    }

    fn start_suite(&mut self, tag: &Tag<'_>) {
        self.reporter.suites += 1;
        let name = tag.get("name").unwrap_or_default();
        self.path.enter(&report_input::shortened(&name, self.reporter.limits.name));
        let result = tag.get("result");
        let has_failed = match result.as_deref() {
            Some(result) => matches!(result, "Failed" | "Failure" | "Error" | "Cancelled"),
            None => tag.get("success").is_some_and(|success| success.eq_ignore_ascii_case("false")),
        };
        let number = self.reporter.suites;
        self.suites.push(Suite { number, before: self.reporter.so_far(), has_failed, message: String::new() });
    }

    fn end_suite(&mut self) {
        let Some(suite) = self.suites.pop() else { return };
        if suite.has_failed && self.reporter.bad == suite.before.bad {
            let message = suite.message.trim();
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            let path = self.path.as_str();
            self.reporter.problem(ProblemKind::SuiteFailed, format!("suite {path} failed, but no test in it did{why}"));
            // Where it lists tests and does not say why, a failed test may be missing: the header tells.
            let may_be_lost_test = message.is_empty() && self.reporter.cases > suite.before.total;
            if self.failed_suite.as_ref().is_none_or(|before| before.may_be_lost_test) {
                let (path, message) = (path.to_owned(), message.to_owned());
                self.failed_suite = Some(FailedSuite { path, message, may_be_lost_test });
            }
            // The suites around it failed because of it.
            for around in &mut self.suites {
                around.has_failed = false;
            }
        }
        self.path.leave();
    }

    fn start_case(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        self.case.clear();
        (self.stated, self.has_failure) = (None, false);
        let (mut executed, mut success) = (None, None);
        let limit = self.reporter.limits.name;
        let mut result = None;
        for attribute in tag.attributes() {
            match attribute.name {
                "name" => attribute.append_name_to(&mut self.case.name, limit),
                "classname" => attribute.append_name_to(&mut self.case.class_name, limit),
                "start-time" => attribute.append_to(&mut self.case.timestamp, 64),
                "time" | "duration" => self.case.duration = seconds(&attribute.value()),
                "result" => result = Some(attribute.value()),
                "executed" => executed = Some(attribute.value().eq_ignore_ascii_case("true")),
                "success" => success = Some(attribute.value().eq_ignore_ascii_case("true")),
                _ => {}
            }
        }
        self.case.split_name();
        self.stated = Some(match (result.as_deref(), executed, success) {
            (Some(result), ..) => self.stated_outcome(result)?,
            (None, Some(false), _) => Outcome::Skipped,
            (None, _, Some(true)) => Outcome::Passed,
            (None, _, Some(false)) => Outcome::Failed,
            // Some writers leave it to the `failure` in the test.
            (None, Some(true), None) => Outcome::Passed,
            (None, None, None) => return Err(Fault::malformed("a <test-case> without a result")),
        });
        Ok(())
    }

    fn stated_outcome(&mut self, result: &str) -> Result<Outcome, Fault> {
        Ok(match result {
            "Passed" | "Success" | "Warning" => Outcome::Passed,
            "Failed" | "Failure" => Outcome::Failed,
            "Error" | "Cancelled" => Outcome::Errored,
            "Skipped" | "Ignored" | "Inconclusive" | "Explicit" => Outcome::Skipped,
            "NotRunnable" | "Invalid" => {
                let message =
                    format!("{} could not be run ({result})", self.case.as_case(Outcome::Skipped, "", 0).id());
                self.reporter.problem(ProblemKind::Incomplete, message);
                Outcome::Skipped
            }
            other => {
                let other: String = other.chars().take(40).collect();
                return Err(Fault::malformed(format!("the unknown result \"{}\"", other.escape_debug())));
            }
        })
    }

    fn end_case(&mut self) -> Result<(), Fault> {
        let stated = self.stated.unwrap_or(Outcome::Errored);
        // Only a test that was run can have a `failure`.
        let outcome = if self.has_failure && stated == Outcome::Passed { Outcome::Failed } else { stated };
        let number = self.suites.last().map_or(0, |suite| suite.number);
        self.reporter.case(&self.case.as_case(outcome, self.path.as_str(), number))
    }
}

impl Handler for NUnit<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.node(tag)?;
        match node {
            Node::Root => self.start_root(tag),
            Node::Suite => self.start_suite(tag),
            Node::Case => self.start_case(tag)?,
            Node::Why if self.nodes.last() == Some(&Node::Case) => self.has_failure |= tag.name == "failure",
            Node::Why | Node::Message | Node::Other => {}
        }
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.nodes.pop() {
            Some(Node::Case) => self.end_case()?,
            Some(Node::Suite) => self.end_suite(),
            Some(Node::Root) => {
                let whose = if self.format == Format::NUnit2 { "<test-results>" } else { "<test-run>" };
                self.reporter.compare(whose, self.claimed, Claimed::default());
            }
            _ => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.nodes.last() != Some(&Node::Message) {
            return;
        }
        let limit = self.reporter.limits.message;
        if self.nodes.contains(&Node::Case) {
            push_text(&mut self.case.message, text, limit);
        } else if let Some(suite) = self.suites.last_mut() {
            push_text(&mut suite.message, text, limit);
        }
    }

    fn wants_text(&self) -> bool {
        self.nodes.last() == Some(&Node::Message)
    }
}
