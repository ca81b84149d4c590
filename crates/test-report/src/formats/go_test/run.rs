//! From events to tests.

use std::collections::BTreeMap;

use report_input::cut;
use serde::Deserialize;

use super::package::{Held, Open, Package, Turn, telling};
use crate::formats::events;
use crate::formats::members::{Number, Text};
use crate::formats::tally::{Tally, seconds};
use crate::model::{Outcome, ProblemKind, TestCase};

/// An event of test2json (`go doc test2json`), or of a build (`go help buildjson`).
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(default, rename = "Action")]
    pub(super) action: String,
    #[serde(default, rename = "Time")]
    time: Text,
    #[serde(default, rename = "Package")]
    package: String,
    #[serde(default, rename = "Test")]
    test: String,
    #[serde(default, rename = "Elapsed")]
    elapsed: Number,
    #[serde(default, rename = "Output")]
    output: Text,
    #[serde(default, rename = "ImportPath")]
    import_path: String,
    #[serde(default, rename = "FailedBuild")]
    failed_build: String,
}

/// Builds that failed are remembered up to this number; their output is for people.
const BUILDS: usize = 1000;

/// A build that is reported on.
#[derive(Debug, Default)]
struct Build {
    output: String,
    has_failed: bool,
    /// A package says that it failed because of this build.
    is_named: bool,
}

/// All packages of a report.
pub(super) struct Run<'a> {
    pub(super) tally: Tally<'a>,
    packages: BTreeMap<String, Package>,
    builds: BTreeMap<String, Build>,
    /// Packages that failed according to a line that is no event.
    failed_in_text: BTreeMap<String, &'static str>,
    fails_in_text: bool,
    open_tests: usize,
}

const BUILD_FAILED: &str = "[build failed]";
const SETUP_FAILED: &str = "[setup failed]";
const PACKAGE_FAILED: &str = "[package failed]";

impl<'a> Run<'a> {
    pub(super) fn new(tally: Tally<'a>) -> Self {
        Run {
            tally,
            packages: BTreeMap::new(),
            builds: BTreeMap::new(),
            failed_in_text: BTreeMap::new(),
            fails_in_text: false,
            open_tests: 0,
        }
    }

    /// Tests and packages that are kept in memory.
    pub(super) fn open_tests(&self) -> usize {
        self.open_tests + self.packages.len()
    }

    pub(super) fn take(&mut self, event: &Event) -> Result<(), String> {
        self.tally.note_timestamp(&event.time);
        if event.action.starts_with("build-") {
            self.take_build(event);
            return Ok(());
        }
        let limit = self.tally.limits().message;
        let package = self.packages.entry(event.package.clone()).or_insert_with(|| {
            self.tally.suites += 1;
            Package::default()
        });
        let is_of_test = !event.test.is_empty();
        match event.action.as_str() {
            "run" if is_of_test => {
                package.open();
                self.open_tests += 1;
                if let Some(before) = package.tests.insert(event.test.clone(), Open::default()) {
                    self.open_tests -= 1;
                    package.note_failed(&event.test);
                    return self.emit(event, Outcome::Errored, &before.output);
                }
            }
            "output" => {
                let kept = match package.tests.get_mut(&event.test) {
                    Some(open) => &mut open.output,
                    None => &mut package.output,
                };
                let is_verdict = event.output.trim_end().ends_with(" failed]");
                events::push(kept, if is_verdict { &event.output } else { telling(&event.output) }, limit);
            }
            "pass" | "bench" if is_of_test => return self.end_test(event, Outcome::Passed),
            "fail" if is_of_test => return self.end_test(event, Outcome::Failed),
            "skip" if is_of_test => return self.end_test(event, Outcome::Skipped),
            "pass" | "skip" => return self.end_package(event, true),
            "fail" => return self.end_package(event, false),
            "start" => package.open(),
            _ => {}
        }
        Ok(())
    }

    fn take_build(&mut self, event: &Event) {
        if self.builds.len() >= BUILDS && !self.builds.contains_key(&event.import_path) {
            self.fails_in_text |= event.action == "build-fail";
            return;
        }
        let build = self.builds.entry(event.import_path.clone()).or_default();
        match event.action.as_str() {
            "build-output" => events::push(&mut build.output, &event.output, self.tally.limits().message),
            "build-fail" => build.has_failed = true,
            _ => {}
        }
    }

    /// Takes a line that is no event, and says whether it tells of a failure.
    pub(super) fn take_text(&mut self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix("FAIL").filter(|rest| rest.is_empty() || rest.starts_with(['\t', ' ']))
        else {
            return false;
        };
        let rest = rest.trim();
        let name = [BUILD_FAILED, SETUP_FAILED].into_iter().find(|name| rest.ends_with(name));
        match name {
            Some(name) if self.failed_in_text.len() < BUILDS => {
                let package = rest.trim_end_matches(name).trim();
                self.failed_in_text.insert(package.to_owned(), name);
            }
            _ => self.fails_in_text = true,
        }
        true
    }

    fn end_test(&mut self, event: &Event, outcome: Outcome) -> Result<(), String> {
        let Some(package) = self.packages.get_mut(&event.package) else { return Ok(()) };
        package.open();
        let open = package.tests.remove(&event.test);
        self.open_tests -= usize::from(open.is_some());
        if outcome.is_bad() {
            package.note_failed(&event.test);
        } else if outcome == Outcome::Passed {
            package.passed(&event.test);
        }
        self.emit(event, outcome, &open.unwrap_or_default().output)
    }

    fn emit(&mut self, event: &Event, outcome: Outcome, output: &str) -> Result<(), String> {
        if self.packages.get(&event.package).is_some_and(|package| package.is_other_turn_with(&event.test)) {
            self.release(&event.package, false)?;
        }
        if outcome == Outcome::Passed
            && let Some(Package { turn: Turn::Repeat(held), .. }) = self.packages.get_mut(&event.package)
        {
            held.insert(event.test.clone(), Held { elapsed: event.elapsed, time: event.time.0.clone() });
            return Ok(());
        }
        self.hand_on(
            &event.package,
            &TestCase {
                duration: event.elapsed.0.and_then(seconds),
                message: if outcome == Outcome::Passed { "" } else { output },
                timestamp: &event.time,
                // A failure may be repeated in a later run of the package.
                may_be_attempt: outcome.is_bad(),
                ..TestCase::new(&event.test, outcome)
            },
        )
    }

    /// Hands on the successes of a repeated run: as attempts, or as tests of their own.
    fn release(&mut self, name: &str, are_attempts: bool) -> Result<(), String> {
        let Some(package) = self.packages.get_mut(name) else { return Ok(()) };
        if let Turn::Repeat(held) = std::mem::replace(&mut package.turn, Turn::Other) {
            for (test, held) in held {
                self.hand_on(
                    name,
                    &TestCase {
                        duration: held.elapsed.0.and_then(seconds),
                        timestamp: &held.time,
                        may_be_attempt: are_attempts,
                        ..TestCase::new(&test, Outcome::Passed)
                    },
                )?;
            }
        }
        Ok(())
    }

    fn hand_on(&mut self, package: &str, case: &TestCase<'_>) -> Result<(), String> {
        // Packages run at the same time and attempts come later, so that all of them are one suite here; the package keeps
        // equal names apart.
        let case = TestCase { class_name: package, suite: package, suite_number: 1, ..*case };
        self.tally.case(&case).map_err(|error| error.to_string())
    }

    fn end_package(&mut self, event: &Event, passed: bool) -> Result<(), String> {
        let name = event.package.as_str();
        self.end_open_tests(name, passed)?;
        self.release(name, true)?;
        let Some(package) = self.packages.get_mut(name) else { return Ok(()) };
        let (bad, output) = (package.bad, std::mem::take(&mut package.output));
        package.is_open = false;
        package.has_ended = true;
        package.has_failed = !passed;
        package.bad = 0;
        let build = self.builds.get_mut(&event.failed_build);
        if let Some(build) = build {
            build.is_named = true;
        }
        if passed || bad > 0 {
            return Ok(());
        }
        let reason = if output.contains(SETUP_FAILED) {
            SETUP_FAILED
        } else if output.contains(BUILD_FAILED) || !event.failed_build.is_empty() {
            BUILD_FAILED
        } else {
            PACKAGE_FAILED
        };
        let built = self.builds.get(&event.failed_build).map(|build| build.output.clone());
        let message = built.filter(|output| !output.is_empty()).unwrap_or(output);
        self.fail_package(name, reason, &message, event.elapsed)
    }

    /// Reports a package that failed without a failed test.
    fn fail_package(&mut self, package: &str, reason: &str, output: &str, elapsed: Number) -> Result<(), String> {
        let duration = elapsed.0.and_then(seconds);
        self.hand_on(package, &TestCase { duration, message: output, ..TestCase::new(reason, Outcome::Errored) })?;
        let message = format!("package {}: {}", cut(package, 500), reason.trim_matches(['[', ']']));
        self.tally.problem(ProblemKind::SuiteFailed, message);
        Ok(())
    }

    fn end_open_tests(&mut self, name: &str, passed: bool) -> Result<(), String> {
        let Some(package) = self.packages.get_mut(name) else { return Ok(()) };
        let tests = std::mem::take(&mut package.tests);
        self.open_tests -= tests.len();
        for (test, open) in tests {
            let outcome = if passed && test.starts_with("Benchmark") {
                Outcome::Passed
            } else if passed && open.is_of_passed {
                continue;
            } else {
                Outcome::Errored
            };
            if let Some(package) = self.packages.get_mut(name).filter(|_| outcome.is_bad()) {
                package.note_failed(&test);
            }
            let message = if open.output.is_empty() { "the test began and has no result" } else { &open.output };
            self.hand_on(
                name,
                &TestCase { message, may_be_attempt: outcome.is_bad(), ..TestCase::new(&test, outcome) },
            )?;
        }
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), String> {
        let names: Vec<String> =
            self.packages.iter().filter(|(_, package)| package.is_open).map(|(name, _)| name.clone()).collect();
        for name in &names {
            self.end_open_tests(name, false)?;
            self.release(name, false)?;
        }
        if let Some(name) = names.first() {
            let message =
                format!("package {} has no result: it was stopped, or the report is cut short", cut(name, 500));
            self.tally.problem(ProblemKind::Incomplete, message);
        }
        for (package, reason) in std::mem::take(&mut self.failed_in_text) {
            if self.packages.get(&package).is_none_or(|package| !package.has_failed) {
                self.fail_package(&package, reason, "", Number::default())?;
            }
        }
        let unnamed =
            std::mem::take(&mut self.builds).into_iter().find(|(_, build)| build.has_failed && !build.is_named);
        if let Some((path, build)) = unnamed.filter(|_| !self.packages.values().any(|package| package.has_failed)) {
            self.fail_package(&path, BUILD_FAILED, &build.output, Number::default())?;
        }
        if self.fails_in_text && self.tally.listed().bad == 0 {
            self.tally.suite_failed("go test printed FAIL, but no test failed");
        }
        Ok(())
    }
}
