//! JSON events of the Dart test runner (`--reporter json`) and of `flutter test --machine`.
//!
//! * A `hidden` test (the loading of a file, `setUpAll`) counts only if it does not succeed.
//! * `failure` is failed, `error` is errored; a test that has no result is errored.
//! * An error after the end of a test that succeeded makes it fail: it is an errored test of its own and a problem.
//! * The `done` event must be there, and say neither that the run failed without a failed test nor that it was stopped.
//! * A second `start` begins another run in the same file. Lines that are no objects (`flutter` writes such) are passed
//!   over.

use std::collections::{BTreeMap, BTreeSet};

use report_input::{ErrorKind, Input, Lines, Opening, ReportError, shortened};
use serde::Deserialize;

use super::Entry;
use super::events::{self, Line, OPEN_TESTS};
use super::members::{Number, Text};
use super::tally::{Tally, seconds};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::Dart, recognise, read };

fn recognise(opening: &Opening) -> bool {
    events::has_event(opening, |keys, line| {
        keys.contains(&"protocolVersion") && events::has_member(line, "type", "start\"")
    })
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    time: Number,
    suite: Option<Suite>,
    test: Option<Test>,
    #[serde(rename = "testID")]
    test_id: Option<i64>,
    result: Option<String>,
    hidden: Option<bool>,
    skipped: Option<bool>,
    success: Option<bool>,
    #[serde(default)]
    error: Text,
    #[serde(default, rename = "messageType")]
    message_type: Text,
    #[serde(default)]
    message: Text,
}

#[derive(Debug, Deserialize)]
struct Suite {
    id: i64,
    #[serde(default)]
    path: Text,
}

#[derive(Debug, Deserialize)]
struct Test {
    id: i64,
    #[serde(default)]
    name: Text,
    #[serde(rename = "suiteID")]
    suite_id: Option<i64>,
}

/// A test that runs.
#[derive(Debug, Default)]
struct Open {
    name: String,
    suite: Option<i64>,
    begin: Option<f64>,
    message: String,
    has_error: bool,
}

struct Reader<'a> {
    tally: Tally<'a>,
    open: BTreeMap<i64, Open>,
    /// Paths of the test files.
    suites: BTreeMap<i64, String>,
    /// Tests that ended badly: a further error of theirs is nothing new.
    bad: BTreeSet<i64>,
    bad_before: u64,
    is_running: bool,
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let tally = Tally::new(input.source(), limits, sink);
    let mut lines = Lines::new(input);
    let mut reader = Reader {
        tally,
        open: BTreeMap::new(),
        suites: BTreeMap::new(),
        bad: BTreeSet::new(),
        bad_before: 0,
        is_running: false,
    };
    let mut runs = 0u64;
    while let Some(line) = events::next::<Event>(&mut lines)? {
        let Line::Event(event) = line else { continue };
        runs += u64::from(event.kind.as_deref() == Some("start"));
        reader.take(event).map_err(|detail| reader.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
        if reader.open.len().max(reader.bad.len()).max(reader.suites.len()) > OPEN_TESTS {
            return Err(events::too_many_open(&lines));
        }
    }
    if runs == 0 {
        return Err(lines.error(ErrorKind::Malformed, "no \"start\" event in the whole report"));
    }
    reader.end_run().map_err(|detail| reader.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
    Ok(reader.tally.finish(Format::Dart, lines.bytes_read()))
}

impl Reader<'_> {
    fn take(&mut self, event: Event) -> Result<(), String> {
        match event.kind.as_deref() {
            Some("start") => {
                self.end_run()?;
                self.is_running = true;
            }
            Some("suite") => {
                if let Some(suite) = event.suite {
                    self.tally.suites += 1;
                    let path = shortened(&suite.path, self.tally.limits().name).into_owned();
                    self.suites.insert(suite.id, path);
                }
            }
            Some("testStart") => return self.start_test(event),
            Some("error") => return self.note_error(&event),
            Some("print") if &*event.message_type == "skip" => {
                if let Some(open) = event.test_id.and_then(|id| self.open.get_mut(&id)) {
                    events::push(&mut open.message, &event.message, self.tally.limits().message);
                }
            }
            Some("testDone") => return self.end_test(&event),
            Some("done") => return self.done(event.success),
            _ => {}
        }
        Ok(())
    }

    fn start_test(&mut self, event: Event) -> Result<(), String> {
        let Some(test) = event.test else { return Err("a \"testStart\" without a \"test\"".to_owned()) };
        let name = shortened(&test.name, self.tally.limits().name).into_owned();
        let open = Open { name, suite: test.suite_id, begin: event.time.0, ..Open::default() };
        if let Some(before) = self.open.insert(test.id, open) {
            self.emit(&before, Outcome::Errored, "the test began and has no result", None)?;
        }
        Ok(())
    }

    fn note_error(&mut self, event: &Event) -> Result<(), String> {
        let Some(id) = event.test_id else { return Err("an \"error\" without a \"testID\"".to_owned()) };
        if let Some(open) = self.open.get_mut(&id) {
            if !std::mem::replace(&mut open.has_error, true) {
                open.message.clear();
                events::push(&mut open.message, &event.error, self.tally.limits().message);
            }
        } else if self.bad.insert(id) {
            let name = format!("(test {id}, after its end)");
            self.emit(&Open { name, ..Open::default() }, Outcome::Errored, &event.error, None)?;
            self.tally.problem(ProblemKind::SuiteFailed, format!("an error after the end of test {id}"));
        }
        Ok(())
    }

    fn end_test(&mut self, event: &Event) -> Result<(), String> {
        let Some(id) = event.test_id else { return Err("a \"testDone\" without a \"testID\"".to_owned()) };
        let Some(result) = event.result.as_deref() else {
            return Err("a \"testDone\" without a \"result\"".to_owned());
        };
        let open = self.open.remove(&id).unwrap_or_default();
        let outcome = match result {
            "success" if open.has_error => Outcome::Errored,
            "success" if event.skipped == Some(true) => Outcome::Skipped,
            "success" => Outcome::Passed,
            "failure" => Outcome::Failed,
            "error" => Outcome::Errored,
            unknown => {
                self.tally.unknown_value("result", unknown, &open.name);
                Outcome::Errored
            }
        };
        if outcome.is_bad() {
            self.bad.insert(id);
        } else if event.hidden == Some(true) {
            return Ok(());
        }
        self.emit(&open, outcome, &open.message, event.time.0)
    }

    fn emit(&mut self, open: &Open, outcome: Outcome, message: &str, end: Option<f64>) -> Result<(), String> {
        let path = open.suite.and_then(|id| self.suites.get(&id)).map_or("", String::as_str);
        let milliseconds = open.begin.zip(end).map(|(begin, end)| end - begin);
        let case = TestCase {
            class_name: path,
            suite: path,
            suite_number: open.suite.and_then(|id| u64::try_from(id).ok()).unwrap_or_default(),
            file: path,
            duration: milliseconds.and_then(|milliseconds| seconds(milliseconds / 1000.0)),
            message,
            ..TestCase::new(&open.name, outcome)
        };
        self.tally.case(&case).map_err(|error| error.to_string())
    }

    fn done(&mut self, success: Option<bool>) -> Result<(), String> {
        self.is_running = false;
        self.fail_open_tests()?;
        match success {
            Some(false) if self.tally.listed().bad == self.bad_before => {
                self.tally.suite_failed("the run failed, but none of its tests did");
            }
            None => self.tally.problem(ProblemKind::Incomplete, "the run was stopped before its end"),
            Some(_) => {}
        }
        Ok(())
    }

    fn fail_open_tests(&mut self) -> Result<(), String> {
        for open in std::mem::take(&mut self.open).into_values() {
            self.emit(&open, Outcome::Errored, "the test began and has no result", None)?;
        }
        Ok(())
    }

    /// A run ends because another begins, or the report is at its end.
    fn end_run(&mut self) -> Result<(), String> {
        self.fail_open_tests()?;
        if std::mem::replace(&mut self.is_running, false) {
            self.tally.problem(
                ProblemKind::Incomplete,
                "the run has no \"done\" event: it was stopped, or the report is cut short",
            );
        }
        self.suites.clear();
        self.bad.clear();
        self.bad_before = self.tally.listed().bad;
        Ok(())
    }
}
