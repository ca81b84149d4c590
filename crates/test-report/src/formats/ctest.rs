//! CTest's dashboard XML (`Test.xml`): `Site`, `Testing`, `Test`.
//!
//! | `Status` | outcome |
//! |---|---|
//! | `passed` | passed |
//! | `failed` | failed, timeouts and crashes included: CTest counts them in the same way |
//! | `notrun`, and the completion status names the reason for skipping | skipped |
//! | `notrun` without a completion status, but with the output of a run | skipped (CTest before 3.9) |
//! | any other `notrun` | errored: no executable, no required file, a fixture that failed |
//!
//! `TestList` names the tests whose results follow; fewer results than names is a problem, and so is a start of the
//! testing without its end.

use report_input::xml::{Fault, Tag};
use report_input::{ErrorKind, Input, Opening, ReportError, cut, shortened};

use super::Entry;
use super::elements::{self, Elements, wrong_root};
use super::support::{Reporter, Scratch, SuitePath};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};
use crate::time::seconds;

pub(crate) const ENTRY: Entry = Entry { format: Format::CTest, recognise, read };

/// `Site` is the root of all that CTest submits: builds, configurations and coverage as well.
fn recognise(opening: &Opening) -> bool {
    opening.root().is_some_and(|root| root.name == "Site") && opening.tags().any(|tag| tag.name == "Testing")
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = CTest {
        reporter: Reporter::new(input.source(), limits, sink),
        path: SuitePath::default(),
        testing: Testing::default(),
        scratch: Scratch::default(),
        test: Test::default(),
    };
    let bytes = elements::read(input, limits, &mut reader)?;
    Ok(reader.reporter.finish(Format::CTest, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Site,
    Testing,
    TestList,
    Listed,
    Start,
    End,
    Test,
    Name,
    Path,
    Results,
    Measurement(Measurement),
    Value(Measurement),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measurement {
    CompletionStatus,
    ExitCode,
    FailReason,
    ExecutionTime,
    Output,
    Other,
}

/// A `Testing` element.
#[derive(Debug, Default)]
struct Testing {
    listed: u64,
    before: u64,
    began: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct Test {
    status: String,
    completion: String,
    exit_code: String,
    reason: String,
    output: String,
}

struct CTest<'a> {
    reporter: Reporter<'a>,
    path: SuitePath,
    testing: Testing,
    scratch: Scratch,
    test: Test,
}

impl Test {
    fn begin(&mut self, tag: &Tag<'_>) {
        for text in [&mut self.completion, &mut self.exit_code, &mut self.reason, &mut self.output, &mut self.status] {
            text.clear();
        }
        self.status.push_str(cut(&tag.get("Status").unwrap_or_default(), 64));
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.status.as_str() {
            "passed" => Some(Outcome::Passed),
            "failed" => Some(Outcome::Failed),
            "notrun" => Some(self.outcome_of_not_run()),
            _ => None,
        }
    }

    fn outcome_of_not_run(&self) -> Outcome {
        const INTENDED: [&str; 4] = ["Disabled", "Skipped", "SKIP_RETURN_CODE", "SKIP_REGULAR_EXPRESSION"];
        const NOT_STARTED: [&str; 4] =
            ["Unable to find", "Could not find", "Cannot find file", "Fixture dependency failed"];
        let intended = INTENDED.iter().any(|reason| self.completion.starts_with(reason));
        // CTest 3.0 says nothing about a test that it skipped by return code; what the test wrote shows that it ran.
        let ran = self.completion.is_empty()
            && !self.output.is_empty()
            && !NOT_STARTED.iter().any(|reason| self.output.contains(reason));
        if intended || ran { Outcome::Skipped } else { Outcome::Errored }
    }

    fn message(&self, outcome: Outcome, message: &mut String) {
        if outcome == Outcome::Passed {
            return;
        }
        let completion = if self.completion == "Completed" { "" } else { &self.completion };
        let exit_code = if self.exit_code == "Failed" && !self.reason.is_empty() { "" } else { &self.exit_code };
        for part in [exit_code, completion, &self.reason, &self.output] {
            if !part.is_empty() && !message.contains(part) {
                message.push_str(if message.is_empty() { "" } else { ": " });
                message.push_str(part);
            }
        }
    }
}

impl CTest<'_> {
    fn node(&self, parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = parent else {
            return if tag.name == "Site" { Ok(Node::Site) } else { Err(wrong_root(tag, "CTest", "<Site>")) };
        };
        Ok(match (parent, tag.name) {
            (Node::Site, "Testing") => Node::Testing,
            // Newer versions put the results of a subproject into its element.
            (Node::Site, "Subproject") => Node::Site,
            (Node::Testing, "TestList") => Node::TestList,
            (Node::TestList, "Test") => Node::Listed,
            (Node::Testing, "StartDateTime" | "StartTestTime") => Node::Start,
            (Node::Testing, "EndDateTime" | "EndTestTime" | "ElapsedMinutes") => Node::End,
            (Node::Testing, "Test") => Node::Test,
            (Node::Test, "Name") => Node::Name,
            (Node::Test, "Path") => Node::Path,
            (Node::Test, "Results") => Node::Results,
            (Node::Results, "Measurement") => Node::Measurement(Measurement::Output),
            (Node::Results, "NamedMeasurement") => Node::Measurement(match tag.get("name").as_deref() {
                Some("Completion Status") => Measurement::CompletionStatus,
                Some("Exit Code") => Measurement::ExitCode,
                Some("Fail Reason") => Measurement::FailReason,
                Some("Execution Time") => Measurement::ExecutionTime,
                _ => Measurement::Other,
            }),
            // Compressed output is base64, which tells people nothing.
            (Node::Measurement(_), "Value") if tag.get("compression").is_some() => Node::Value(Measurement::Other),
            (Node::Measurement(measurement), "Value") => Node::Value(measurement),
            _ => Node::Other,
        })
    }

    fn end_test(&mut self) -> Result<(), Fault> {
        let outcome = self.test.outcome().unwrap_or(Outcome::Errored);
        if self.test.outcome().is_none() {
            self.reporter.unknown_value(&self.scratch.name, "status", &self.test.status);
        }
        self.test.message(outcome, &mut self.scratch.message);
        let case = self.scratch.as_case(outcome, self.path.as_str(), self.reporter.suites);
        let message = cut(case.message, self.reporter.limits.message);
        self.reporter.case(&TestCase { message, ..case })
    }

    fn end_testing(&mut self) {
        let results = self.reporter.cases - self.testing.before;
        let named = self.testing.listed;
        if named > results {
            let message = format!("the test list names {named} tests, but {results} results follow");
            self.reporter.problem(ProblemKind::Incomplete, message);
        } else if self.testing.began && !self.testing.ended {
            self.reporter.problem(ProblemKind::Incomplete, "the testing began, but its end is not there");
        }
    }

    fn value(&mut self, measurement: Measurement, text: &str) {
        let kept = match measurement {
            Measurement::CompletionStatus => &mut self.test.completion,
            Measurement::ExitCode => &mut self.test.exit_code,
            Measurement::FailReason => &mut self.test.reason,
            Measurement::Output => &mut self.test.output,
            Measurement::ExecutionTime => {
                self.scratch.duration = seconds(text);
                return;
            }
            Measurement::Other => return,
        };
        kept.clear();
        kept.push_str(text);
    }
}

impl Elements for CTest<'_> {
    type Node = Node;

    fn start(&mut self, parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let node = self.node(parent, tag)?;
        match node {
            Node::Site => {
                let name = tag.get("BuildName").or_else(|| tag.get("name")).unwrap_or_default();
                self.path.enter(&shortened(&name, self.reporter.limits.name));
            }
            Node::Testing => {
                self.reporter.suites += 1;
                self.testing = Testing { before: self.reporter.cases, ..Testing::default() };
            }
            Node::Start => self.testing.began = true,
            Node::End => self.testing.ended = true,
            Node::Listed => self.testing.listed += 1,
            Node::Test => {
                self.scratch.clear();
                self.test.begin(tag);
            }
            _ => {}
        }
        Ok(node)
    }

    fn end(&mut self, node: Node, text: &str) -> Result<(), Fault> {
        let limit = self.reporter.limits.name;
        match node {
            Node::Name => self.scratch.name.push_str(&shortened(text, limit)),
            Node::Path => {
                let path = text.trim_start_matches("./");
                self.scratch.class_name.push_str(&shortened(if path == "." { "" } else { path }, limit));
            }
            Node::Value(measurement) => self.value(measurement, text),
            // Seconds since 1970; the other form of the start is a date without a year.
            Node::Start if text.bytes().all(|byte| byte.is_ascii_digit()) => self.reporter.timestamp(text),
            Node::Test => self.end_test()?,
            Node::Testing => self.end_testing(),
            Node::Site => {
                self.path.leave();
                if self.reporter.suites == 0 {
                    let detail = "the report of CTest has no <Testing>; the results of tests are in Test.xml";
                    return Err(Fault::new(ErrorKind::Unrecognised, detail));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn keeps_text(node: Node) -> bool {
        match node {
            Node::Name | Node::Path | Node::Start => true,
            Node::Value(measurement) => measurement != Measurement::Other,
            _ => false,
        }
    }
}
