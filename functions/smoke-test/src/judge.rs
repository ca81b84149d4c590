//! The pure decision about one sample.

use stagegate_hurl_runner::{EntryOutcome, LoadError};
use stagegate_verdict::{CheckCounts, Execution, Finding, Outcome as VerdictOutcome, VerdictBuilder};

use crate::run::{Outcome, Run, Sample, UnitReport};
use crate::suite::Suite;
use crate::text::{entry_line, phases};

/// The rules that findings name.
pub const RULES: [&str; 4] = ["hurl", "checks", "always", "steady"];

/// The most entries that a finding lists.
const MAX_SUBJECTS: usize = 20;
/// The most characters of one of them.
const MAX_SUBJECT_CHARS: usize = 600;

/// What `sample` of `suite` shows. The verdict is built by the caller, who may have something to add.
pub fn judge(gate: &str, suite: &Suite, sample: &Sample, execution: Execution) -> VerdictBuilder {
    let mut verdict = VerdictBuilder::new(gate, execution);
    for (rule, pattern) in &suite.unmatched {
        verdict.finding(unmatched(rule, pattern, &suite.places));
    }
    for error in &suite.refused {
        verdict.finding(refused(error));
    }
    for unit in &sample.units {
        verdict.finding(finding(unit));
    }
    for unit in &sample.always {
        verdict.finding(cleaned_up(unit));
    }
    for evidence in &suite.evidence {
        verdict.evidence(evidence.clone());
    }
    verdict.checks(counts(suite, sample));
    verdict
}

/// The figures of a sample. A file that was refused and a pattern without a file have failed.
pub(crate) fn counts(suite: &Suite, sample: &Sample) -> CheckCounts {
    let outcomes = sample.units.iter().map(UnitReport::outcome);
    let count = |wanted: Outcome| outcomes.clone().filter(|outcome| *outcome == wanted).count() as u64;
    let missing = (suite.refused.len() + suite.unmatched.iter().filter(|(rule, _)| *rule == "hurl").count()) as u64;
    let (passed, degraded, failed) =
        (count(Outcome::Passed), count(Outcome::Degraded), count(Outcome::Failed) + missing);
    let runs = sample.units.iter().chain(&sample.always).flat_map(|unit| &unit.runs);
    CheckCounts {
        total: passed + degraded + failed,
        passed,
        degraded,
        failed,
        requests: runs.map(|run| run.requests() as u64).sum(),
        duration_ms: u64::try_from(sample.duration.as_millis()).unwrap_or(u64::MAX),
    }
}

fn unmatched(rule: &str, pattern: &str, places: &[String]) -> Finding {
    let places = if places.is_empty() { "the source".to_owned() } else { places.join(", ") };
    let message = format!("no file of {places} matches {pattern:?}, so nothing was tested by it");
    Finding::new(rule, VerdictOutcome::Failed, message).measured("0 files", "at least 1")
}

fn refused(error: &LoadError) -> Finding {
    let problems: Vec<_> = error
        .problems
        .iter()
        .map(|problem| {
            let place = match (problem.line, problem.column) {
                (0, _) => error.file.clone(),
                (line, 0) => format!("{}:{line}", error.file),
                (line, column) => format!("{}:{line}:{column}", error.file),
            };
            shortened(&format!("{place}: {}: {}", problem.title, problem.message))
        })
        .collect();
    let first = problems.first().cloned().unwrap_or_else(|| error.file.clone());
    let message = format!("the file cannot be run: {first}");
    Finding::new("hurl", VerdictOutcome::Failed, message).about(problems.into_iter().skip(1).take(MAX_SUBJECTS))
}

fn finding(unit: &UnitReport) -> Finding {
    let outcome = match unit.outcome() {
        Outcome::Passed => VerdictOutcome::Passed,
        Outcome::Degraded => VerdictOutcome::Inconclusive,
        Outcome::Failed => VerdictOutcome::Failed,
    };
    let finding = Finding::new(unit.rule, outcome, message(unit)).about(subjects(unit));
    if unit.thresholds.is_measured() {
        return finding.measured(observed(unit), limit(unit));
    }
    finding
}

/// A clean-up that fails says nothing about what was tested, but leaves something behind: a person must look.
fn cleaned_up(unit: &UnitReport) -> Finding {
    let (outcome, message) = match unit.outcome() {
        Outcome::Passed => (VerdictOutcome::Passed, message(unit)),
        _ => (VerdictOutcome::Inconclusive, format!("the clean-up did not succeed: {}", message(unit))),
    };
    Finding::new("always", outcome, message).about(subjects(unit))
}

fn message(unit: &UnitReport) -> String {
    let name = &unit.name;
    let attempts = if unit.attempts > 1 { format!(" (attempt {})", unit.attempts) } else { String::new() };
    if unit.outcome() == Outcome::Passed {
        let summary = match (unit.thresholds.is_measured(), unit.runs.last()) {
            (true, _) => observed(unit),
            (false, Some(Run::File(report))) => {
                let passed = report.entries.iter().filter(|entry| entry.outcome == EntryOutcome::Passed).count();
                let plural = if passed == 1 { "entry" } else { "entries" };
                format!("{passed} {plural} passed in {} ms", report.duration_us / 1000)
            }
            (false, Some(Run::Probe(report))) => phases(&report.timings),
            (false, None) => "passed".to_owned(),
        };
        return format!("{name}: {summary}{attempts}");
    }
    if unit.thresholds.repeat > 1 {
        return format!("{name}: {}{attempts}", unit.judgement.failures.join("; "));
    }
    let reason = match unit.runs.iter().find(|run| !run.passed()) {
        Some(Run::File(report)) => match report.failed().next() {
            Some(entry) => return shortened(&entry_line(name, entry)) + &attempts,
            None => "no entry was run, so nothing was tested; add a request".to_owned(),
        },
        Some(Run::Probe(report)) => report.failures.join("; "),
        None => unit.judgement.failures.join("; "),
    };
    shortened(&format!("{name}: {reason}")) + &attempts
}

/// `19 of 20 runs passed, 95 of 100 within 212 ms`.
fn observed(unit: &UnitReport) -> String {
    let judgement = &unit.judgement;
    let passed = judgement.samples - judgement.failed.min(judgement.samples);
    let p95 = judgement.p95_us.map(|us| format!(", 95 of 100 within {} ms", us.div_ceil(1000))).unwrap_or_default();
    format!("{passed} of {} runs passed{p95}", unit.thresholds.repeat)
}

fn limit(unit: &UnitReport) -> String {
    let thresholds = &unit.thresholds;
    let rate = thresholds.error_rate.map_or_else(|| "0".to_owned(), |rate| rate.to_string());
    let p95 = thresholds.p95.map(|limit| format!(", p95 {limit}")).unwrap_or_default();
    let degraded = thresholds.degraded.map(|degraded| {
        let p95 = degraded.p95.map(|limit| format!("p95 {limit}"));
        let rate = degraded.error_rate.map(|rate| format!("error rate {rate}"));
        format!("; degraded from {}", p95.into_iter().chain(rate).collect::<Vec<_>>().join(" or "))
    });
    format!("error rate {rate}{p95}{}", degraded.unwrap_or_default())
}

/// The entries: those that failed where there are some, else all.
fn subjects(unit: &UnitReport) -> Vec<String> {
    let failed = unit.runs.iter().any(|run| !run.passed());
    let mut lines = Vec::new();
    for run in unit.runs.iter().filter(|run| !failed || !run.passed()) {
        match run {
            Run::File(report) => {
                let wanted =
                    |outcome| if failed { outcome == EntryOutcome::Failed } else { outcome != EntryOutcome::Retried };
                let entries = report.entries.iter().filter(|entry| wanted(entry.outcome));
                lines.extend(entries.map(|entry| shortened(&entry_line(&unit.name, entry))));
                if report.not_run > 0 {
                    lines.push(format!("{}: {} entries after it were not run", unit.name, report.not_run));
                }
            }
            Run::Probe(report) => lines.extend(report.failures.iter().map(|failure| shortened(failure))),
        }
    }
    let more = lines.len().saturating_sub(MAX_SUBJECTS);
    lines.truncate(MAX_SUBJECTS);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn shortened(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(MAX_SUBJECT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The finding of a time in which everything stayed green, or did not.
pub(crate) fn steady(outcome: VerdictOutcome, message: impl Into<String>) -> Finding {
    Finding::new("steady", outcome, message)
}
