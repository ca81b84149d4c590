//! Reports as JUnit XML, so that tools that judge tests can judge these checks too.
//!
//! A file is a suite as with Hurl's `--report-junit`, and here each run of an entry is a test of it. What a test has
//! got wrong is a `failure`, and what kept it from being judged, such as a connection that was refused, an `error`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::load::LoadError;
use crate::probe::{Judgement, ProbeReport, State};
use crate::report::{EntryOutcome, EntryReport, FailureReport, FileReport, TimingsReport};

/// A JUnit report that is being put together. What is added comes out in the order in which it was added.
#[derive(Clone, Debug)]
pub struct Junit {
    name: String,
    suites: String,
    totals: Totals,
    /// How often a name was used in a class. Readers take a failure and a later success of one name for a rerun.
    seen: BTreeMap<(String, String), usize>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    us: u64,
}

/// One test.
struct Case {
    name: String,
    line: Option<usize>,
    us: u64,
    /// The children of the test.
    body: String,
    totals: Totals,
}

impl Junit {
    /// An empty report; `name` stands at its root.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), suites: String::new(), totals: Totals::default(), seen: BTreeMap::new() }
    }

    /// Adds a file that was run. Attempts that were tried again do not count: the last one of an entry does. Entries
    /// that were not reached are skipped tests.
    pub fn file(&mut self, report: &FileReport) {
        let last = report.entries.iter().map(|entry| entry.entry).max().unwrap_or_default();
        let runs = report.entries.iter().filter(|entry| entry.outcome != EntryOutcome::Retried);
        let mut cases: Vec<Case> = runs.map(|entry| Case::entry(&report.file, entry)).collect();
        cases.extend((1..=report.not_run).map(|index| Case::not_run(last + index)));
        self.suite(&report.file, report.duration_us, cases);
    }

    /// Adds a file that was refused, as one test with an error.
    pub fn refused(&mut self, error: &LoadError) {
        let mut case = Case::new("load".to_owned(), None, 0);
        let first = error.problems.first().map(|problem| format!("{}: {}", problem.title, problem.message));
        case.child("error", "refused", &first.unwrap_or_default(), &error.to_string());
        self.suite(&error.file, 0, vec![case]);
    }

    /// Adds a pattern that no file matches, as one test with an error.
    pub fn unmatched(&mut self, pattern: &str) {
        let mut case = Case::new("load".to_owned(), None, 0);
        let message = format!("no file matches {pattern:?}, so nothing was tested by it");
        case.child("error", "unmatched", &message, &message);
        self.suite(pattern, 0, vec![case]);
    }

    /// Adds a check without HTTP, as one test.
    pub fn probe(&mut self, report: &ProbeReport) {
        let mut case = Case::new(report.check.clone(), None, report.timings.total_us);
        case.properties(&timings(&report.timings));
        if !report.passed {
            let first = report.failures.first().map_or("the check did not pass", String::as_str);
            case.child("failure", "check", first, &report.failures.join("\n"));
        }
        self.suite(&report.check, report.timings.total_us, vec![case]);
    }

    /// Adds what repeated runs of `check` say, as one test. A degraded check is a failed test, since JUnit knows nothing
    /// between passed and failed.
    pub fn judgement(&mut self, check: &str, judgement: &Judgement) {
        let mut case = Case::new("thresholds".to_owned(), None, 0);
        let mut properties = vec![
            ("samples", judgement.samples.to_string()),
            ("failed", judgement.failed.to_string()),
            ("error_rate", judgement.error_rate.to_string()),
        ];
        properties.extend(judgement.p95_us.map(|us| ("p95_us", us.to_string())));
        case.properties(&properties);
        let kind = match judgement.state {
            State::Ok => None,
            State::Degraded => Some("degraded"),
            State::Failed => Some("failed"),
        };
        if let Some(kind) = kind {
            let first = judgement.failures.first().map_or("a threshold was not kept", String::as_str);
            case.child("failure", kind, first, &judgement.failures.join("\n"));
        }
        self.suite(check, 0, vec![case]);
    }

    /// The whole report.
    #[must_use]
    pub fn finish(self) -> String {
        let name = escape(&self.name);
        let root = format!("<testsuites name=\"{name}\"{}>", self.totals.attributes());
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}\n{}</testsuites>\n", self.suites)
    }

    fn suite(&mut self, name: &str, us: u64, cases: Vec<Case>) {
        let mut totals = Totals { us, ..Totals::default() };
        let class = escape(name);
        let mut text = String::new();
        for case in cases {
            totals.add(case.totals);
            let uses = self.seen.entry((name.to_owned(), case.name.clone())).or_default();
            *uses += 1;
            let number = if *uses > 1 { format!(" ({uses})") } else { String::new() };
            let case_name = escape(&case.name) + &number;
            let line = case.line.map(|line| format!(" file=\"{class}\" line=\"{line}\"")).unwrap_or_default();
            let time = seconds(case.us);
            let _ = write!(text, "    <testcase classname=\"{class}\" name=\"{case_name}\"{line} time=\"{time}\"");
            let _ = match case.body.as_str() {
                "" => writeln!(text, "/>"),
                body => writeln!(text, ">\n{body}    </testcase>"),
            };
        }
        self.totals.add(totals);
        self.totals.us = self.totals.us.saturating_add(us);
        let _ = writeln!(self.suites, "  <testsuite name=\"{class}\"{}>\n{text}  </testsuite>", totals.attributes());
    }
}

impl Totals {
    fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.failures += other.failures;
        self.errors += other.errors;
        self.skipped += other.skipped;
    }

    fn attributes(&self) -> String {
        format!(
            " tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
            self.tests,
            self.failures,
            self.errors,
            self.skipped,
            seconds(self.us)
        )
    }
}

impl Case {
    fn new(name: String, line: Option<usize>, us: u64) -> Self {
        Self { name, line, us, body: String::new(), totals: Totals { tests: 1, ..Totals::default() } }
    }

    fn entry(file: &str, entry: &EntryReport) -> Self {
        let us = entry.calls.iter().map(|call| call.timings.total_us).sum();
        let mut case = Self::new(format!("entry {}: {}", entry.entry, entry.request), Some(entry.line), us);
        if let Some(call) = entry.calls.last() {
            let mut properties =
                vec![("url", call.url.clone()), ("status", call.status.to_string()), ("address", call.address.clone())];
            properties.extend(timings(&call.timings));
            case.properties(&properties);
        }
        match entry.outcome {
            EntryOutcome::Skipped => case.skip("the options of the entry skip it"),
            EntryOutcome::Passed => {}
            EntryOutcome::Failed | EntryOutcome::Retried => case.fail(file, &entry.failures),
        }
        case
    }

    fn not_run(number: usize) -> Self {
        let mut case = Self::new(format!("entry {number}"), None, 0);
        case.skip("an entry before it failed");
        case
    }

    fn properties(&mut self, properties: &[(&str, String)]) {
        self.body.push_str("      <properties>\n");
        for (name, value) in properties {
            let _ = writeln!(self.body, "        <property name=\"{name}\" value=\"{}\"/>", escape(value));
        }
        self.body.push_str("      </properties>\n");
    }

    fn skip(&mut self, reason: &str) {
        self.totals.skipped += 1;
        let _ = writeln!(self.body, "      <skipped message=\"{}\"/>", escape(reason));
    }

    /// The faults of an entry: one element, which names them all. An error stands for all where there is one.
    fn fail(&mut self, file: &str, failures: &[FailureReport]) {
        let is_error = failures.is_empty() || failures.iter().any(|failure| !is_of_assert(failure));
        let element = if is_error { "error" } else { "failure" };
        let first = failures.first();
        let kind = first.map_or("Failed", |failure| failure.title.as_str());
        let message = first.map_or_else(|| "the entry failed".to_owned(), headline);
        let details: Vec<String> = failures.iter().map(|failure| details(file, failure)).collect();
        self.child(element, kind, &message, &details.join("\n"));
    }

    fn child(&mut self, element: &str, kind: &str, message: &str, text: &str) {
        match element {
            "error" => self.totals.errors += 1,
            _ => self.totals.failures += 1,
        }
        let (kind, message, text) = (escape(kind), escape(message), escape_text(text));
        let _ = writeln!(self.body, "      <{element} type=\"{kind}\" message=\"{message}\">{text}</{element}>");
    }
}

/// Whether a response was there and did not fulfil an assert.
fn is_of_assert(failure: &FailureReport) -> bool {
    failure.title.starts_with("Assert") || failure.actual.is_some()
}

fn headline(failure: &FailureReport) -> String {
    match (&failure.actual, &failure.expected) {
        (Some(actual), Some(expected)) => format!("{}: actual {actual}, expected {expected}", failure.title),
        _ => format!("{}: {}", failure.title, failure.message),
    }
}

/// A failure as Hurl prints it, with both values.
fn details(file: &str, failure: &FailureReport) -> String {
    let place = format!("{file}:{}:{}", failure.line, failure.column);
    let margin = " ".repeat(failure.line.to_string().len());
    let mut text =
        format!("{}\n{margin} --> {place}\n{margin} |\n{} | {}\n", failure.title, failure.line, failure.source);
    let values = [("actual:   ", &failure.actual), ("expected: ", &failure.expected)];
    for (label, value) in values {
        if let Some(value) = value {
            let _ = writeln!(text, "{margin} | {label}{value}");
        }
    }
    if failure.actual.is_none() || failure.expected.is_none() {
        for line in failure.message.lines() {
            let _ = writeln!(text, "{margin} | {line}");
        }
    }
    text
}

fn timings(timings: &TimingsReport) -> Vec<(&'static str, String)> {
    vec![
        ("dns_us", timings.dns_us.to_string()),
        ("connect_us", timings.connect_us.to_string()),
        ("tls_us", timings.tls_us.to_string()),
        ("first_byte_us", timings.first_byte_us.to_string()),
        ("total_us", timings.total_us.to_string()),
    ]
}

/// Microseconds as seconds with three digits after the point, as Hurl writes them.
fn seconds(us: u64) -> String {
    format!("{}.{:03}", us / 1_000_000, us % 1_000_000 / 1000)
}

/// Text for an attribute, on one line.
fn escape(text: &str) -> String {
    escape_text(text).replace('\n', "&#10;")
}

/// Text for an element. Characters that XML does not have become the replacement character.
fn escape_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' => escaped.push_str("&#9;"),
            '\r' => escaped.push_str("&#13;"),
            '\n' => escaped.push('\n'),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
