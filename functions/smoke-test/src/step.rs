//! One sample of a gate and what follows from it, whoever has called.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use codepipeline_job::Failure;
use jiff::Timestamp;
use stagegate_config::SmokeGate;
use stagegate_config::smoke::VariableValue;
use stagegate_gate::misconfigured;
use stagegate_verdict::{Execution, Outcome, Verdict, VerdictBuilder};

use crate::judge::{judge, steady as finding};
use crate::network::outbound;
use crate::report::junit;
use crate::run::{Conditions, run};
use crate::source::SourceFiles;
use crate::steady::{self, Decision, Progress};
use crate::suite::Suite;
use crate::variables::variables;

/// How long a sample may take where the caller has no deadline.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(3000);
/// The most that is kept for what comes after a sample: its reports and its verdict are stored.
const MOST_RESERVE: Duration = Duration::from_secs(5);

/// What is to be sampled.
pub(crate) struct Call<'a> {
    pub(crate) gate: &'a str,
    pub(crate) policy: &'a SmokeGate,
    /// Variables of the call; they win over those of the policy.
    pub(crate) variables: &'a BTreeMap<String, VariableValue>,
    pub(crate) secrets: BTreeMap<String, String>,
    pub(crate) execution: Execution,
    pub(crate) now: Timestamp,
    /// When the answer must be there.
    pub(crate) answer_by: Option<Instant>,
    /// What earlier samples showed.
    pub(crate) progress: Option<Progress>,
}

/// What follows.
pub(crate) enum Step {
    /// The gate has come to a verdict.
    Done(Box<Judged>),
    /// Another sample is needed.
    Later { progress: Progress, summary: String, percent: u8 },
}

/// A verdict and the tests behind it.
pub(crate) struct Judged {
    pub(crate) verdict: Verdict,
    pub(crate) junit: String,
}

/// Takes one sample.
pub(crate) async fn step(call: Call<'_>, source: SourceFiles) -> Result<Step, Failure> {
    let policy = call.policy;
    let suite = Suite::new(policy, source);
    let mut conditions = Conditions {
        outbound: outbound(&policy.network).map_err(misconfigured)?,
        variables: variables(&policy.variables, call.variables, &call.secrets),
        parallel: policy.parallel(),
        request_timeout: policy.request_timeout.map(|timeout| timeout.as_duration()),
        retry: policy.retry.filter(|_| Progress::may_retry(call.progress.as_ref())),
        deadline: Instant::now(),
        always_deadline: Instant::now(),
    };
    (conditions.deadline, conditions.always_deadline) = deadlines(policy, !suite.always.is_empty(), call.answer_by);
    let sample = run(&suite, &conditions, |_| {}).await;
    let verdict = judge(call.gate, &suite, &sample, call.execution);
    let junit = junit(call.gate, &suite, &sample);
    let Some(steady) = &policy.steady else {
        return Ok(done(verdict, call.now, junit));
    };
    let so_far = verdict.clone().build(call.now);
    let red = (so_far.outcome() != Outcome::Passed).then(|| so_far.summary());
    let mut verdict = verdict;
    match steady::count(steady, call.progress, red, call.now) {
        Decision::Steady(progress) => {
            verdict.finding(finding(Outcome::Passed, steady::summary(steady, &progress, call.now)));
            Ok(done(verdict, call.now, junit))
        }
        Decision::GaveUp(progress) => {
            let summary = steady::summary(steady, &progress, call.now);
            let message = format!("gave up after {}: {summary}", steady.give_up_after);
            verdict.finding(finding(Outcome::Failed, message));
            Ok(done(verdict, call.now, junit))
        }
        Decision::GoOn(progress) => {
            let colour = if red.is_some() { "red, so the time starts again" } else { "green" };
            let summary = format!("{colour}: {}", steady::summary(steady, &progress, call.now));
            tracing::info!(gate = call.gate, summary, "sampled");
            let percent = steady::percent(steady, &progress, call.now);
            Ok(Step::Later { progress, summary, percent })
        }
    }
}

fn done(verdict: VerdictBuilder, now: Timestamp, junit: String) -> Step {
    Step::Done(Box::new(Judged { verdict: verdict.build(now), junit }))
}

/// When files and checks must be done, and when the clean-up must be, which has a quarter of the time where there is one.
fn deadlines(policy: &SmokeGate, cleans_up: bool, answer_by: Option<Instant>) -> (Instant, Instant) {
    let now = Instant::now();
    let left = answer_by.map_or(WITHOUT_DEADLINE, |answer_by| answer_by.saturating_duration_since(now));
    let left = left.saturating_sub((left / 10).min(MOST_RESERVE));
    let for_cleaning = if cleans_up { left / 4 } else { Duration::ZERO };
    let for_tests = left - for_cleaning;
    let for_tests = policy.timeout.map_or(for_tests, |timeout| for_tests.min(timeout.as_duration()));
    (now + for_tests, now + for_tests + for_cleaning)
}
