//! Visual Studio test results (TRX), as written by MSTest, VSTest and Microsoft.Testing.Platform.
//!
//! Every `...Result` under `Results` is counted, the rows of a data-driven test (`InnerResults`) included, as the
//! writers' own counters do. Outcomes:
//!
//! | `outcome` | here |
//! |---|---|
//! | `Passed`, `Warning`, `Completed` | passed |
//! | `Failed`, none | failed |
//! | `Error`, `Timeout` | errored |
//! | `NotExecuted`, `Inconclusive` | skipped |
//! | `Aborted`, `NotRunnable`, `Disconnected`, `PassedButRunAborted`, `InProgress`, `Pending` | skipped, and a problem |
//!
//! A result without an outcome has failed: writers leave out the default, which is `Failed`.

use report_input::xml::{self, Fault, Handler, Tag};
use report_input::{ErrorKind, Input, ReportError};

use super::Entry;
use super::support::{Claimed, Reporter, Scratch, push_text};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink};
use crate::time::clock;

pub(crate) const ENTRY: Entry = Entry {
    format: Format::Trx,
    recognise: |opening| {
        let mut tags = opening.tags();
        let root = tags.next();
        // CppUnit has a root of the same name, with other elements in it.
        root.is_some_and(|root| root.name == "TestRun" && (root.has("xmlns") || root.has("id")))
            || (root.is_some_and(|root| root.name == "TestRun")
                && tags.next().is_some_and(|child| matches!(child.name, "Results" | "Times" | "TestSettings")))
    },
    read,
};

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let reporter = Reporter::new(input.source(), limits, sink);
    let mut reader =
        Trx { reporter, nodes: Vec::new(), results: Vec::new(), open: 0, claimed: Claimed::default(), run: None };
    let bytes = xml::read(input, &mut reader)?;
    Ok(reader.reporter.finish(Format::Trx, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Results,
    Result,
    /// `Output`, `ErrorInfo`, `InnerResults` in a result.
    Inside,
    Message,
    Summary,
    Other,
}

#[derive(Debug)]
struct Row {
    scratch: Scratch,
    outcome: Outcome,
}

struct Trx<'a> {
    reporter: Reporter<'a>,
    nodes: Vec<Node>,
    /// The open results, and behind them buffers for more.
    results: Vec<Row>,
    open: usize,
    claimed: Claimed,
    /// The outcome of the whole run.
    run: Option<String>,
}

impl Trx<'_> {
    fn node(&self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = self.nodes.last() else {
            return match tag.name {
                "TestRun" => Ok(Node::Other),
                name => {
                    let detail = format!("the root element <{name}> is not the one of TRX, <TestRun>");
                    Err(Fault::new(ErrorKind::Unrecognised, detail))
                }
            };
        };
        let is_result = tag.name.ends_with("TestResult") || tag.name == "TestResultAggregation";
        Ok(match (parent, tag.name) {
            (Node::Results | Node::Inside, _) if is_result => Node::Result,
            (Node::Result, "InnerResults" | "Output") | (Node::Inside, "ErrorInfo") => Node::Inside,
            (Node::Inside, "Message") => Node::Message,
            (Node::Other, "Results") if self.nodes.len() == 1 => Node::Results,
            (Node::Other, "ResultSummary") => Node::Summary,
            _ => Node::Other,
        })
    }

    fn start_result(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        if self.open == self.results.len() {
            self.results.push(Row { scratch: Scratch::default(), outcome: Outcome::Failed });
        }
        let row = &mut self.results[self.open];
        self.open += 1;
        row.scratch.clear();
        row.outcome = Outcome::Failed;
        let mut stated = None;
        for attribute in tag.attributes() {
            match attribute.name {
                "testName" => attribute.append_name_to(&mut row.scratch.name, self.reporter.limits.name),
                "startTime" => attribute.append_to(&mut row.scratch.timestamp, 64),
                "duration" => row.scratch.duration = clock(&attribute.value()),
                "outcome" => stated = Some(attribute.value()),
                _ => {}
            }
        }
        row.scratch.split_name();
        row.outcome = match stated.as_deref() {
            None | Some("Failed") => Outcome::Failed,
            Some("Passed" | "Warning" | "Completed") => Outcome::Passed,
            Some("Error" | "Timeout") => Outcome::Errored,
            Some("NotExecuted" | "Inconclusive") => Outcome::Skipped,
            Some(
                unfinished @ ("Aborted"
                | "NotRunnable"
                | "Disconnected"
                | "PassedButRunAborted"
                | "InProgress"
                | "Pending"),
            ) => {
                let message =
                    format!("{} has no result ({unfinished})", row.scratch.as_case(Outcome::Skipped, "", 0).id());
                self.reporter.problem(ProblemKind::Incomplete, message);
                Outcome::Skipped
            }
            Some(other) => {
                let other: String = other.chars().take(40).collect();
                return Err(Fault::malformed(format!("the unknown outcome \"{}\"", other.escape_debug())));
            }
        };
        Ok(())
    }

    fn end_result(&mut self) -> Result<(), Fault> {
        self.open -= 1;
        let row = &self.results[self.open];
        self.reporter.case(&row.scratch.as_case(row.outcome, "", 1))
    }

    fn start_counters(&mut self, tag: &Tag<'_>) {
        let count = |name: &str| tag.get(name).and_then(|count| count.trim().parse::<u64>().ok()).unwrap_or(0);
        let bad = count("failed").saturating_add(count("error")).saturating_add(count("timeout"));
        self.claimed = Claimed { total: count("total"), bad };
    }

    fn finish(&mut self) {
        self.reporter.compare("<Counters>", self.claimed, Claimed::default());
        match self.run.as_deref() {
            Some("Failed" | "Error") if self.reporter.bad == 0 => {
                let message = "the run failed, but no test in it did";
                self.reporter.suite_failed("", message, message);
            }
            Some(
                unfinished
                @ ("Aborted" | "Timeout" | "Disconnected" | "InProgress" | "Pending" | "PassedButRunAborted"),
            ) => {
                let message = format!("the run was not finished ({unfinished})");
                self.reporter.problem(ProblemKind::Incomplete, message);
            }
            _ => {}
        }
    }
}

impl Handler for Trx<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.node(tag)?;
        match node {
            Node::Result => self.start_result(tag)?,
            Node::Results => self.reporter.suites += 1,
            Node::Summary => self.run = tag.get("outcome").map(std::borrow::Cow::into_owned),
            Node::Other if tag.name == "Counters" && self.nodes.last() == Some(&Node::Summary) => {
                self.start_counters(tag)
            }
            Node::Other if tag.name == "Times" => {
                if let Some(start) = tag.get("start") {
                    self.reporter.timestamp(&start);
                }
            }
            _ => {}
        }
        self.nodes.push(node);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.nodes.pop() == Some(Node::Result) {
            self.end_result()?;
        }
        if self.nodes.is_empty() {
            self.finish();
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if self.wants_text()
            && let Some(row) = self.results[..self.open].last_mut()
        {
            push_text(&mut row.scratch.message, text, self.reporter.limits.message);
        }
    }

    fn wants_text(&self) -> bool {
        self.nodes.last() == Some(&Node::Message)
    }
}
