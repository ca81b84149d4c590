//! A package whose tests run.

use std::collections::{BTreeMap, BTreeSet};

use crate::formats::members::Number;

/// Tests that failed, and passes of a repeated run, are remembered up to this number; what goes beyond is no attempt.
const REMEMBERED: usize = 1 << 16;

/// What is known of a package.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// Which run of the package it is.
    pub(super) turn: Turn,
    /// Tests without a slash in their name that failed in any run.
    failed: BTreeSet<String>,
    /// Events came, and the package's own result has not.
    pub(super) is_open: bool,
    /// It has had a result.
    pub(super) has_ended: bool,
    /// Its last result was `fail`.
    pub(super) has_failed: bool,
    /// Tests that failed since it was opened.
    pub(super) bad: u64,
    /// What was printed outside of tests.
    pub(super) output: String,
    pub(super) tests: BTreeMap<String, Open>,
}

/// Which run of a package it is.
///
/// Only a run in which nothing but failed tests runs again holds attempts. A second run of everything, with another
/// build tag for example, holds other tests: a success there says nothing about the failure before it. Which of the two
/// it is shows in the course of the run, so that its successes are held back.
#[derive(Debug, Default)]
pub(super) enum Turn {
    #[default]
    First,
    /// So far, only tests that failed before ran.
    Repeat(BTreeMap<String, Held>),
    /// A further run of other tests.
    Other,
}

/// A test that passed in a repeated run.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) elapsed: Number,
    pub(super) time: String,
}

/// A test that began and has no result yet.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) output: String,
    /// The test that this is a subtest of has passed.
    pub(super) is_of_passed: bool,
}

impl Package {
    pub(super) fn open(&mut self) {
        if !self.is_open {
            self.is_open = true;
            if self.has_ended {
                let repeats = !self.failed.is_empty() && self.failed.len() < REMEMBERED;
                self.turn = if repeats { Turn::Repeat(BTreeMap::new()) } else { Turn::Other };
            }
            self.has_failed = false;
            self.bad = 0;
            self.output.clear();
        }
    }

    /// Whether the run turns out to be no repetition now that this test runs in it.
    pub(super) fn is_other_turn_with(&self, test: &str) -> bool {
        let root = test.split('/').next().unwrap_or(test);
        match &self.turn {
            Turn::Repeat(held) => held.contains_key(test) || held.len() >= REMEMBERED || !self.failed.contains(root),
            Turn::First | Turn::Other => false,
        }
    }

    pub(super) fn note_failed(&mut self, test: &str) {
        self.bad += 1;
        if self.failed.len() < REMEMBERED {
            self.failed.insert(test.split('/').next().unwrap_or(test).to_owned());
        }
    }

    /// Notes that a test passed, for its subtests without a result.
    pub(super) fn passed(&mut self, test: &str) {
        if test.contains('/') {
            return;
        }
        let first = format!("{test}/");
        for (_, open) in self.tests.range_mut(first.clone()..).take_while(|(name, _)| name.starts_with(&first)) {
            open.is_of_passed = true;
        }
    }
}

/// The part of an output that tells why a test failed: without the lines that every test has.
pub(super) fn telling(output: &str) -> &str {
    let line = output.trim();
    let frame = ["=== ", "--- ", "PASS", "FAIL", "ok  \t", "coverage: ", "exit status "];
    if line.is_empty() || frame.iter().any(|start| line.starts_with(start)) { "" } else { output }
}
