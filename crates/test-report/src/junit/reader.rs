//! From elements to tests.

use std::time::Duration;

use report_input::xml::{Fault, Handler, Tag};
use report_input::{ErrorKind, cut, shortened};

use super::case::{Case, ResultKind};
use super::counters::{Header, Listed};
use crate::format::Format;
use crate::formats::OUTSIDE;
use crate::limits::Limits;
use crate::model::{Outcome, Problem, ProblemKind, ReportFacts, Sink, TestCase};
use crate::time::seconds;

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Suite,
    Case,
    /// The result of a test, or of a suite if it stands outside of tests.
    Result(ResultKind),
    /// Its elements mean what they would mean without it.
    Transparent,
    /// Nothing in it is looked at: output, properties.
    Opaque,
}

/// A suite that is being read.
#[derive(Debug, Default)]
struct Suite {
    number: u64,
    header: Header,
    duration: Option<Duration>,
    listed: Listed,
    /// The length of the path of the suites around it.
    path_before: usize,
    /// The header is one of a writer that counts assertions, unless a test shows that it is not.
    counts_assertions: bool,
    /// The header has nothing but what doctest writes.
    is_like_doctest: bool,
}

/// Reads the elements of JUnit XML.
pub(super) struct JUnit<'a> {
    source: &'a str,
    limits: &'a Limits,
    sink: &'a mut dyn Sink,
    nodes: Vec<Node>,
    suites: Vec<Suite>,
    /// The open tests, and behind them buffers for more.
    cases: Vec<Case>,
    open_cases: usize,
    /// The names of the open suites.
    path: String,
    /// A failure of a suite that is being read.
    suite_result: Case,
    case_count: u64,
    suite_count: u64,
    counted_only: Option<String>,
    timestamp: String,
}

impl<'a> JUnit<'a> {
    pub(super) fn new(source: &'a str, limits: &'a Limits, sink: &'a mut dyn Sink) -> Self {
        JUnit {
            source,
            limits,
            sink,
            nodes: Vec::new(),
            suites: Vec::new(),
            cases: vec![Case::default()],
            open_cases: 0,
            path: String::new(),
            suite_result: Case::default(),
            case_count: 0,
            suite_count: 0,
            counted_only: None,
            timestamp: String::new(),
        }
    }

    pub(super) fn finish(mut self, bytes: u64) -> ReportFacts {
        if let Some(suite) = self.counted_only.take().filter(|_| self.case_count > 0) {
            self.problem(
                ProblemKind::CountersDisagree,
                format!(
                    "{}the header counts tests, but none are listed, while other suites list theirs",
                    named(&suite)
                ),
            );
        }
        ReportFacts {
            format: Format::JUnit,
            bytes,
            cases: self.case_count,
            suites: self.suite_count,
            timestamp: self.timestamp,
        }
    }

    fn problem(&mut self, kind: ProblemKind, message: String) {
        self.sink.problem(Problem { source: self.source.to_owned(), kind, message });
    }

    fn start_suite(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        if self.suites.is_empty() && is_list_of_googletest(tag) {
            let detail = "a list of tests without results, as `--gtest_list_tests` writes it";
            return Err(Fault::new(ErrorKind::Unrecognised, detail));
        }
        self.suite_count += 1;
        let mut suite = Suite { number: self.suite_count, path_before: self.path.len(), ..Suite::default() };
        suite.is_like_doctest = true;
        for attribute in tag.attributes() {
            let known = match attribute.name {
                "name" => {
                    push_name(&mut self.path, &shortened(&attribute.value(), self.limits.name));
                    true
                }
                "tests" => self.counter(&mut suite.header.tests, attribute.name, &attribute.value()),
                "failures" => self.counter(&mut suite.header.failures, attribute.name, &attribute.value()),
                "errors" => self.counter(&mut suite.header.errors, attribute.name, &attribute.value()),
                "skipped" | "skip" | "skips" | "disabled" | "ignored" => {
                    let mut count = None;
                    self.counter(&mut count, attribute.name, &attribute.value());
                    suite.header.skipped = suite.header.skipped.max(count);
                    false
                }
                "time" => {
                    suite.duration = seconds(&attribute.value());
                    false
                }
                "timestamp" => {
                    self.note_timestamp(&attribute.value());
                    false
                }
                // Catch2 writes this in place of a host, and the number of assertions into `tests`.
                "hostname" => {
                    suite.counts_assertions |= attribute.value() == "tbd";
                    false
                }
                _ => false,
            };
            suite.is_like_doctest &= known;
        }
        self.suites.push(suite);
        Ok(())
    }

    /// Qt 4 and 5 count the messages of all tests as `errors`.
    fn note_property(&mut self, tag: &Tag<'_>) {
        if tag.name == "property"
            && tag.get("name").is_some_and(|name| name == "QTestVersion")
            && tag.get("value").is_some_and(|version| version.starts_with(['4', '5']))
            && let Some(suite) = self.suites.last_mut()
        {
            suite.header.errors = None;
        }
    }

    /// Reads a counter; always `true`, because the attribute is one that every writer has.
    fn counter(&mut self, counter: &mut Option<u64>, name: &str, text: &str) -> bool {
        let digits = text.trim().replace(',', "");
        let digits = digits.strip_suffix(".0").unwrap_or(&digits);
        *counter = digits.parse().ok();
        if counter.is_none() && !digits.is_empty() {
            let text = text.chars().take(40).collect::<String>();
            let message = format!("{}the counter {name}=\"{}\" is no number", named(&self.path), text.escape_debug());
            self.problem(ProblemKind::UnknownValue, message);
        }
        true
    }

    fn end_suite(&mut self) {
        let Some(mut suite) = self.suites.pop() else { return };
        if let Some(counted) = suite.header.counted_only(&self.path, suite.duration, &mut suite.listed) {
            self.sink.counted_only(&counted);
            if suite.listed.cases == 0 && self.counted_only.is_none() {
                self.counted_only = Some(self.path.clone());
            }
        }
        let counts_assertions = suite.counts_assertions || (suite.is_like_doctest && suite.listed.cases > 0);
        if let Some(message) = suite.header.disagreement(&suite.listed, counts_assertions) {
            let message = format!("{}{message}", named(&self.path));
            self.problem(ProblemKind::CountersDisagree, message);
            suite.listed.is_explained = true;
        }
        suite.listed.is_explained |= counts_assertions;
        suite.listed.add_header(&suite.header);
        self.path.truncate(suite.path_before);
        if let Some(around) = self.suites.last_mut() {
            around.listed.add(&suite.listed);
        }
    }

    fn start_case(&mut self, tag: &Tag<'_>) {
        if self.open_cases == self.cases.len() {
            self.cases.push(Case::default());
        }
        let case = &mut self.cases[self.open_cases];
        self.open_cases += 1;
        case.begin(tag, self.limits);
        if self.timestamp.is_empty() && !case.timestamp.is_empty() {
            self.timestamp.push_str(&case.timestamp);
        }
    }

    fn end_case(&mut self) -> Result<(), Fault> {
        self.open_cases -= 1;
        self.case_count += 1;
        if self.case_count > self.limits.tests {
            let detail = format!("the report has more than {} tests", self.limits.tests);
            return Err(Fault::new(ErrorKind::Limit, detail));
        }
        let case = &self.cases[self.open_cases];
        let suite = self.suites.last_mut();
        let number = suite.as_ref().map_or(0, |suite| suite.number);
        let found = case.as_test_case(&self.path, number);
        if let Some(suite) = suite {
            suite.listed.total += 1;
            suite.listed.cases += 1;
            suite.listed.errored += u64::from(found.outcome == Outcome::Errored);
            suite.listed.skipped += u64::from(found.outcome == Outcome::Skipped);
            suite.listed.attempts += u64::from(case.attempts());
            suite.listed.bad_elements += u64::from(case.bad_elements()).max(u64::from(found.outcome.is_bad()));
            suite.listed.error_elements += u64::from(case.error_elements());
            suite.is_like_doctest = suite.is_like_doctest && case.is_like_doctest();
        }
        self.sink.case(&found);
        Ok(())
    }

    fn start_result(&mut self, kind: ResultKind, tag: &Tag<'_>) {
        if tag.name == "warning" {
            let test = self.cases[self.open_cases - 1].as_test_case(&self.path, 0).id();
            self.problem(ProblemKind::SuiteFailed, format!("the test {test} ended with a warning"));
        }
        let message = tag.get("message").filter(|message| !message.trim().is_empty());
        let type_name = tag.get("type").unwrap_or_default();
        let message = message.as_deref().map(|message| cut(message, self.limits.message)).unwrap_or_default();
        let type_name = cut(&type_name, self.limits.name);
        let result = match self.open_cases {
            0 => {
                self.suite_result.clear();
                &mut self.suite_result
            }
            open => &mut self.cases[open - 1],
        };
        result.add_result(kind, message, type_name);
    }

    fn end_result(&mut self, kind: ResultKind) {
        if self.open_cases > 0 || !matches!(kind, ResultKind::Failure | ResultKind::Error) {
            return;
        }
        if let Some(suite) = self.suites.last_mut() {
            suite.listed.bad_elements += 1;
            suite.listed.suite_elements += 1;
            suite.listed.error_elements += u64::from(kind == ResultKind::Error);
        }
        let what = if kind == ResultKind::Error { "an error" } else { "a failure" };
        let why = self.suite_result.why();
        let number = self.suites.last().map_or(0, |suite| suite.number);
        // Jenkins counts it as well, as a test called "<init>".
        self.sink.case(&TestCase {
            suite: &self.path,
            suite_number: number,
            message: why,
            ..TestCase::new(OUTSIDE, Outcome::Errored)
        });
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let message = format!("{}{what} outside of any test{why}", named(&self.path));
        self.problem(ProblemKind::SuiteFailed, message);
    }

    fn note_timestamp(&mut self, timestamp: &str) {
        let timestamp = cut(timestamp, 64);
        self.sink.suite_timestamp(timestamp);
        if self.timestamp.is_empty() {
            self.timestamp.push_str(timestamp);
        }
    }

    /// What an element is, by its name and by the element around it.
    fn node(&self, tag: &Tag<'_>) -> Result<Node, Fault> {
        let parent = match self.nodes.last() {
            Some(parent) => *parent,
            None if matches!(tag.name, "testsuite" | "testsuites") => return Ok(Node::Suite),
            None => {
                let detail =
                    format!("the root element <{}> is not one of JUnit XML, <testsuites> or <testsuite>", tag.name);
                return Err(Fault::new(ErrorKind::Unrecognised, detail));
            }
        };
        if matches!(parent, Node::Opaque | Node::Result(_)) {
            return Ok(Node::Opaque);
        }
        Ok(match tag.name {
            "testcase" => Node::Case,
            "testsuite" | "testsuites" => Node::Suite,
            "failure" => Node::Result(ResultKind::Failure),
            "error" => Node::Result(ResultKind::Error),
            "warning" if self.open_cases > 0 && is_warning_of_phpunit(tag) => Node::Result(ResultKind::Error),
            "skipped" | "skip" | "ignored" | "disabled" => Node::Result(ResultKind::Skipped),
            "flakyFailure" | "flakyError" => Node::Result(ResultKind::Flaky),
            "rerunFailure" | "rerunError" => Node::Result(ResultKind::Rerun),
            "system-out" | "system-err" | "properties" => Node::Opaque,
            _ => Node::Transparent,
        })
    }
}

impl Handler for JUnit<'_> {
    fn start(&mut self, tag: &Tag<'_>) -> Result<(), Fault> {
        let node = self.node(tag)?;
        self.nodes.push(node);
        match node {
            Node::Case => self.start_case(tag),
            Node::Suite => self.start_suite(tag)?,
            Node::Result(kind) => self.start_result(kind, tag),
            Node::Transparent => {}
            Node::Opaque => self.note_property(tag),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.nodes.pop() {
            Some(Node::Case) => self.end_case()?,
            Some(Node::Suite) => self.end_suite(),
            Some(Node::Result(kind)) => self.end_result(kind),
            Some(Node::Transparent | Node::Opaque) | None => {}
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(Node::Result(kind)) = self.nodes.last() {
            match self.cases[..self.open_cases].last_mut() {
                Some(case) => case.add_text(*kind, text, self.limits.message),
                None => self.suite_result.add_text(*kind, text, self.limits.message),
            }
        }
    }

    fn wants_text(&self) -> bool {
        matches!(self.nodes.last(), Some(Node::Result(_)))
    }
}

/// PHPUnit 6 to 9 write a test that ended with a warning (an unusable data provider, for example) as one that has a
/// `warning`, count it as neither failure nor error, and do not pass.
fn is_warning_of_phpunit(tag: &Tag<'_>) -> bool {
    tag.get("type").is_some_and(|class| class.starts_with("PHPUnit"))
}

/// A run of googletest always states its failures, and names the root so.
fn is_list_of_googletest(tag: &Tag<'_>) -> bool {
    let [name, tests, failures, time] = ["name", "tests", "failures", "time"].map(|name| tag.get(name));
    tag.name == "testsuites"
        && name.is_some_and(|name| name == "AllTests")
        && tests.is_some()
        && failures.is_none()
        && time.is_none()
}

/// Appends `text` as far as there is room for it; leading white space is left out.
pub(super) fn push_text(message: &mut String, text: &str, limit: usize) {
    let text = if message.is_empty() { text.trim_start() } else { text };
    message.push_str(cut(text, limit.saturating_sub(message.len())));
}

fn push_name(path: &mut String, name: &str) {
    if name.is_empty() {
        return;
    }
    if !path.is_empty() {
        path.push_str(" > ");
    }
    path.push_str(name);
}

fn named(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("suite {path}: ") }
}
