//! Thresholds over repeated checks, as pure functions of their samples.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::ProbeReport;
use crate::report::FileReport;

/// One of several runs of the same check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Whether it passed.
    pub passed: bool,
    /// How long it took.
    pub duration: Duration,
}

/// What repeated checks have to keep to. Over the limits here, the check has failed; over those in `degraded`, which
/// are stricter, it is degraded.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// The number of samples that there must be.
    pub repeat: usize,
    /// The longest that the 95th percentile of the samples that passed may be.
    pub p95: Option<Duration>,
    /// The largest share of samples that may fail, from 0 to 1. Without it, none may.
    pub error_rate: Option<f64>,
    /// From where the check is degraded. Without it, a check is ok or has failed.
    pub degraded: Option<DegradedFrom>,
}

/// The limits over which a check is degraded. One that is not set is not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DegradedFrom {
    /// The longest that the 95th percentile of the samples that passed may be.
    pub p95: Option<Duration>,
    /// The largest share of samples that may fail, from 0 to 1.
    pub error_rate: Option<f64>,
}

/// Thresholds that contradict themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidThresholds {
    /// A share that is not between 0 and 1, or not a number.
    #[error("{0} is a share of samples, from 0 to 1")]
    NoShare(&'static str),
    /// A limit of `degraded` that is never reached before the check has failed.
    #[error("degraded.{0} has to be less than {0}: above that, the check has failed already")]
    NeverDegraded(&'static str),
    /// A rate of errors from which a check is degraded, where no sample may fail at all.
    #[error("degraded.error_rate needs an error_rate: without one, the first sample that fails fails the check")]
    NoErrorRate,
    /// A section `degraded` that says nothing.
    #[error("degraded needs a p95 or an error_rate")]
    NothingDegrades,
}

impl Thresholds {
    /// Whether each limit can be reached, and is one.
    ///
    /// # Errors
    ///
    /// [`InvalidThresholds`] with the first contradiction. [`judge`] takes such thresholds all the same, and is then
    /// not greener than the limits of the failed state.
    pub fn check(&self) -> Result<(), InvalidThresholds> {
        use InvalidThresholds as Invalid;
        let is_share = |rate: f64| (0.0..=1.0).contains(&rate);
        if self.error_rate.is_some_and(|rate| !is_share(rate)) {
            return Err(Invalid::NoShare("error_rate"));
        }
        let Some(degraded) = self.degraded else { return Ok(()) };
        if degraded == DegradedFrom::default() {
            return Err(Invalid::NothingDegrades);
        }
        if degraded.error_rate.is_some_and(|rate| !is_share(rate)) {
            return Err(Invalid::NoShare("degraded.error_rate"));
        }
        if let (Some(degraded), Some(failed)) = (degraded.p95, self.p95)
            && degraded >= failed
        {
            return Err(Invalid::NeverDegraded("p95"));
        }
        match (degraded.error_rate, self.error_rate) {
            (Some(_), None) => Err(Invalid::NoErrorRate),
            (Some(degraded), Some(failed)) if degraded >= failed => Err(Invalid::NeverDegraded("error_rate")),
            _ => Ok(()),
        }
    }
}

/// How a check stands. The order is from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Every threshold was kept.
    Ok,
    /// A threshold of `degraded` was not kept. A gate that is asked to lets a person decide.
    Degraded,
    /// A threshold was not kept, or there are too few samples.
    Failed,
}

/// What samples say about a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// How the check stands.
    pub state: State,
    /// Whether every threshold was kept, those of `degraded` too.
    pub passed: bool,
    /// The samples.
    pub samples: usize,
    /// The samples that failed.
    pub failed: usize,
    /// The share of samples that failed, from 0 to 1; 1 without samples.
    pub error_rate: f64,
    /// The 95th percentile of the samples that passed, in microseconds; none without such samples.
    pub p95_us: Option<u64>,
    /// The thresholds that were not kept, for people: those that fail the check first.
    pub failures: Vec<String>,
}

/// Judges samples. Fewer samples than `repeat` never pass: a missing sample says nothing.
#[must_use]
pub fn judge(samples: &[Sample], thresholds: &Thresholds) -> Judgement {
    let failed = samples.iter().filter(|sample| !sample.passed).count();
    let error_rate = if samples.is_empty() { 1.0 } else { share(failed, samples.len()) };
    let figures = Figures { samples: samples.len(), failed, error_rate, p95: percentile_95(samples) };
    let mut failures = Vec::new();
    if samples.len() < thresholds.repeat || samples.is_empty() {
        failures.push(format!("{} of {} samples were taken", samples.len(), thresholds.repeat.max(1)));
    }
    figures.compare(thresholds.p95, Some(thresholds.error_rate.unwrap_or(0.0)), &mut failures);
    let mut state = if failures.is_empty() { State::Ok } else { State::Failed };
    if let Some(degraded) = thresholds.degraded {
        let mut degradations = Vec::new();
        figures.compare(degraded.p95, degraded.error_rate, &mut degradations);
        if !degradations.is_empty() {
            state = state.max(State::Degraded);
        }
        failures.extend(degradations.into_iter().map(|degradation| format!("degraded: {degradation}")));
    }
    Judgement {
        state,
        passed: state == State::Ok,
        samples: figures.samples,
        failed,
        error_rate,
        p95_us: figures.p95.map(crate::report::micros),
        failures,
    }
}

/// What is compared with the limits.
struct Figures {
    samples: usize,
    failed: usize,
    error_rate: f64,
    p95: Option<Duration>,
}

impl Figures {
    /// Adds the limits that are not kept to `failures`.
    fn compare(&self, p95: Option<Duration>, error_rate: Option<f64>, failures: &mut Vec<String>) {
        if let Some(allowed) = error_rate {
            // Written so that a limit that is not a number is never kept.
            let is_kept = self.error_rate <= allowed;
            if !is_kept {
                let (failed, samples) = (self.failed, self.samples);
                failures.push(format!("{failed} of {samples} samples failed, and a share of {allowed} may"));
            }
        }
        match (p95, self.p95) {
            (Some(limit), Some(p95)) if p95 > limit => {
                failures.push(format!("95 of 100 samples took up to {p95:?}, and {limit:?} is the limit"));
            }
            (Some(_), None) => failures.push("no sample passed, so there is no duration to judge".to_owned()),
            _ => {}
        }
    }
}

/// Runs a check `times` times, one after the other, until `deadline`. What was not run by then is missing from the
/// samples, so that [`judge`] fails it. A check that is under way at the deadline is given up and missing as well.
pub async fn repeat<C, F>(times: usize, deadline: Instant, mut check: C) -> Vec<Sample>
where
    C: FnMut() -> F,
    F: Future<Output = Sample>,
{
    let mut samples = Vec::new();
    while samples.len() < times {
        let remaining = deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            break;
        }
        match tokio::time::timeout(remaining, check()).await {
            Ok(sample) => samples.push(sample),
            Err(_) => break,
        }
    }
    samples
}

impl From<&ProbeReport> for Sample {
    fn from(report: &ProbeReport) -> Self {
        Self { passed: report.passed, duration: Duration::from_micros(report.timings.total_us) }
    }
}

/// A file that sent no request is no sample that passed: it shows nothing about what it would have asked.
impl From<&FileReport> for Sample {
    fn from(report: &FileReport) -> Self {
        Self { passed: report.passed && report.requests() > 0, duration: Duration::from_micros(report.duration_us) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "the number of samples stays far below 2^53")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

/// The nearest-rank percentile: the shortest duration that at least 95 of 100 samples that passed do not exceed.
fn percentile_95(samples: &[Sample]) -> Option<Duration> {
    let mut durations: Vec<Duration> =
        samples.iter().filter(|sample| sample.passed).map(|sample| sample.duration).collect();
    durations.sort_unstable();
    let rank = (durations.len() * 95).div_ceil(100);
    durations.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Samples with these milliseconds; 0 is a failed sample.
    fn samples(milliseconds: &[u64]) -> Vec<Sample> {
        let sample = |ms: &u64| Sample { passed: *ms > 0, duration: Duration::from_millis(*ms) };
        milliseconds.iter().map(sample).collect()
    }

    fn thresholds(repeat: usize, p95: Option<u64>, error_rate: Option<f64>) -> Thresholds {
        Thresholds { repeat, p95: p95.map(Duration::from_millis), error_rate, degraded: None }
    }

    fn degraded(p95: Option<u64>, error_rate: Option<f64>) -> Option<DegradedFrom> {
        Some(DegradedFrom { p95: p95.map(Duration::from_millis), error_rate })
    }

    #[test]
    fn thresholds_are_kept_or_not() {
        let twenty: Vec<u64> = (1..=20).collect();
        for (milliseconds, repeat, p95, error_rate, expected) in [
            (vec![10; 20], 20, Some(10), None, true),
            (vec![10; 20], 20, Some(9), None, false),
            (twenty.clone(), 20, Some(19), None, true),
            (twenty, 20, Some(18), None, false),
            (vec![10; 19], 20, None, None, false),
            (vec![], 0, None, Some(1.0), false),
            (vec![10, 10, 10, 0], 4, None, None, false),
            (vec![10, 10, 10, 0], 4, None, Some(0.25), true),
            (vec![10, 10, 10, 0], 4, None, Some(0.24), false),
            (vec![10, 10, 10, 0], 4, None, Some(f64::NAN), false),
            (vec![0, 0], 2, Some(100), Some(1.0), false),
            (vec![0, 0], 2, None, Some(1.0), true),
            // A sample that failed fast does not make the others look faster.
            (vec![0, 0, 0, 100], 4, Some(50), Some(1.0), false),
        ] {
            let thresholds = thresholds(repeat, p95, error_rate);
            let judgement = judge(&samples(&milliseconds), &thresholds);
            assert_eq!(judgement.passed, expected, "{milliseconds:?} {thresholds:?} {judgement:?}");
            assert_eq!(judgement.passed, judgement.failures.is_empty());
            assert_eq!(judgement.state, if expected { State::Ok } else { State::Failed });
        }
    }

    #[test]
    fn between_ok_and_failed_a_check_is_degraded() {
        let limits = Thresholds { degraded: degraded(Some(20), Some(0.1)), ..thresholds(10, Some(40), Some(0.2)) };
        assert_eq!(limits.check(), Ok(()));
        for (milliseconds, state, failures) in [
            (vec![20; 10], State::Ok, 0),
            (vec![21; 10], State::Degraded, 1),
            (vec![40; 10], State::Degraded, 1),
            (vec![41; 10], State::Failed, 2),
            (vec![10, 10, 10, 10, 10, 10, 10, 10, 10, 0], State::Ok, 0),
            (vec![10, 10, 10, 10, 10, 10, 10, 10, 0, 0], State::Degraded, 1),
            (vec![30, 30, 30, 30, 30, 30, 30, 30, 0, 0], State::Degraded, 2),
            (vec![10, 10, 10, 10, 10, 10, 10, 0, 0, 0], State::Failed, 2),
            // A sample too few is never only degraded.
            (vec![21; 9], State::Failed, 2),
            (vec![], State::Failed, 5),
        ] {
            let judgement = judge(&samples(&milliseconds), &limits);
            assert_eq!(
                (judgement.state, judgement.failures.len()),
                (state, failures),
                "{milliseconds:?} {judgement:?}"
            );
            assert_eq!(judgement.passed, state == State::Ok);
        }
    }

    #[test]
    fn thresholds_that_contradict_themselves_are_told() {
        use InvalidThresholds as Invalid;
        for (p95, error_rate, degraded, expected) in [
            (None, None, None, Ok(())),
            (Some(40), Some(0.2), degraded(Some(20), Some(0.0)), Ok(())),
            (None, None, degraded(Some(20), None), Ok(())),
            (None, Some(1.1), None, Err(Invalid::NoShare("error_rate"))),
            (None, Some(f64::NAN), None, Err(Invalid::NoShare("error_rate"))),
            (None, Some(0.2), degraded(None, Some(-0.1)), Err(Invalid::NoShare("degraded.error_rate"))),
            (Some(40), None, degraded(Some(40), None), Err(Invalid::NeverDegraded("p95"))),
            (None, Some(0.2), degraded(None, Some(0.2)), Err(Invalid::NeverDegraded("error_rate"))),
            (None, None, degraded(None, Some(0.2)), Err(Invalid::NoErrorRate)),
            (None, None, degraded(None, None), Err(Invalid::NothingDegrades)),
        ] {
            let limits = Thresholds { degraded, ..thresholds(1, p95, error_rate) };
            assert_eq!(limits.check(), expected, "{limits:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_is_repeated_until_the_deadline() {
        let slow = || async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Sample { passed: true, duration: Duration::ZERO }
        };
        let quick = || async { Sample { passed: true, duration: Duration::ZERO } };
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!(repeat(3, deadline, quick).await.len(), 3);
        assert_eq!(repeat(3, deadline, slow).await.len(), 0);
        assert_eq!(repeat(3, Instant::now(), quick).await.len(), 0);
    }

    proptest::proptest! {
        #[test]
        fn another_failed_sample_never_helps(milliseconds in proptest::collection::vec(0_u64..50, 0..40), limit in 2_u64..50, rate in 0.0..1.0, part in 0.0..1.0) {
            let degraded = DegradedFrom { p95: Some(Duration::from_millis(limit / 2)), error_rate: Some(rate * part) };
            let limits = Thresholds { degraded: Some(degraded), ..thresholds(0, Some(limit), Some(rate)) };
            let before = judge(&samples(&milliseconds), &limits);
            let mut more = milliseconds;
            more.push(0);
            let after = judge(&samples(&more), &limits);
            proptest::prop_assert!(after.state >= before.state || more.len() == 1);
        }

        #[test]
        fn a_degraded_state_is_never_greener_than_without_one(milliseconds in proptest::collection::vec(0_u64..50, 0..40), limit in 1_u64..50, rate in 0.0..1.0, from in 0_u64..60, from_rate in -1.0..2.0) {
            let plain = thresholds(10, Some(limit), Some(rate));
            let with = Thresholds { degraded: degraded(Some(from), Some(from_rate)), ..plain };
            let (plain, with) = (judge(&samples(&milliseconds), &plain), judge(&samples(&milliseconds), &with));
            proptest::prop_assert!(with.state >= plain.state);
        }
    }
}
