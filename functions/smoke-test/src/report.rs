//! JUnit reports.

use stagegate_hurl_runner::Junit;

use crate::run::{Outcome, Run, Sample, UnitReport};
use crate::suite::Suite;

/// Everything of a sample as JUnit: a suite for each file and check, a test for each entry. A file or check with limits
/// over several runs is one test, with the runs that failed beside it where it failed itself.
pub fn junit(gate: &str, suite: &Suite, sample: &Sample) -> String {
    let mut junit = Junit::new(gate);
    for error in &suite.refused {
        junit.refused(error);
    }
    for (_, pattern) in &suite.unmatched {
        junit.unmatched(pattern);
    }
    for unit in sample.units.iter().chain(&sample.always) {
        add(&mut junit, unit);
    }
    junit.finish()
}

fn add(junit: &mut Junit, unit: &UnitReport) {
    let measured = unit.thresholds.is_measured();
    if measured {
        junit.judgement(&unit.name, &unit.judgement);
    }
    let shown = |run: &&Run| !measured || (unit.outcome() == Outcome::Failed && !run.passed());
    for run in unit.runs.iter().filter(shown) {
        match run {
            Run::File(report) => junit.file(report),
            Run::Probe(report) => junit.probe(report),
        }
    }
}
