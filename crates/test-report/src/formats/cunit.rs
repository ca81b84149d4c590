//! CUnit XML (`CUnitAutomated-Results.xml`), suites and the groups of older versions alike.
//!
//! Each failed assertion is a record of its own: records of failure that follow each other under one name in one suite
//! are one test. A suite whose initialization or cleanup failed is a problem. Inactive tests are not listed; the summary
//! counts them, and they are skipped. The summary's first two records are about suites and tests; neither must claim more
//! than is listed.

use report_input::xml::{Fault, Tag};
use report_input::{Input, ReportError, cut, shortened};

use super::Entry;
use super::elements::{self, Elements, wrong_root};
use super::support::{Claimed, Reporter, Scratch};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{CountedOnly, Outcome, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry {
    format: Format::CUnit,
    recognise: |opening| opening.root().is_some_and(|root| root.name == "CUNIT_TEST_RUN_REPORT"),
    read,
};

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let mut reader = CUnit {
        reporter: Reporter::new(input.source(), limits, sink),
        suite: String::new(),
        failed_suites: 0,
        record: Record::default(),
        pending: None,
        summary: Summary::default(),
    };
    let bytes = elements::read(input, limits, &mut reader)?;
    Ok(reader.reporter.finish(Format::CUnit, bytes))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Report,
    Listing,
    Suite,
    SuiteFailure,
    SuiteName,
    FailureReason,
    TestRecord,
    Result(Outcome),
    TestName,
    FileName,
    LineNumber,
    Condition,
    Summary,
    SummaryRecord,
    Count(Count),
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Count {
    Run,
    Failed,
    Inactive,
}

/// One record of a test.
#[derive(Debug, Default)]
struct Record {
    scratch: Scratch,
    file: String,
    line: String,
}

/// What the summary says.
#[derive(Debug, Default)]
struct Summary {
    records: u64,
    failed_suites: u64,
    claimed: Claimed,
    inactive: u64,
}

struct CUnit<'a> {
    reporter: Reporter<'a>,
    suite: String,
    failed_suites: u64,
    record: Record,
    /// A failed test to which more records of failure may belong.
    pending: Option<Record>,
    summary: Summary,
}

impl CUnit<'_> {
    fn node(parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let Some(parent) = parent else {
            return if tag.name == "CUNIT_TEST_RUN_REPORT" {
                Ok(Node::Report)
            } else {
                Err(wrong_root(tag, "CUnit's results", "<CUNIT_TEST_RUN_REPORT>"))
            };
        };
        Ok(match (parent, tag.name) {
            (Node::Report, "CUNIT_RESULT_LISTING") => Node::Listing,
            (Node::Listing, "CUNIT_RUN_SUITE" | "CUNIT_RUN_GROUP") => Node::Listing,
            (Node::Listing, "CUNIT_RUN_SUITE_SUCCESS" | "CUNIT_RUN_GROUP_SUCCESS") => Node::Suite,
            (Node::Listing, "CUNIT_RUN_SUITE_FAILURE" | "CUNIT_RUN_GROUP_FAILURE") => Node::SuiteFailure,
            (Node::Suite | Node::SuiteFailure, "SUITE_NAME" | "GROUP_NAME") => Node::SuiteName,
            (Node::SuiteFailure, "FAILURE_REASON") => Node::FailureReason,
            (Node::Suite | Node::Listing, "CUNIT_RUN_TEST_RECORD") => Node::TestRecord,
            (Node::TestRecord, "CUNIT_RUN_TEST_SUCCESS") => Node::Result(Outcome::Passed),
            (Node::TestRecord, "CUNIT_RUN_TEST_FAILURE") => Node::Result(Outcome::Failed),
            (Node::TestRecord, "CUNIT_RUN_TEST_SKIPPED") => Node::Result(Outcome::Skipped),
            (Node::TestRecord, unknown) => {
                return Err(Fault::malformed(format!("a record of a test with the unknown result <{unknown}>")));
            }
            (Node::Result(_), "TEST_NAME") => Node::TestName,
            (Node::Result(_), "FILE_NAME") => Node::FileName,
            (Node::Result(_), "LINE_NUMBER") => Node::LineNumber,
            (Node::Result(_), "CONDITION" | "SKIP_REASON") => Node::Condition,
            (Node::Report, "CUNIT_RUN_SUMMARY") => Node::Summary,
            (Node::Summary, "CUNIT_RUN_SUMMARY_RECORD") => Node::SummaryRecord,
            (Node::SummaryRecord, "RUN") => Node::Count(Count::Run),
            (Node::SummaryRecord, "FAILED") => Node::Count(Count::Failed),
            (Node::SummaryRecord, "INACTIVE") => Node::Count(Count::Inactive),
            _ => Node::Other,
        })
    }

    fn case(&mut self, record: &Record, outcome: Outcome) -> Result<(), Fault> {
        let case = record.scratch.as_case(outcome, &self.suite, self.reporter.suites);
        self.reporter.case(&TestCase { file: &record.file, ..case })
    }

    /// Hands on the failed test that waits for more records.
    fn flush(&mut self) -> Result<(), Fault> {
        match self.pending.take() {
            Some(record) => self.case(&record, Outcome::Failed),
            None => Ok(()),
        }
    }

    fn end_result(&mut self, outcome: Outcome) -> Result<(), Fault> {
        let record = std::mem::take(&mut self.record);
        if self.pending.as_ref().is_some_and(|pending| {
            outcome == Outcome::Failed && pending.scratch.name == record.scratch.name && !record.scratch.name.is_empty()
        }) {
            return Ok(());
        }
        self.flush()?;
        if outcome == Outcome::Failed {
            self.pending = Some(record);
            return Ok(());
        }
        self.case(&record, outcome)?;
        // The buffers are used again.
        self.record = record;
        Ok(())
    }

    fn count(&mut self, count: Count, text: &str) {
        // The first record is about suites, the third about assertions; what they are called depends on the language.
        let Ok(number) = text.parse::<u64>() else { return };
        match (self.summary.records, count) {
            (1, Count::Failed) => self.summary.failed_suites = number,
            (2, Count::Run) => self.summary.claimed.total = number,
            (2, Count::Failed) => self.summary.claimed.bad = number,
            (2, Count::Inactive) => self.summary.inactive = number,
            _ => {}
        }
    }

    fn end_report(&mut self) -> Result<(), Fault> {
        self.flush()?;
        let inactive = self.summary.inactive;
        if inactive > 0 {
            let counted =
                CountedOnly { suite: "", total: inactive, failed: 0, errored: 0, skipped: inactive, duration: None };
            self.reporter.counted_only(&counted);
        }
        if self.summary.failed_suites > self.failed_suites {
            let message = format!(
                "<CUNIT_RUN_SUMMARY> counts {} failed suites, but {} are listed",
                self.summary.failed_suites, self.failed_suites
            );
            self.reporter.suite_failed("", "", message);
        }
        self.reporter.compare("<CUNIT_RUN_SUMMARY>", self.summary.claimed, Claimed::default());
        Ok(())
    }
}

impl Elements for CUnit<'_> {
    type Node = Node;

    fn start(&mut self, parent: Option<Node>, tag: &Tag<'_>) -> Result<Node, Fault> {
        let node = Self::node(parent, tag)?;
        match node {
            Node::Suite | Node::SuiteFailure => {
                self.flush()?;
                self.reporter.suites += 1;
                self.suite.clear();
                self.record.scratch.message.clear();
            }
            Node::Result(_) => {
                self.record.scratch.clear();
                self.record.file.clear();
                self.record.line.clear();
            }
            Node::SummaryRecord => self.summary.records += 1,
            _ => {}
        }
        Ok(node)
    }

    fn end(&mut self, node: Node, text: &str) -> Result<(), Fault> {
        let limits = self.reporter.limits;
        match node {
            Node::SuiteName => self.suite.push_str(&shortened(text, limits.name)),
            Node::TestName => self.record.scratch.name.push_str(&shortened(text, limits.name)),
            Node::FileName => self.record.file.push_str(cut(text, limits.name)),
            Node::LineNumber => self.record.line.push_str(cut(text, 20)),
            Node::FailureReason | Node::Condition => self.record.scratch.message.push_str(cut(text, limits.message)),
            Node::Result(outcome) => {
                if !self.record.line.is_empty() {
                    let place = format!(" (line {})", self.record.line);
                    self.record.scratch.message.push_str(&place);
                }
                self.end_result(outcome)?;
            }
            Node::SuiteFailure => {
                self.failed_suites += 1;
                let message = format!("suite {}: {}", self.suite, self.record.scratch.message);
                self.reporter.suite_failed(&self.suite, &self.record.scratch.message, message);
            }
            Node::Count(count) => self.count(count, text),
            Node::Report => self.end_report()?,
            _ => {}
        }
        Ok(())
    }

    fn keeps_text(node: Node) -> bool {
        matches!(
            node,
            Node::SuiteName
                | Node::FailureReason
                | Node::TestName
                | Node::FileName
                | Node::LineNumber
                | Node::Condition
                | Node::Count(_)
        )
    }
}
