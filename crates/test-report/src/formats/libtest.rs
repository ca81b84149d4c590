//! JSON events of Rust's libtest (`--format json`), and what cargo-nextest writes in the same form.
//!
//! * Several suites may follow each other: one for each test binary. A suite without its end means that the binary died.
//! * A test that began and has no result is errored. cargo-nextest may write the result of a repeated test into a later
//!   suite, so this is told at the end of the report.
//! * `timeout` only warns that a test takes long; its result follows. `ignored` is skipped. A benchmark passed.
//! * cargo-nextest names tests `crate::binary$test` and adds `#3` to the result of a third attempt.
//! * A suite that counts more failed or passed tests than it lists is a problem.
//! * Lines that are no objects (what programs print) are passed over, and so are the messages of cargo, except for the
//!   one that says that the build failed.

use std::collections::BTreeMap;

use report_input::{ErrorKind, Input, Lines, Opening, ReportError};
use serde::Deserialize;

use super::Entry;
use super::events::{self, Line, OPEN_TESTS, first};
use super::members::{Number, Text};
use super::tally::{Listed, Tally, seconds};
use crate::format::Format;
use crate::limits::Limits;
use crate::model::{Outcome, ProblemKind, ReportFacts, Sink, TestCase};

pub(crate) const ENTRY: Entry = Entry { format: Format::Libtest, recognise, read };

fn recognise(opening: &Opening) -> bool {
    events::has_event(opening, |keys, line| {
        let has_type =
            ["suite", "test", "bench"].iter().any(|value| events::has_member(line, "type", &format!("{value}\"")));
        keys.contains(&"type") && keys.contains(&"event") && has_type
    })
}

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(default, rename = "type")]
    kind: Text,
    #[serde(default)]
    event: Text,
    name: Option<String>,
    #[serde(default)]
    exec_time: Number,
    #[serde(default)]
    stdout: Text,
    #[serde(default)]
    message: Text,
    #[serde(default)]
    reason: Text,
    passed: Option<u64>,
    failed: Option<u64>,
    measured: Option<u64>,
    success: Option<bool>,
}

struct Reader<'a> {
    tally: Tally<'a>,
    /// Tests that began, with how often they did so without a result.
    open: BTreeMap<String, u32>,
    open_count: usize,
    suite: Option<Listed>,
}

fn read(input: Input<'_>, limits: &Limits, sink: &mut dyn Sink) -> Result<ReportFacts, ReportError> {
    let tally = Tally::new(input.source(), limits, sink);
    let mut lines = Lines::new(input);
    let mut reader = Reader { tally, open: BTreeMap::new(), open_count: 0, suite: None };
    let mut events = 0u64;
    while let Some(line) = events::next::<Event>(&mut lines)? {
        let Line::Event(event) = line else { continue };
        events += u64::from(!event.event.is_empty());
        reader.take(&event).map_err(|detail| reader.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
        if reader.open_count > OPEN_TESTS {
            return Err(events::too_many_open(&lines));
        }
    }
    if events == 0 {
        return Err(lines.error(ErrorKind::Malformed, "no event of libtest in the whole report"));
    }
    reader.end().map_err(|detail| reader.tally.explain(lines.error(ErrorKind::Malformed, detail)))?;
    Ok(reader.tally.finish(Format::Libtest, lines.bytes_read()))
}

impl Reader<'_> {
    fn take(&mut self, event: &Event) -> Result<(), String> {
        match (&*event.kind, &*event.event) {
            ("suite", "started") => self.start_suite(),
            ("suite", "ok" | "failed") => self.end_suite(event),
            ("suite" | "test", "discovery" | "discovered") => {
                return Err("a list of tests, not a report of a run".to_owned());
            }
            ("test", "started") => {
                *self.open.entry(event.name.clone().unwrap_or_default()).or_default() += 1;
                self.open_count += 1;
            }
            ("test", "timeout") => {}
            ("test" | "bench", _) => return self.end_test(event),
            ("suite", unknown) => self.tally.unknown_value("event of a suite", unknown, ""),
            _ if &*event.reason == "build-finished" && event.success == Some(false) => {
                self.tally.suite_failed("the build failed, so that tests did not run");
            }
            _ => {}
        }
        Ok(())
    }

    fn start_suite(&mut self) {
        if self.suite.is_some() {
            self.without_end();
        }
        self.tally.suites += 1;
        self.suite = Some(self.tally.listed());
    }

    fn without_end(&mut self) {
        let message = format!("suite {} has no end: its test binary died or was stopped", self.tally.suites);
        self.tally.problem(ProblemKind::Incomplete, message);
    }

    fn end_suite(&mut self, event: &Event) {
        let Some(before) = self.suite.take() else {
            self.tally.problem(ProblemKind::Incomplete, "a suite ends that did not begin");
            return;
        };
        let after = self.tally.listed();
        let [passed, bad] = [after.passed - before.passed, after.bad - before.bad];
        let claimed_passed = event.passed.unwrap_or(0).saturating_add(event.measured.unwrap_or(0));
        let claimed_bad = event.failed.unwrap_or(0);
        let suite = self.tally.suites;
        if claimed_bad > bad {
            let message = format!("suite {suite} counts {claimed_bad} failed tests, but lists {bad}");
            self.tally.problem(ProblemKind::CountersDisagree, message);
        } else if claimed_passed > passed {
            let message = format!("suite {suite} counts {claimed_passed} passed tests, but lists {passed}");
            self.tally.problem(ProblemKind::CountersDisagree, message);
        } else if &*event.event == "failed" && bad == 0 {
            self.tally.suite_failed(&format!("suite {suite} failed, but none of its tests did"));
        }
    }

    fn end_test(&mut self, event: &Event) -> Result<(), String> {
        let name = event.name.as_deref().unwrap_or_default();
        let attempts = self.close(name);
        let name = attempts.map_or(name, |(length, _)| &name[..length]);
        let outcome = match &*event.event {
            "ok" => Outcome::Passed,
            _ if &*event.kind == "bench" => Outcome::Passed,
            "failed" | "allowed_failure" => Outcome::Failed,
            "ignored" => Outcome::Skipped,
            unknown => {
                self.tally.unknown_value("event", unknown, name);
                Outcome::Errored
            }
        };
        let message = if outcome.is_bad() {
            first(&[&event.message, &event.stdout, &event.reason])
        } else {
            first(&[&event.message, &event.reason])
        };
        self.emit(&TestCase {
            message,
            duration: event.exec_time.0.and_then(seconds),
            failed_attempts: attempts.map_or(0, |(_, attempt)| attempt.saturating_sub(1)),
            ..TestCase::new(name, outcome)
        })
    }

    /// Closes the test that a result is of. Returns the length of the test's name and the number of the attempt, if the
    /// name says one.
    fn close(&mut self, name: &str) -> Option<(usize, u32)> {
        if self.remove(name) {
            return None;
        }
        let (bare, attempt) = name.rsplit_once('#')?;
        let attempt = attempt.parse().ok()?;
        // A name of cargo-nextest; the beginning may stand in a part of the report that a filter has left out.
        (self.remove(bare) || bare.contains('$')).then_some((bare.len(), attempt))
    }

    fn remove(&mut self, name: &str) -> bool {
        let Some(count) = self.open.get_mut(name) else { return false };
        *count -= 1;
        if *count == 0 {
            self.open.remove(name);
        }
        self.open_count -= 1;
        true
    }

    /// Hands on a test, whose name may hold the one of its binary.
    fn emit(&mut self, case: &TestCase<'_>) -> Result<(), String> {
        let (binary, test) = case.name.split_once('$').unwrap_or(("", case.name));
        let suite_number = self.tally.suites;
        let case = TestCase { name: test, class_name: binary, suite: binary, suite_number, ..*case };
        self.tally.case(&case).map_err(|error| error.to_string())
    }

    fn end(&mut self) -> Result<(), String> {
        for (name, count) in std::mem::take(&mut self.open) {
            for _ in 0..count {
                let message = "the test began and has no result";
                self.emit(&TestCase { message, ..TestCase::new(&name, Outcome::Errored) })?;
            }
        }
        if self.suite.is_some() {
            self.without_end();
        }
        Ok(())
    }
}
