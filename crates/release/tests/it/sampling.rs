//! From samples to an end.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;
use stagegate_config::release::Otherwise;
use stagegate_release::{End, Progress, Schedule, State, Step, together};
use stagegate_verdict::Outcome;

use crate::{at, gate};

const BEGIN: &str = "2026-11-25T12:00:00Z";

fn schedule(keys: &str) -> Schedule {
    let gate = gate(&format!("alarms: {{names: [a]}}\n{keys}"));
    Schedule::new(gate.sampling.as_ref(), gate.otherwise)
}

/// The end that samples at these seconds lead to, and how many of them it took.
fn run(schedule: &Schedule, samples: &[(u32, State)]) -> Option<(usize, End)> {
    let begin = at(BEGIN);
    let mut progress = Progress::new(begin);
    for (number, (seconds, state)) in samples.iter().enumerate() {
        let now = begin + SignedDuration::from_secs((*seconds).into());
        let (next, step) = progress.sample(schedule, *state, now);
        progress = next;
        if let Step::Done(end) = step {
            return Some((number + 1, end));
        }
    }
    None
}

#[test]
fn every_end_says_something() {
    for (end, otherwise, outcome) in [
        (End::Green, Otherwise::Fail, Outcome::Passed),
        (End::Green, Otherwise::Ask, Outcome::Passed),
        (End::TooManyFailures, Otherwise::Fail, Outcome::Failed),
        (End::TooManyFailures, Otherwise::Ask, Outcome::Failed),
        (End::TooManyErrors, Otherwise::Fail, Outcome::Inconclusive),
        (End::TooManyErrors, Otherwise::Ask, Outcome::Inconclusive),
        (End::GaveUp, Otherwise::Fail, Outcome::Failed),
        (End::GaveUp, Otherwise::Ask, Outcome::Inconclusive),
    ] {
        assert_eq!(end.outcome(otherwise), outcome, "{end:?} {otherwise:?}");
    }
}

/// The rows of two conditions together: what is worse of `Met`, `NotYet`, `Error`, `Failed`, in this order.
#[test]
fn conditions_are_joined_by_the_worst() {
    use State::{Error, Failed, Met, NotYet};
    let table = [
        (Met, [Met, NotYet, Error, Failed]),
        (NotYet, [NotYet, NotYet, Error, Failed]),
        (Error, [Error, Error, Error, Failed]),
        (Failed, [Failed, Failed, Failed, Failed]),
    ];
    for (one, row) in table {
        for (other, expected) in State::ALL.into_iter().zip(row) {
            assert_eq!(one.and(other), expected, "{one:?} {other:?}");
        }
    }
    assert_eq!(together(&[]), Met);
}

/// Every combination of one more sample with what was before it: whether the failures and the errors are at their limits,
/// whether the green time is long enough with this sample, and where in the time the sample is.
#[test]
fn the_truth_table_has_every_combination() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum When {
        Before,
        AtTheEnd,
        /// The first sample after the end: it was due at the end.
        JustLate,
        /// After a sample at the end.
        Late,
    }
    use State::{Error, Failed, Met, NotYet};
    use When::{AtTheEnd, Before, JustLate, Late};
    const OVER: &[When] = &[AtTheEnd, JustLate, Late];
    const ANY: [bool; 2] = [false, true];
    type Row = (State, &'static [bool], &'static [bool], &'static [bool], &'static [When], Option<End>);
    // The sample; failures and errors at their limits before it; green for long enough with it; when; the end.
    let rows: [Row; 12] = [
        (Met, &ANY, &ANY, &[true], &[Before, AtTheEnd, JustLate], Some(End::Green)),
        (Met, &ANY, &ANY, &[true], &[Late], Some(End::GaveUp)),
        (Met, &ANY, &ANY, &[false], &[Before], None),
        (Met, &ANY, &ANY, &[false], OVER, Some(End::GaveUp)),
        (NotYet, &ANY, &ANY, &ANY, &[Before], None),
        (NotYet, &ANY, &ANY, &ANY, OVER, Some(End::GaveUp)),
        (Failed, &[true], &ANY, &ANY, &[Before, AtTheEnd, JustLate, Late], Some(End::TooManyFailures)),
        (Failed, &[false], &ANY, &ANY, &[Before], None),
        (Failed, &[false], &ANY, &ANY, OVER, Some(End::GaveUp)),
        (Error, &ANY, &[true], &ANY, &[Before, AtTheEnd, JustLate, Late], Some(End::TooManyErrors)),
        (Error, &ANY, &[false], &ANY, &[Before], None),
        (Error, &ANY, &[false], &ANY, OVER, Some(End::GaveUp)),
    ];
    let schedule =
        schedule("sampling: {every: 1m, green_for: 10m, failure_limit: 2, error_limit: 3, give_up_after: 1h}");
    let mut combinations = 0;
    for state in State::ALL {
        for (failures, errors, green, when) in ANY.into_iter().flat_map(|failures| {
            let rest = move |errors| {
                ANY.map(move |green| {
                    [Before, AtTheEnd, JustLate, Late].map(move |when| (failures, errors, green, when))
                })
            };
            ANY.into_iter().flat_map(rest).flatten()
        }) {
            let fitting: Vec<_> = rows
                .iter()
                .filter(|row| row.0 == state && row.1.contains(&failures) && row.2.contains(&errors))
                .filter(|row| row.3.contains(&green) && row.4.contains(&when))
                .collect();
            let [row] = fitting.as_slice() else {
                panic!("{state:?} {failures} {errors} {green} {when:?}: {fitting:?}")
            };
            let seconds = match when {
                Before => 59 * 60,
                AtTheEnd => 60 * 60,
                JustLate => 60 * 60 + 30,
                Late => 61 * 60,
            };
            let now = at(BEGIN) + SignedDuration::from_secs(seconds);
            // Errors before a green sample would stop its time, so that the last sample was green where none was.
            let last = if errors && state == Error { "error" } else { "met" };
            let before: Progress = serde_json::from_value(json!({
                "since": BEGIN,
                "samples": 20,
                "failed": if failures { 2 } else { 1 },
                "errors": if errors { 3 } else { 0 },
                "green": if green { 9 * 60_000 } else { 60_000 },
                "last": [(now - SignedDuration::from_mins(1)).to_string(), last],
            }))
            .unwrap();
            let (after, step) = before.sample(&schedule, state, now);
            let end = match step {
                Step::Done(end) => Some(end),
                Step::Wait(next) => {
                    assert_eq!(next, now + SignedDuration::from_mins(1));
                    None
                }
            };
            assert_eq!(end, row.5, "{state:?} {failures} {errors} {green} {when:?} {after:?}");
            combinations += 1;
        }
    }
    assert_eq!(combinations, 4 * 2 * 2 * 2 * 4);
}

#[test]
fn one_look_decides_where_there_is_no_sampling() {
    use State::{Error, Failed, Met, NotYet};
    for (otherwise, state, end, outcome) in [
        ("fail", Met, End::Green, Outcome::Passed),
        ("fail", NotYet, End::GaveUp, Outcome::Failed),
        ("fail", Error, End::TooManyErrors, Outcome::Inconclusive),
        ("fail", Failed, End::TooManyFailures, Outcome::Failed),
        ("ask", Met, End::Green, Outcome::Passed),
        ("ask", NotYet, End::GaveUp, Outcome::Inconclusive),
        ("ask", Error, End::TooManyErrors, Outcome::Inconclusive),
        ("ask", Failed, End::TooManyFailures, Outcome::Failed),
    ] {
        let schedule = schedule(&format!("otherwise: {otherwise}"));
        assert_eq!(run(&schedule, &[(0, state)]), Some((1, end)), "{otherwise} {state:?}");
        assert_eq!(end.outcome(schedule.otherwise), outcome);
    }
}

#[test]
fn stories_end_as_the_documentation_tells() {
    use State::{Error, Failed, Met, NotYet};
    let minutes = |states: &[State]| -> Vec<(u32, State)> {
        (0..).map(|minute| minute * 60).zip(states.iter().copied()).collect()
    };
    let steady = "sampling: {green_for: 3m, error_limit: 2, give_up_after: 10m}";
    let limited = "sampling: {green_for: 3m, failure_limit: 1, give_up_after: 10m}";
    for (name, keys, states, expected) in [
        ("green together for three minutes", steady, vec![Met, Met, Met, Met], Some((4, End::Green))),
        ("one red restarts the time", steady, vec![Met, Met, Failed, Met, Met, Met, Met], Some((7, End::Green))),
        ("a closed window restarts it too", steady, vec![Met, Met, NotYet, Met, Met, Met, Met], Some((7, End::Green))),
        // Two of the minutes around the error are not known to be green.
        ("an error stops it", steady, vec![Met, Met, Error, Met, Met, Met], Some((6, End::Green))),
        ("errors in a row", steady, vec![Met, Error, Error, Error], Some((4, End::TooManyErrors))),
        ("errors with others between", steady, vec![Error, Error, NotYet, Error, Error, Met, Error], None),
        ("without a limit, failures go on", steady, vec![Failed; 9], None),
        ("to the end of the time", steady, vec![Failed; 11], Some((11, End::GaveUp))),
        ("one failure may be", limited, vec![Failed, Met, Met, Met, Met], Some((5, End::Green))),
        ("two may not", limited, vec![Failed, Met, Failed], Some((3, End::TooManyFailures))),
        ("waiting is no failure", limited, vec![NotYet; 11], Some((11, End::GaveUp))),
    ] {
        assert_eq!(run(&schedule(keys), &minutes(&states)), expected, "{name}");
    }
}

#[test]
fn the_next_look_is_due_after_the_pause_and_at_the_end_of_the_time() {
    let schedule = schedule("sampling: {delay: 2m, every: 5m, green_for: 10m, give_up_after: 13m}");
    let begin = at(BEGIN);
    let minutes = |minutes: i64| begin + SignedDuration::from_mins(minutes);
    let progress = Progress::new(begin);
    assert_eq!(progress.due(&schedule), minutes(2));
    let (progress, step) = progress.sample(&schedule, State::Met, minutes(2));
    assert_eq!(step, Step::Wait(minutes(7)));
    // The last look is not past the end.
    let (progress, step) = progress.sample(&schedule, State::Met, minutes(9));
    assert_eq!(step, Step::Wait(minutes(13)));
    assert_eq!((progress.samples(), progress.green()), (2, Duration::from_secs(7 * 60)));
}

/// Between two samples nobody looks, and what lies further apart than twice the pause is not known to have been green.
#[test]
fn a_gap_counts_for_twice_the_pause_at_the_most() {
    for (keys, gap, counted) in [
        ("every: 5m", 540, 540),
        ("every: 5m", 600, 600),
        ("every: 5m", 601, 600),
        ("every: 5m", 7200, 600),
        // Whoever asks may do so each minute only.
        ("every: 10s", 90, 90),
        ("every: 10s", 150, 120),
        ("every: 1m", 3600, 120),
    ] {
        let schedule = schedule(&format!("sampling: {{{keys}, green_for: 1h, give_up_after: 12h}}"));
        let begin = at(BEGIN);
        let (progress, _) = Progress::new(begin).sample(&schedule, State::Met, begin);
        let (progress, _) = progress.sample(&schedule, State::Met, begin + SignedDuration::from_secs(gap));
        assert_eq!(progress.green(), Duration::from_secs(counted), "{keys} {gap}");
    }
}

/// A look that was due at the end of the time comes after it, since whoever asks comes later. It still decides.
#[test]
fn the_look_at_the_end_of_the_time_counts() {
    use State::{Failed, Met, NotYet};
    let keys = "sampling: {every: 4m, green_for: 4m, give_up_after: 10m}";
    for (name, samples, expected) in [
        ("green for long enough", vec![(0, Failed), (270, Met), (630, Met)], Some((3, End::Green))),
        ("not for long enough", vec![(0, Failed), (450, Met), (630, Met)], Some((3, End::GaveUp))),
        ("not any more", vec![(0, Failed), (270, Met), (630, NotYet)], Some((3, End::GaveUp))),
        ("in time", vec![(0, Met), (250, Met)], Some((2, End::Green))),
    ] {
        assert_eq!(run(&schedule(keys), &samples), expected, "{name}");
    }
    // Without a time to be green for, one look is enough, and it may be the one at the end.
    let once = schedule("sampling: {every: 1m, give_up_after: 10m}");
    assert_eq!(run(&once, &[(590, NotYet), (659, Met)]), Some((2, End::Green)));
}

/// What a look has found is told until the next one. It is short enough for a continuation token, whatever it is.
#[test]
fn a_reason_is_kept_within_its_length() {
    for (reason, kept) in [
        ("the alarm web-5xx is in ALARM".to_owned(), Some("the alarm web-5xx is in ALARM".to_owned())),
        (String::new(), None),
        ("a\nb\u{1}c".to_owned(), Some("a b c".to_owned())),
        ("x".repeat(1000), Some("x".repeat(300))),
        // 299 bytes, and half of a character has no place.
        (format!("x{}", "ß".repeat(200)), Some(format!("x{}", "ß".repeat(149)))),
        ("\"".repeat(1000), Some("\"".repeat(300))),
        ("\\".repeat(1000), Some("\\".repeat(300))),
        ("\u{1}".repeat(1000), Some(" ".repeat(300))),
    ] {
        let full = json!({
            "since": "2026-11-25T12:00:00.123456789Z", "samples": u32::MAX, "failed": u32::MAX, "errors": u32::MAX,
            "green": u64::MAX, "last": ["2026-11-25T12:00:00.123456789Z", "not_yet"],
        });
        // As an older version has kept it, there is no reason.
        let old: Progress = serde_json::from_value(full).unwrap();
        assert_eq!(old.reason(), None);
        let progress = old.because(&reason);
        assert_eq!(progress.reason(), kept.as_deref());
        let token = format!("cj1:{}", serde_json::to_string(&progress).unwrap());
        assert!(token.len() <= 1024, "{} bytes, and CodePipeline takes 2048: {token}", token.len());
        assert_eq!(serde_json::from_str::<Progress>(&token[4..]).unwrap(), progress);
    }
}

fn state() -> impl Strategy<Value = State> {
    prop_oneof![4 => Just(State::Met), 1 => Just(State::NotYet), 1 => Just(State::Error), 1 => Just(State::Failed)]
}

fn schedules() -> impl Strategy<Value = Schedule> {
    (0_u64..300, proptest::option::of(0_u32..4), 0_u32..4, any::<bool>()).prop_map(
        |(green_for, failures, errors, asks)| Schedule {
            delay: Duration::ZERO,
            every: Duration::from_secs(30),
            green_for: Duration::from_secs(green_for),
            failure_limit: failures,
            error_limit: errors,
            give_up_after: Duration::from_secs(900),
            otherwise: if asks { Otherwise::Ask } else { Otherwise::Fail },
        },
    )
}

/// Samples in the order of their times, the last of them at the end of the time.
fn samples() -> impl Strategy<Value = Vec<(u32, State)>> {
    proptest::collection::vec((1_u32..60, state()), 1..30).prop_map(|steps| {
        let mut now = 0;
        let mut samples: Vec<_> = steps
            .into_iter()
            .map(|(pause, state)| {
                now += pause;
                (now, state)
            })
            .filter(|(now, _)| *now < 900)
            .collect();
        samples.push((900, State::NotYet));
        samples
    })
}

/// What is worse than a state. An error is no failed measurement, so neither is worse than the other.
fn worse(state: State) -> &'static [State] {
    match state {
        State::Met => &[State::NotYet, State::Error, State::Failed],
        State::NotYet => &[State::Failed],
        State::Error | State::Failed => &[],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_worse_sample_never_makes_a_gate_pass(
        schedule in schedules(), samples in samples(), which in any::<prop::sample::Index>(), how in any::<prop::sample::Index>(),
    ) {
        let index = which.index(samples.len());
        let choices = worse(samples[index].1);
        prop_assume!(!choices.is_empty());
        let mut changed = samples.clone();
        changed[index].1 = choices[how.index(choices.len())];
        let (before, after) = (run(&schedule, &samples), run(&schedule, &changed));
        let (_, before) = before.expect("the time is up");
        let (_, after) = after.expect("the time is up");
        prop_assert!(after != End::Green || before == End::Green, "{:?} {:?}", samples, changed);
        // Where everything could be measured, the outcome is nowhere better.
        if changed.iter().all(|(_, state)| *state != State::Error) {
            prop_assert!(after.outcome(schedule.otherwise) >= before.outcome(schedule.otherwise));
        }
    }

    #[test]
    fn it_makes_no_difference_between_which_looks_the_token_is_written(
        schedule in schedules(), samples in samples(), kept in proptest::collection::vec(any::<bool>(), 31),
    ) {
        let begin = at(BEGIN);
        let (mut one, mut other) = (Progress::new(begin), Progress::new(begin));
        for ((seconds, state), kept) in samples.into_iter().zip(kept) {
            let now: Timestamp = begin + SignedDuration::from_secs(seconds.into());
            let (next, step) = one.sample(&schedule, state, now);
            let (next_other, step_other) = other.sample(&schedule, state, now);
            prop_assert_eq!(step, step_other);
            (one, other) = (next, next_other);
            if kept {
                let token = serde_json::to_string(&other).unwrap();
                prop_assert!(token.len() < 500, "{}", token);
                other = serde_json::from_str(&token).unwrap();
            }
            prop_assert_eq!(&one, &other);
            if matches!(step, Step::Done(_)) {
                break;
            }
        }
    }

    /// Samples at times at which nobody would have asked, too: long after the end, and with long gaps.
    #[test]
    fn nothing_passes_that_was_not_green_for_the_time(
        schedule in schedules(), steps in proptest::collection::vec((1_u32..400, state()), 1..12),
    ) {
        let mut now = 0;
        let samples: Vec<_> = steps.into_iter().map(|(pause, state)| { now += pause; (now, state) }).collect();
        if let Some((count, End::Green)) = run(&schedule, &samples) {
            let green_for = u32::try_from(schedule.green_for.as_secs()).unwrap();
            let bad = samples[..count].iter().rposition(|(_, state)| matches!(state, State::Failed | State::NotYet));
            let since = &samples[bad.map_or(0, |bad| bad + 1)..count];
            // Twice a minute, as 30 seconds are shorter than the pause of whoever asks.
            let green: u32 = since
                .windows(2)
                .filter(|pair| pair.iter().all(|(_, state)| *state == State::Met))
                .map(|pair| (pair[1].0 - pair[0].0).min(120))
                .sum();
            prop_assert!(green >= green_for, "{} of {}: {:?}", green, green_for, samples);
            // It was the first one at the end of the time at the latest.
            prop_assert!(count == 1 || samples[count - 2].0 < 900, "{:?}", samples);
        }
    }
}
