//! The judgement: policy and evidence in, findings out. Nothing here reads, waits or answers.

use std::time::Duration;

use jiff::Timestamp;
use stagegate_config::{Rule, TestsPolicy};
use stagegate_verdict::{
    Evidence as Source, Execution, Finding, Outcome, TestCounts, Verdict, VerdictBuilder, grouped, percent,
};

use crate::evidence::Evidence;

/// How many names a one-line message carries.
const NAMED: usize = 3;
/// How many subjects a finding lists.
const LISTED: usize = 20;

/// Judges the evidence of one execution by the policy of the gate named `gate`.
pub fn judge(gate: &str, policy: &TestsPolicy, evidence: &Evidence, execution: Execution, at: Timestamp) -> Verdict {
    let mut verdict = VerdictBuilder::new(gate, execution);
    let counts = counts(evidence);
    // Where no report could be read, the figures would only say that nothing was counted.
    if evidence.files.iter().any(|file| file.unreadable.is_none()) {
        verdict.tests(counts);
    }
    for file in &evidence.files {
        verdict.evidence(Source { source: file.source.clone(), digest: file.digest.clone() });
    }
    let judgement = Judgement { policy, evidence, counts };
    let findings = [
        judgement.files(),
        judgement.readable(),
        judgement.consistent(),
        judgement.not_empty(),
        judgement.min_total(),
        judgement.max_failed(),
        judgement.min_pass_rate(),
        judgement.max_skipped(),
        judgement.max_flaky(),
        judgement.max_duration(),
        judgement.required(),
    ];
    findings.into_iter().flatten().for_each(|finding| verdict.finding(finding));
    verdict.build(at)
}

fn counts(evidence: &Evidence) -> TestCounts {
    let tests = evidence.summary.tests();
    let duration_ms = u64::try_from(evidence.summary.duration().as_millis()).unwrap_or(u64::MAX);
    TestCounts {
        total: tests.total,
        passed: tests.passed,
        failed: tests.failed,
        errored: tests.errored,
        skipped: tests.skipped,
        flaky: tests.flaky,
        duration_ms,
    }
}

struct Judgement<'a> {
    policy: &'a TestsPolicy,
    evidence: &'a Evidence,
    counts: TestCounts,
}

impl Judgement<'_> {
    /// Each pattern must match its number of files.
    fn files(&self) -> Option<Finding> {
        let patterns = self.policy.reports.iter().zip(&self.evidence.matches);
        let short: Vec<_> = patterns.filter(|(pattern, found)| **found < self.policy.min_files_of(pattern)).collect();
        let found = self.evidence.files.len() as u64;
        let Some((pattern, matched)) = short.first() else {
            let message = format!("{} found", plural(found, "report file"));
            return Some(Finding::new("tests.reports", Outcome::Passed, message));
        };
        let (wanted, place) = (self.policy.min_files_of(pattern), self.evidence.places.join(", "));
        let glob = pattern.files.glob();
        let message = match matched {
            0 => format!("no file matches {glob:?} in {place}; check the pattern and that the build keeps its reports"),
            _ => format!("{} match {glob:?} in {place}, at least {wanted} must", plural(**matched, "file")),
        };
        let subjects = short.iter().map(|(pattern, matched)| format!("{}: {matched} found", pattern.files.glob()));
        let subjects: Vec<_> = if short.len() > 1 { subjects.collect() } else { Vec::new() };
        Some(Finding::new("tests.min_files", Outcome::Failed, message).measured(matched, wanted).about(subjects))
    }

    /// Every report must be readable to its end.
    fn readable(&self) -> Option<Finding> {
        let unreadable: Vec<_> = self.evidence.unreadable().map(|(_, error)| error.to_string()).collect();
        let first = unreadable.first()?;
        let (bad, all) = (unreadable.len() as u64, self.evidence.files.len() as u64);
        let message = match bad {
            1 if all == 1 => format!("the report cannot be read: {first}"),
            _ => format!("{} of {} cannot be read: {first}", grouped(bad), plural(all, "report file")),
        };
        let subjects = if bad > 1 { unreadable.into_iter().take(LISTED).collect() } else { Vec::new() };
        Some(Finding::new("tests.readable", Outcome::Failed, message).measured(bad, 0).about(subjects))
    }

    /// What a report says about itself must agree with its tests.
    fn consistent(&self) -> Option<Finding> {
        let problems: Vec<_> = self.evidence.summary.problems().iter().map(ToString::to_string).collect();
        let (first, all) = (problems.first()?, self.evidence.summary.problem_count());
        let message = match all {
            1 => format!("a report contradicts itself or is incomplete: {first}"),
            _ => format!("reports contradict themselves or are incomplete in {} places: {first}", grouped(all)),
        };
        let subjects = if all > 1 { problems.into_iter().take(LISTED).collect() } else { Vec::new() };
        Some(Finding::new("tests.consistent", Outcome::Failed, message).measured(all, 0).about(subjects))
    }

    /// Reports in which no test passed show nothing.
    ///
    /// Failed tests do not count here and under `min_total`, even where some are allowed: a failure more must never
    /// turn a verdict towards passed. Where too many failed, that is the finding, and these two keep quiet about it.
    fn not_empty(&self) -> Option<Finding> {
        // Without any readable file, the missing or unreadable files are the finding.
        let nothing_read = self.evidence.files.is_empty() || self.evidence.unreadable().next().is_some();
        if self.counts.passed > 0 || nothing_read || self.too_many_failed() {
            return None;
        }
        let files = plural(self.evidence.files.len() as u64, "report file");
        let what = match self.counts.total {
            0 => format!("no test in {files}"),
            total => format!("none of {} passed, {} skipped", plural(total, "test"), grouped(self.counts.skipped)),
        };
        Some(match self.policy.allow_empty {
            true => Finding::new("tests.allow_empty", Outcome::Passed, format!("{what}, as the policy allows")),
            false => {
                let message = format!("{what}; set allow_empty where that is meant");
                Finding::new("tests.allow_empty", Outcome::Failed, message).measured(0, 1)
            }
        })
    }

    fn min_total(&self) -> Option<Finding> {
        let rule = self.policy.min_total?;
        let total = self.counts.total;
        let counted = if self.too_many_failed() { total } else { total.saturating_sub(self.counts.broken()) };
        let but_failed = if counted < total { " that did not fail" } else { "" };
        let message = match counted >= rule.limit {
            true => format!("{}{but_failed} (at least {})", plural(counted, "test"), grouped(rule.limit)),
            false => {
                format!("only {}{but_failed} (at least {} must be there)", plural(counted, "test"), grouped(rule.limit))
            }
        };
        Some(limited("tests.min_total", counted >= rule.limit, &rule, message).measured(counted, rule.limit))
    }

    /// The limit of failed tests; `None` where the pass rate says how many may fail.
    fn failed_limit(&self) -> Option<Rule<u64>> {
        match (self.policy.max_failed, self.policy.min_pass_rate) {
            (Some(rule), _) => Some(rule),
            (None, Some(_)) => None,
            (None, None) => Some(Rule::from(0)),
        }
    }

    fn too_many_failed(&self) -> bool {
        self.failed_limit().is_some_and(|rule| !rule.shadow && self.counts.broken() > rule.limit)
    }

    fn max_failed(&self) -> Option<Finding> {
        let rule = self.failed_limit()?;
        let (broken, limit) = (self.counts.broken(), grouped(rule.limit));
        let verb = if self.counts.errored > 0 { "failed or ended in an error" } else { "failed" };
        let of = format!("{} of {}", grouped(broken), plural(self.counts.total, "test"));
        let message = format!("{of} {verb} (limit {limit}){}", self.names());
        let finding = limited("tests.max_failed", broken <= rule.limit, &rule, message);
        Some(finding.measured(broken, rule.limit).about(self.failing()))
    }

    fn min_pass_rate(&self) -> Option<Finding> {
        let rule = self.policy.min_pass_rate?;
        let (passed, ran) = (self.counts.passed, self.counts.ran());
        let reached = rule.limit.is_reached(passed, ran);
        let (rate, limit) = (percent(passed, ran), rule.limit);
        let message = match reached {
            true => format!("{rate} % of {} that ran passed (at least {limit} %)", plural(ran, "test")),
            false => {
                let names = self.names();
                format!("only {rate} % of {} that ran passed (at least {limit} % must){names}", plural(ran, "test"))
            }
        };
        let finding = limited("tests.min_pass_rate", reached, &rule, message).measured(rate, limit);
        // The failing tests stand under max_failed where that rule is judged.
        Some(if self.policy.max_failed.is_none() { finding.about(self.failing()) } else { finding })
    }

    fn max_skipped(&self) -> Option<Finding> {
        let rule = self.policy.max_skipped?;
        Some(self.at_most("tests.max_skipped", self.counts.skipped, "skipped", &rule))
    }

    fn max_flaky(&self) -> Option<Finding> {
        let rule = self.policy.max_flaky?;
        Some(self.at_most("tests.max_flaky", self.counts.flaky, "passed only on a rerun", &rule))
    }

    fn at_most(&self, name: &str, count: u64, what: &str, rule: &Rule<u64>) -> Finding {
        let of = format!("{} of {}", grouped(count), plural(self.counts.total, "test"));
        let message = format!("{of} {what} (limit {})", grouped(rule.limit));
        limited(name, count <= rule.limit, rule, message).measured(count, rule.limit)
    }

    fn max_duration(&self) -> Option<Finding> {
        let rule = self.policy.max_duration?;
        let (took, limit) = (self.evidence.summary.duration(), rule.limit.as_duration());
        let message = format!("the tests took {} (limit {})", seconds(took), seconds(limit));
        let finding = Finding::new("tests.max_duration", outcome(took <= limit), message).shadowed(rule.shadow);
        Some(finding.measured(seconds(took), seconds(limit)))
    }

    fn required(&self) -> Option<Finding> {
        let wanted = self.evidence.required.wanted();
        if wanted.is_empty() {
            return None;
        }
        let missing: Vec<_> = wanted.iter().filter_map(|wanted| wanted.missing()).collect();
        let all = wanted.len() as u64;
        if missing.is_empty() {
            let message = format!("all of {} passed", plural(all, "required entry"));
            return Some(Finding::new("tests.required", Outcome::Passed, message));
        }
        let count = missing.len() as u64;
        let message =
            format!("{} of {} did not pass: {}", grouped(count), plural(all, "required entry"), first(&missing, count));
        let finding = Finding::new("tests.required", Outcome::Failed, message).measured(all - count, all);
        Some(finding.about(missing.into_iter().take(LISTED)))
    }

    /// `: a, b, c and 12 more`, or nothing where no test failed.
    fn names(&self) -> String {
        let names: Vec<_> = self.evidence.summary.failing().into_iter().map(|failing| failing.id.clone()).collect();
        match self.counts.broken() {
            0 => String::new(),
            count if names.is_empty() => format!(" ({} counted by a report that does not list them)", grouped(count)),
            count => format!(": {}", first(&names, count)),
        }
    }

    fn failing(&self) -> Vec<String> {
        let failing = self.evidence.summary.failing();
        let line = |message: &str| message.lines().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
        let list = failing.into_iter().take(LISTED).map(|failing| match line(&failing.message) {
            Some(message) => format!("{}: {message}", failing.id),
            None => failing.id.clone(),
        });
        list.collect()
    }
}

fn outcome(good: bool) -> Outcome {
    if good { Outcome::Passed } else { Outcome::Failed }
}

fn limited<T>(name: &str, good: bool, rule: &Rule<T>, message: String) -> Finding {
    Finding::new(name, outcome(good), message).shadowed(rule.shadow)
}

/// The first few of `names`, and how many more of `count` there are.
fn first(names: &[String], count: u64) -> String {
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match count.saturating_sub(names.len().min(NAMED) as u64) {
        0 => shown,
        more => format!("{shown} and {} more", grouped(more)),
    }
}

fn plural(count: u64, noun: &str) -> String {
    let noun = match (count, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{noun}s"),
    };
    format!("{} {noun}", grouped(count))
}

fn seconds(length: Duration) -> String {
    match length.as_secs() {
        0..60 => format!("{:.1} s", length.as_secs_f64()),
        secs => format!("{} min {} s", secs / 60, secs % 60),
    }
}
