//! Thresholds over repeated checks, as pure functions of their samples.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One of several runs of the same check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Whether it passed.
    pub passed: bool,
    /// How long it took.
    pub duration: Duration,
}

/// What repeated checks have to keep to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// The number of samples that there must be.
    pub repeat: usize,
    /// The longest that the 95th percentile of the samples that passed may be.
    pub p95: Option<Duration>,
    /// The largest share of samples that may fail, from 0 to 1. Without it, none may.
    pub error_rate: Option<f64>,
}

/// What samples say about a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Whether every threshold was kept.
    pub passed: bool,
    /// The samples.
    pub samples: usize,
    /// The samples that failed.
    pub failed: usize,
    /// The share of samples that failed, from 0 to 1; 1 without samples.
    pub error_rate: f64,
    /// The 95th percentile of the samples that passed, in microseconds; none without such samples.
    pub p95_us: Option<u64>,
    /// The thresholds that were not kept, for people.
    pub failures: Vec<String>,
}

/// Judges samples. Fewer samples than `repeat` never pass: a missing sample says nothing.
#[must_use]
pub fn judge(samples: &[Sample], thresholds: &Thresholds) -> Judgement {
    let failed = samples.iter().filter(|sample| !sample.passed).count();
    let error_rate = if samples.is_empty() { 1.0 } else { share(failed, samples.len()) };
    let p95 = percentile_95(samples);
    let mut failures = Vec::new();
    if samples.len() < thresholds.repeat || samples.is_empty() {
        failures.push(format!("{} of {} samples were taken", samples.len(), thresholds.repeat.max(1)));
    }
    let allowed = thresholds.error_rate.unwrap_or(0.0);
    // Written so that a limit that is not a number is never kept.
    let is_kept = error_rate <= allowed;
    if !is_kept {
        failures.push(format!("{failed} of {} samples failed, and a share of {allowed} may", samples.len()));
    }
    match (thresholds.p95, p95) {
        (Some(limit), Some(p95)) if p95 > limit => {
            failures.push(format!("95 of 100 samples took up to {p95:?}, and {limit:?} is the limit"));
        }
        (Some(_), None) => failures.push("no sample passed, so there is no duration to judge".to_owned()),
        _ => {}
    }
    Judgement {
        passed: failures.is_empty(),
        samples: samples.len(),
        failed,
        error_rate,
        p95_us: p95.map(crate::report::micros),
        failures,
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
            let thresholds = Thresholds { repeat, p95: p95.map(Duration::from_millis), error_rate };
            let judgement = judge(&samples(&milliseconds), &thresholds);
            assert_eq!(judgement.passed, expected, "{milliseconds:?} {thresholds:?} {judgement:?}");
            assert_eq!(judgement.passed, judgement.failures.is_empty());
        }
    }

    proptest::proptest! {
        #[test]
        fn another_failed_sample_never_helps(milliseconds in proptest::collection::vec(0_u64..50, 0..40), limit in 1_u64..50, rate in 0.0..1.0) {
            let thresholds = Thresholds { repeat: 10, p95: Some(Duration::from_millis(limit)), error_rate: Some(rate) };
            let before = judge(&samples(&milliseconds), &Thresholds { repeat: 0, ..thresholds });
            let mut more = milliseconds;
            more.push(0);
            let after = judge(&samples(&more), &Thresholds { repeat: 0, ..thresholds });
            proptest::prop_assert!(before.passed || !after.passed || more.len() == 1);
        }
    }
}
