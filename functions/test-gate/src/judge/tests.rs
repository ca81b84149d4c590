//! The rules under `tests`.

use stagegate_config::{Rule, TestsPolicy};
use stagegate_verdict::{Finding, Outcome, TestCounts, grouped, percent};

use super::comparison::Comparing;
use super::words::{first, limited, outcome, plural, seconds};
use super::{LISTED, codebuild, files};
use crate::baseline::TestsBaseline;
use crate::codebuild_reports::BuildReports;
use crate::evidence::{Kind, Names, TestEvidence, Vanished};

pub(super) struct Judged {
    /// The figures; none where no report could be read, since they would only say that nothing was counted.
    pub(super) counts: Option<TestCounts>,
    pub(super) findings: Vec<Finding>,
}

pub(super) fn judge(
    policy: &TestsPolicy,
    evidence: &TestEvidence,
    build: Option<&BuildReports>,
    places: &[String],
    comparing: &Comparing<'_>,
    names: Option<&Names>,
) -> Judged {
    let judgement = Judgement { policy, evidence, build, counts: counts(evidence), comparing, names };
    let known = evidence.files.read.iter().any(|file| file.outcome.is_ok()) || build.is_some();
    let (problems, all) = (evidence.summary.problems(), evidence.summary.problem_count());
    let findings = [
        files::found(Kind::Tests, &evidence.files, places),
        files::readable(Kind::Tests, &evidence.files),
        files::consistent(Kind::Tests, problems, all),
        judgement.codebuild(),
        judgement.not_empty(),
        judgement.min_total(),
        judgement.infrastructure(),
        judgement.max_failed(),
        judgement.min_pass_rate(),
        judgement.max_skipped(),
        judgement.max_flaky(),
        judgement.max_duration(),
        judgement.required(),
        judgement.quarantine(),
        judgement.max_newly_failed(),
        judgement.max_vanished(),
        judgement.max_skipped_growth(),
    ];
    Judged { counts: known.then_some(judgement.counts), findings: findings.into_iter().flatten().collect() }
}

fn counts(evidence: &TestEvidence) -> TestCounts {
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
    evidence: &'a TestEvidence,
    build: Option<&'a BuildReports>,
    counts: TestCounts,
    comparing: &'a Comparing<'a>,
    names: Option<&'a Names>,
}

impl Judgement<'_> {
    /// Reports in which no test passed show nothing.
    ///
    /// Failed tests do not count here and under `min_total`, even where some are allowed: a failure more must never
    /// turn a verdict towards passed. Where too many failed, that is the finding, and these two keep quiet about it.
    fn not_empty(&self) -> Option<Finding> {
        // Without any readable file, the missing or unreadable files are the finding.
        let files = &self.evidence.files;
        let nothing_read =
            files.read.is_empty() && self.build.is_none() && (files::are_bad(files) || self.lacks_build())
                || files.unreadable().next().is_some();
        if self.counts.passed > 0 || nothing_read || self.too_many_failed() {
            return None;
        }
        let reports = match self.build {
            Some(build) if files.read.is_empty() => plural(build.reports.len() as u64, "report"),
            _ => plural(files.read.len() as u64, "report file"),
        };
        let what = match self.counts.total {
            0 => format!("no test in {reports}"),
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

    fn lacks_build(&self) -> bool {
        self.policy.codebuild.is_some() && self.build.is_none()
    }

    fn codebuild(&self) -> Option<Finding> {
        match (self.build, &self.policy.codebuild) {
            (Some(build), _) => Some(codebuild::judge(build, &self.counts, !self.policy.reports.is_empty())),
            (None, Some(wanted)) => Some(codebuild::not_read(wanted)),
            (None, None) => None,
        }
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

    /// Failures that no quarantine hides.
    fn broken(&self) -> u64 {
        self.counts.broken().saturating_sub(self.evidence.watch.quarantined())
    }

    /// Tests that ran and that no quarantine takes out.
    fn ran(&self) -> u64 {
        self.counts.ran().saturating_sub(self.evidence.watch.quarantined())
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
        self.failed_limit().is_some_and(|rule| !rule.shadow && self.broken() > rule.limit)
    }

    /// Whether so many tests failed that something else than the tests must be broken.
    fn is_infrastructure_failure(&self) -> bool {
        self.policy.infrastructure_failure_above.is_some_and(|share| share.is_exceeded(self.broken(), self.ran()))
    }

    fn infrastructure(&self) -> Option<Finding> {
        let share = self.policy.infrastructure_failure_above?;
        let (broken, ran) = (self.broken(), self.ran());
        let rate = percent(broken, ran);
        let (outcome, message) = match self.is_infrastructure_failure() {
            true => (
                Outcome::Inconclusive,
                format!(
                    "{rate} % of {} failed, more than the {share} % that the tests themselves may be blamed for: look at \
                     what they run on",
                    plural(ran, "test")
                ),
            ),
            false => (Outcome::Passed, format!("{rate} % failed (above {share} % something else is broken)")),
        };
        Some(Finding::new("tests.infrastructure_failure_above", outcome, message).measured(rate, share))
    }

    /// A failure of tests that the infrastructure may be to blame for.
    fn blamed(&self, mut finding: Finding) -> Finding {
        if finding.outcome == Outcome::Failed && self.is_infrastructure_failure() {
            finding.outcome = Outcome::Inconclusive;
        }
        finding
    }

    fn max_failed(&self) -> Option<Finding> {
        let rule = self.failed_limit()?;
        let (broken, limit) = (self.broken(), grouped(rule.limit));
        let verb = if self.counts.errored > 0 { "failed or ended in an error" } else { "failed" };
        let of = format!("{} of {}", grouped(broken), plural(self.counts.total, "test"));
        let message = format!("{of} {verb} (limit {limit}){}", self.names());
        let finding = limited("tests.max_failed", broken <= rule.limit, &rule, message);
        Some(self.blamed(finding.measured(broken, rule.limit).about(self.failing())))
    }

    fn min_pass_rate(&self) -> Option<Finding> {
        let rule = self.policy.min_pass_rate?;
        let (passed, ran) = (self.counts.passed, self.ran());
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
        Some(self.blamed(if self.policy.max_failed.is_none() { finding.about(self.failing()) } else { finding }))
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
        let required = &self.evidence.watch.required;
        if required.is_empty() {
            return None;
        }
        let missing: Vec<_> = required.iter().filter_map(|required| required.missing()).collect();
        let all = required.len() as u64;
        if missing.is_empty() {
            let message = format!("all of {} passed", plural(all, "required entry"));
            return Some(Finding::new("tests.required", Outcome::Passed, message));
        }
        let count = missing.len() as u64;
        let entries = plural(all, "required entry");
        let message = format!("{} of {entries} did not pass: {}", grouped(count), first(&missing, count));
        let finding = Finding::new("tests.required", Outcome::Failed, message).measured(all - count, all);
        Some(self.blamed(finding.about(missing.into_iter().take(LISTED))))
    }

    /// What is hidden must be seen: the finding passes, and says what does not count and until when.
    fn quarantine(&self) -> Option<Finding> {
        let quarantines = &self.evidence.watch.quarantines;
        if quarantines.is_empty() {
            return None;
        }
        let hidden = self.evidence.watch.quarantined();
        let subjects = quarantines.iter().map(|quarantined| {
            let entry = &quarantined.entry;
            let (test, owner, reason, until) = (entry.test.as_str(), &entry.owner, &entry.reason, entry.until);
            let state = match quarantined.active {
                true => format!("{} until {until}", plural(quarantined.hidden, "failure")),
                false => format!("ended on {until}, its failures count again"),
            };
            format!("{test}: {state} ({owner}: {reason})")
        });
        let message = match hidden {
            0 => "no failure is quarantined".to_owned(),
            _ => format!("{} quarantined and not counted", plural(hidden, "failure")),
        };
        Some(Finding::new("tests.quarantine", Outcome::Passed, message).about(subjects.take(LISTED)))
    }

    /// The baseline of the tests, or what the rule says without one.
    fn compare<T>(
        &self,
        name: &str,
        rule: Option<Rule<T>>,
        judge: impl FnOnce(&TestsBaseline, &Rule<T>) -> Finding,
    ) -> Option<Finding> {
        let rule = rule?;
        match self.comparing.baseline.and_then(|baseline| baseline.tests.as_ref()) {
            Some(known) => Some(judge(known, &rule)),
            None => Some(self.comparing.without(name, &rule)),
        }
    }

    fn max_newly_failed(&self) -> Option<Finding> {
        self.compare("tests.max_newly_failed", self.policy.max_newly_failed, |known, rule| {
            let (count, names) = self.evidence.watch.newly_failing(&known.failing);
            let names = if count > 0 { format!(": {}", first(&names, count)) } else { String::new() };
            let named = self.comparing.named();
            let message =
                format!("{} newly failed (limit {}){names}{named}", plural(count, "test"), grouped(rule.limit));
            let finding = limited("tests.max_newly_failed", count <= rule.limit, rule, message);
            self.blamed(finding.measured(count, rule.limit))
        })
    }

    fn max_vanished(&self) -> Option<Finding> {
        self.compare("tests.max_vanished", self.policy.max_vanished, |known, rule| {
            let named = self.comparing.named();
            let none = Names::default();
            match self.names.unwrap_or(&none).vanished(&known.names) {
                Vanished::Counted(count, names) => {
                    let list = if names.is_empty() { String::new() } else { format!(": {}", first(&names, count)) };
                    let tests = plural(count, "test");
                    let message =
                        format!("{tests} of the baseline missing (limit {}){list}{named}", grouped(rule.limit));
                    let finding = limited("tests.max_vanished", count <= rule.limit, rule, message);
                    finding.measured(count, rule.limit).about(names.into_iter().take(LISTED))
                }
                Vanished::TooMany => {
                    let message =
                        "there are too many tests to tell which are missing (250,000 are kept)".to_owned() + &named;
                    Finding::new("tests.max_vanished", Outcome::Inconclusive, message).shadowed(rule.shadow)
                }
            }
        })
    }

    fn max_skipped_growth(&self) -> Option<Finding> {
        self.compare("tests.max_skipped_growth", self.policy.max_skipped_growth, |known, rule| {
            let growth = self.counts.skipped.saturating_sub(known.skipped);
            let (now, before, named) = (grouped(self.counts.skipped), grouped(known.skipped), self.comparing.named());
            let message = format!("skipped tests: {now}, {before} before (limit {} more){named}", grouped(rule.limit));
            limited("tests.max_skipped_growth", growth <= rule.limit, rule, message).measured(growth, rule.limit)
        })
    }

    /// `: a, b, c and 12 more`, or nothing where no test failed.
    fn names(&self) -> String {
        let names: Vec<_> = self.evidence.watch.first_failing().map(|failing| failing.id.clone()).collect();
        match self.broken() {
            0 => String::new(),
            count if names.is_empty() => format!(" ({} counted by a report that does not list them)", grouped(count)),
            count => format!(": {}", first(&names, count)),
        }
    }

    fn failing(&self) -> Vec<String> {
        let list = self.evidence.watch.first_failing().take(LISTED).map(|failing| match &failing.reason {
            Some(reason) => format!("{}: {reason}", failing.id),
            None => failing.id.clone(),
        });
        list.collect()
    }
}
