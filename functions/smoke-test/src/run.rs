//! One sample: everything of a suite, run once.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream;
use stagegate_config::smoke::{Degraded, Retry, Share, Thresholds};
use stagegate_hurl_runner::probe::{self, DegradedFrom, Judgement, ProbeReport, State};
use stagegate_hurl_runner::{EntryOutcome, FileReport, Limits, Outbound, RunOptions, Variables, run_file};

use crate::checks::{Checked, check};
use crate::suite::{Hurl, Suite, Unit};

/// How long one request may take where neither its file nor the policy says.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How a sample is run.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// How connections are opened.
    pub outbound: Outbound,
    /// What every file begins with.
    pub variables: Variables,
    /// How many files and checks run at a time.
    pub parallel: usize,
    /// How long one request may take where its file does not say.
    pub request_timeout: Option<Duration>,
    /// How often what fails is tried again.
    pub retry: Option<Retry>,
    /// When files and checks must be done.
    pub deadline: Instant,
    /// When the clean-up must be done.
    pub always_deadline: Instant,
}

/// What one sample showed.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Files and checks, in the order of the suite.
    pub units: Vec<UnitReport>,
    /// The clean-up.
    pub always: Vec<UnitReport>,
    /// How long all took.
    pub duration: Duration,
}

/// What became of one file or check.
#[derive(Clone, Debug)]
pub struct UnitReport {
    /// Its name.
    pub name: String,
    /// The rule that it belongs to.
    pub rule: &'static str,
    /// What its runs must keep to.
    pub thresholds: Thresholds,
    /// The runs of the last attempt.
    pub runs: Vec<Run>,
    /// What they say.
    pub judgement: Judgement,
    /// How many attempts there were.
    pub attempts: u32,
}

/// One run of a file or check.
#[derive(Clone, Debug)]
pub enum Run {
    /// Of a Hurl file, or of a check of a URL.
    File(FileReport),
    /// Of another check.
    Probe(Box<ProbeReport>),
}

/// How a file or check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Everything held.
    Passed,
    /// The limits of `degraded` were not kept.
    Degraded,
    /// Something failed.
    Failed,
}

impl Run {
    /// Whether it passed. A file of which no entry was run shows nothing and has not.
    pub fn passed(&self) -> bool {
        match self {
            Self::File(report) => {
                report.passed
                    && report.not_run == 0
                    && report.entries.iter().any(|entry| entry.outcome == EntryOutcome::Passed)
            }
            Self::Probe(report) => report.passed,
        }
    }

    /// How long it took.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(match self {
            Self::File(report) => report.duration_us,
            Self::Probe(report) => report.timings.total_us,
        })
    }

    /// The requests that were sent.
    pub fn requests(&self) -> usize {
        match self {
            Self::File(report) => report.requests(),
            Self::Probe(_) => 0,
        }
    }
}

impl UnitReport {
    /// How it came out.
    pub fn outcome(&self) -> Outcome {
        match self.judgement.state {
            State::Ok => Outcome::Passed,
            State::Degraded => Outcome::Degraded,
            State::Failed => Outcome::Failed,
        }
    }
}

/// Runs everything of `suite`: files and checks in parallel, then the clean-up, file by file.
///
/// `done` is told about each file and check as it ends.
pub async fn run(suite: &Suite, conditions: &Conditions, done: impl Fn(&UnitReport) + Sync) -> Sample {
    let begin = Instant::now();
    let retries = conditions.retry.map(|retry| Retries { retry, until: begin + retry.budget().as_duration() });
    let runs = suite.units.iter().enumerate().map(|(number, unit)| -> BoxFuture<'_, (usize, UnitReport)> {
        let done = &done;
        Box::pin(async move {
            let report = run_unit(unit, conditions, retries).await;
            done(&report);
            (number, report)
        })
    });
    let runs: Vec<_> = runs.collect();
    let mut units: Vec<_> = stream::iter(runs).buffer_unordered(conditions.parallel.max(1)).collect().await;
    units.sort_unstable_by_key(|(number, _)| *number);
    let units = units.into_iter().map(|(_, report)| report).collect();
    let mut always = Vec::new();
    for hurl in &suite.always {
        let options = options(conditions, conditions.always_deadline);
        let run = Run::File(run_hurl(hurl, &options).await);
        let report = judged(hurl.file.name().to_owned(), "always", Thresholds::default(), vec![run], 1);
        done(&report);
        always.push(report);
    }
    Sample { units, always, duration: begin.elapsed() }
}

#[derive(Clone, Copy)]
struct Retries {
    retry: Retry,
    until: Instant,
}

async fn run_unit(unit: &Unit, conditions: &Conditions, retries: Option<Retries>) -> UnitReport {
    let mut attempts = 0;
    loop {
        attempts += 1;
        let runs = run_all(unit, conditions).await;
        let report = judged(unit.name(), unit.rule(), *unit.thresholds(), runs, attempts);
        let Some(Retries { retry, until }) = retries.filter(|_| report.outcome() == Outcome::Failed) else {
            return report;
        };
        let pause = pause(&retry, attempts, fastrand::f64());
        let next = Instant::now() + pause;
        if attempts >= retry.attempts() || next >= until || next >= conditions.deadline {
            return report;
        }
        tokio::time::sleep(pause).await;
    }
}

/// The pause after so many attempts: twice as long each time, up to the longest; between half and all of that, by
/// `chance` from 0 to 1.
fn pause(retry: &Retry, attempts: u32, chance: f64) -> Duration {
    let doubled = retry.backoff().as_duration().saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    doubled.min(retry.max_backoff().as_duration()).mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
}

/// The runs of one attempt, one after the other. What the deadline does not leave time for is missing.
async fn run_all(unit: &Unit, conditions: &Conditions) -> Vec<Run> {
    let options = options(conditions, conditions.deadline);
    let mut runs = Vec::new();
    for number in 0..unit.thresholds().repeat.max(1) {
        // The first run says itself that there was no time.
        if number > 0 && Instant::now() >= conditions.deadline {
            break;
        }
        runs.push(match unit {
            Unit::File { hurl, .. } => Run::File(run_hurl(hurl, &options).await),
            Unit::Check(one) => match check(one, &unit.name(), &options).await {
                Checked::Probe(report) => Run::Probe(report),
                Checked::Http(report) => Run::File(*report),
            },
        });
    }
    runs
}

async fn run_hurl(hurl: &Hurl, options: &RunOptions) -> FileReport {
    run_file(&hurl.file, &RunOptions { files: hurl.root.clone(), ..options.clone() }).await
}

fn options(conditions: &Conditions, deadline: Instant) -> RunOptions {
    let max_time = conditions.request_timeout.unwrap_or(REQUEST_TIMEOUT);
    let limits = Limits::default();
    let limits = Limits { max_time, connect_timeout: limits.connect_timeout.min(max_time), ..limits };
    let variables = conditions.variables.clone();
    RunOptions { variables, limits, ..RunOptions::new(conditions.outbound.clone(), deadline) }
}

fn judged(name: String, rule: &'static str, thresholds: Thresholds, runs: Vec<Run>, attempts: u32) -> UnitReport {
    let samples: Vec<_> =
        runs.iter().map(|run| probe::Sample { passed: run.passed(), duration: run.duration() }).collect();
    let judgement = probe::judge(&samples, &limits(&thresholds));
    UnitReport { name, rule, thresholds, runs, judgement, attempts }
}

fn limits(thresholds: &Thresholds) -> probe::Thresholds {
    let degraded = |degraded: Degraded| DegradedFrom {
        p95: degraded.p95.map(|limit| limit.as_duration()),
        error_rate: degraded.error_rate.map(Share::get),
    };
    probe::Thresholds {
        repeat: usize::try_from(thresholds.repeat).unwrap_or(usize::MAX),
        p95: thresholds.p95.map(|limit| limit.as_duration()),
        error_rate: thresholds.error_rate.map(Share::get),
        degraded: thresholds.degraded.map(degraded),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ() {
        let retry = Retry::default();
        for (attempts, chance, seconds) in
            [(1, 1.0, 1.0), (1, 0.0, 0.5), (2, 1.0, 2.0), (3, 0.5, 3.0), (6, 1.0, 30.0), (1000, 0.0, 15.0)]
        {
            let pause = pause(&retry, attempts, chance).as_secs_f64();
            assert!((pause - seconds).abs() < 0.001, "{attempts} {chance}: {pause}");
        }
    }
}
