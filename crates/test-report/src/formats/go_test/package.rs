//! A package whose tests run.

use std::collections::BTreeMap;

/// What is known of a package.
#[derive(Debug, Default)]
pub(super) struct Package {
    /// Events came, and the package's own result has not.
    pub(super) is_open: bool,
    /// Its last result was `fail`.
    pub(super) has_failed: bool,
    /// Tests that failed since it was opened.
    pub(super) bad: u64,
    /// What was printed outside of tests.
    pub(super) output: String,
    pub(super) tests: BTreeMap<String, Open>,
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
            self.has_failed = false;
            self.bad = 0;
            self.output.clear();
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
