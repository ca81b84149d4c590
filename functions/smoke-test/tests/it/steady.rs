//! The state machine of a steady-green time, against a model.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use smoke_test::steady::{Decision, Progress, count};
use stagegate_config::Config;
use stagegate_config::smoke::Steady;

fn policy(green_for: u64, give_up_after: u64) -> Steady {
    let text = format!(
        "gates: {{g: {{hurl: [a], steady: {{every: 1s, green_for: {green_for}s, give_up_after: {give_up_after}s}}}}}}"
    );
    Config::parse("stagegate.yaml", &text).unwrap().gate("g").unwrap().smoke().unwrap().steady.unwrap()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(i64::try_from(seconds).unwrap())
}

/// How samples at these seconds end: the number of the last one, and whether it passed; `None` where they do not end.
fn ends(policy: &Steady, samples: &[(u64, bool)]) -> Option<(usize, bool)> {
    let mut progress: Option<Progress> = None;
    for (number, (seconds, green)) in samples.iter().enumerate() {
        match count(policy, progress.take(), (!green).then_some("red"), at(*seconds)) {
            Decision::Steady(_) => return Some((number, true)),
            Decision::GaveUp(_) => return Some((number, false)),
            Decision::GoOn(next) => {
                // It goes through a continuation token.
                let kept = serde_json::to_string(&next).unwrap();
                assert!(kept.len() < 1000, "{kept}");
                progress = Some(serde_json::from_str(&kept).unwrap());
            }
        }
    }
    None
}

#[test]
fn a_red_sample_restarts_the_time() {
    for (samples, expected) in [
        (vec![(0, true), (30, true), (60, true)], Some((2, true))),
        (vec![(0, true), (59, true)], None),
        (vec![(0, true), (30, false), (60, true), (90, true)], None),
        (vec![(0, true), (30, false), (60, true), (90, true), (120, true)], Some((4, true))),
        (vec![(0, false), (100, false), (200, false), (300, false)], Some((3, false))),
        (vec![(0, false), (299, false)], None),
        // Green at last, but for too short a time.
        (vec![(0, false), (290, true), (310, true)], Some((2, false))),
        // Green for long enough is green for long enough, although the time is over as well.
        (vec![(0, false), (250, true), (310, true)], Some((2, true))),
        // A single green sample shows no time.
        (vec![(0, true)], None),
        (vec![(0, false), (400, true)], Some((1, false))),
    ] {
        assert_eq!(ends(&policy(60, 300), &samples), expected, "{samples:?}");
    }
}

proptest! {
    /// It passes only where all samples of the last `green_for` are green and the first of them is that old, and it always
    /// ends.
    #[test]
    fn it_passes_only_on_a_green_time(
        steps in proptest::collection::vec((1_u64..40, any::<bool>()), 1..60), green_for in 1_u64..60, more in 1_u64..200,
    ) {
        let mut now = 0;
        let samples: Vec<_> = steps.iter().map(|(step, green)| { now += step; (now, *green) }).collect();
        let policy = policy(green_for, green_for + more);
        match ends(&policy, &samples) {
            Some((last, true)) => {
                let end = samples[last].0;
                let green: Vec<_> = samples[..=last].iter().rev().take_while(|(_, green)| *green).collect();
                prop_assert!(end - green.last().unwrap().0 >= green_for);
            }
            Some((last, false)) => prop_assert!(samples[last].0 - samples[0].0 >= green_for + more),
            None => prop_assert!(samples.last().unwrap().0 - samples[0].0 < green_for + more),
        }
    }

    /// One more red sample never makes it pass earlier.
    #[test]
    fn worse_samples_never_pass_sooner(
        steps in proptest::collection::vec((1_u64..40, any::<bool>()), 1..40), which in any::<prop::sample::Index>(),
    ) {
        let mut now = 0;
        let samples: Vec<_> = steps.iter().map(|(step, green)| { now += step; (now, *green) }).collect();
        let mut worse = samples.clone();
        worse[which.index(samples.len())].1 = false;
        let passed = |samples| ends(&policy(50, 300), samples).filter(|(_, passed)| *passed).map(|(number, _)| number);
        match (passed(&samples), passed(&worse)) {
            (None, Some(_)) => prop_assert!(false, "{samples:?} {worse:?}"),
            (Some(before), Some(after)) => prop_assert!(after >= before),
            _ => {}
        }
    }
}
