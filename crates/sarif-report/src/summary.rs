//! Totals over any number of logs.

use crate::model::{Counts, Finding, Problem, Uncounted, Which};

/// Counts, the first findings and the problems of any number of logs. Memory does not grow with the number of results.
#[derive(Debug, Clone)]
pub struct Summary {
    pub(crate) which: Which,
    pub(crate) counts: Counts,
    pub(crate) uncounted: Uncounted,
    pub(crate) without_baseline_state: u64,
    pub(crate) keep: usize,
    findings: Vec<Finding>,
    problems: Vec<Problem>,
    problem_count: u64,
    pub(crate) logs: u64,
}

impl Default for Summary {
    /// Counts all results; keeps 50 findings and 50 problems.
    fn default() -> Self {
        Summary::keeping(Which::All, 50)
    }
}

impl Summary {
    /// A summary of `which` results that keeps as many findings as `keep` says, and as many problems. All are counted.
    #[must_use]
    pub fn keeping(which: Which, keep: usize) -> Self {
        Summary {
            which,
            counts: Counts::default(),
            uncounted: Uncounted::default(),
            without_baseline_state: 0,
            keep,
            findings: Vec::new(),
            problems: Vec::new(),
            problem_count: 0,
            logs: 0,
        }
    }

    /// Which results count.
    #[must_use]
    pub fn which(&self) -> Which {
        self.which
    }

    /// The results that count.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The results that do not.
    #[must_use]
    pub fn uncounted(&self) -> Uncounted {
        self.uncounted
    }

    /// Counted results without a baseline state. Where only new results are asked for, they count for want of evidence
    /// that they are old; the tool was probably run without a baseline.
    #[must_use]
    pub fn without_baseline_state(&self) -> u64 {
        self.without_baseline_state
    }

    /// The worst findings, worst level first and in the order of the logs within a level.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The first problems; as long as there is one, the logs must not pass.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// All problems, those that were not kept included.
    #[must_use]
    pub fn problem_count(&self) -> u64 {
        self.problem_count
    }

    /// Logs begun.
    #[must_use]
    pub fn logs(&self) -> u64 {
        self.logs
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problem_count += 1;
        if self.problems.len() < self.keep {
            self.problems.push(problem);
        }
    }

    pub(crate) fn keep_findings(&mut self, findings: impl IntoIterator<Item = Finding>) {
        self.findings.extend(findings);
        // The sort is stable, so that the order of the logs stays.
        self.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        self.findings.truncate(self.keep);
    }
}
