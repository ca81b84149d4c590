//! Conditions over what was measured.

use stagegate_release::conditions::measure;
use stagegate_release::{AlarmFact, AlarmState, Facts, Measured, ProbeFact, StageFact, State, Unmeasured, VerdictFact};
use stagegate_verdict::Outcome;

use crate::{at, gate};

const NOW: &str = "2026-11-25T12:00:00Z";

fn check(keys: &str, facts: &Facts, state: State, part: &str) -> Measured {
    let measured = measure(&gate(keys), facts, at(NOW));
    let [one] = measured.as_slice() else { panic!("{measured:?}") };
    assert_eq!(one.state, state, "{keys}: {one:?}");
    assert!(one.message.contains(part), "{keys}: {one:?}");
    one.clone()
}

fn alarm(state: AlarmState, since: &str) -> AlarmFact {
    let since = Some(since).filter(|since| !since.is_empty()).map(at);
    AlarmFact { name: "web-5xx".to_owned(), state, since, reason: "a reason".to_owned(), unevaluated: None }
}

fn alarms(found: Vec<AlarmFact>) -> Facts {
    Facts { alarms: Some(Ok(found)), ..Facts::default() }
}

#[test]
fn alarms_must_be_ok_for_the_time() {
    use AlarmState::{Alarm, InsufficientData, Ok as Fine, Other};
    let plain = "alarms: {names: [web-5xx]}";
    let steady = "alarms: {names: [web-5xx], ok_for: 10m}";
    let missing = |policy: &str| format!("alarms: {{names: [web-5xx], ok_for: 10m, missing_data: {policy}}}");
    for (keys, fact, state, part) in [
        (plain, alarm(Fine, "2026-11-25T11:59:59Z"), State::Met, "is OK"),
        (steady, alarm(Fine, "2026-11-25T11:50:00Z"), State::Met, "OK for 10m"),
        (steady, alarm(Fine, "2026-11-25T11:50:01Z"), State::NotYet, "OK for 9m59s"),
        // A clock that is ahead of ours has not been OK for long.
        (steady, alarm(Fine, "2026-11-25T12:01:00Z"), State::NotYet, "OK for 0s"),
        (steady, alarm(Fine, ""), State::Error, "does not say since when"),
        (plain, alarm(Alarm, "2026-11-25T11:00:00Z"), State::Failed, "is in ALARM: a reason"),
        (plain, alarm(InsufficientData, "2026-11-25T11:00:00Z"), State::NotYet, "no data yet"),
        (&missing("breaching"), alarm(InsufficientData, "2026-11-25T11:00:00Z"), State::Failed, "counts as an alarm"),
        (
            &missing("not_breaching"),
            alarm(InsufficientData, "2026-11-25T11:00:00Z"),
            State::Met,
            "has had no data for 1h, which the policy counts as OK",
        ),
        (
            &missing("not_breaching"),
            alarm(InsufficientData, "2026-11-25T11:55:00Z"),
            State::NotYet,
            "has had no data for 5m, which the policy counts as OK",
        ),
        (
            "alarms: {names: [web-5xx], missing_data: not_breaching}",
            alarm(InsufficientData, ""),
            State::Met,
            "has no data, which the policy counts as OK",
        ),
        (plain, alarm(Other("NEW".to_owned()), ""), State::Error, "NEW"),
        (
            plain,
            AlarmFact { unevaluated: Some("EVALUATION_FAILURE".to_owned()), ..alarm(Fine, NOW) },
            State::Error,
            "EVALUATION_FAILURE",
        ),
    ] {
        let has_no_data = fact.state == InsufficientData;
        let measured = check(keys, &alarms(vec![fact]), state, part);
        // What was observed is what CloudWatch says, whatever it counts as.
        let observed = measured.observed.unwrap_or_default();
        assert_eq!(observed.starts_with("INSUFFICIENT_DATA"), has_no_data, "{keys}: {observed}");
    }
    check(plain, &alarms(vec![]), State::Failed, "there is no alarm web-5xx");
    let refused = Facts { alarms: Some(Err(Unmeasured::new("AccessDenied"))), ..Facts::default() };
    check(plain, &refused, State::Error, "AccessDenied");
    check(plain, &Facts::default(), State::Error, "not measured");
}

#[test]
fn a_stage_must_have_soaked() {
    let keys = "soak: {stage: Staging, for: 30m}";
    let succeeded = |time: &str| StageFact::Succeeded { at: at(time) };
    for (stage, state, part) in [
        (succeeded("2026-11-25T11:30:00Z"), State::Met, "succeeded 30m ago"),
        (succeeded("2026-11-25T11:30:01Z"), State::NotYet, "succeeded 29m59s ago"),
        (succeeded("2026-11-25T13:00:00Z"), State::NotYet, "succeeded 0s ago"),
        (StageFact::NotReached, State::NotYet, "no action in this execution"),
        (StageFact::Running, State::NotYet, "still running"),
        (
            StageFact::NotSucceeded { action: "Deploy".to_owned(), status: "Failed".to_owned() },
            State::Failed,
            "the action Deploy of the stage Staging is Failed",
        ),
    ] {
        check(keys, &Facts { stage: Some(Ok(stage)), ..Facts::default() }, state, part);
    }
    check(
        keys,
        &Facts { stage: Some(Err(Unmeasured::new("throttled"))), ..Facts::default() },
        State::Error,
        "throttled",
    );
}

#[test]
fn verdicts_must_be_passed_and_young() {
    let keys = "verdicts: {gates: [web-tests], max_age: 2h}";
    let verdict =
        |outcome, time: &str| Some(VerdictFact { outcome, at: at(time), summary: "3 of 9 tests failed".to_owned() });
    for (found, state, part) in [
        (verdict(Outcome::Passed, "2026-11-25T10:00:00Z"), State::Met, "has passed"),
        (verdict(Outcome::Passed, "2026-11-25T09:59:59Z"), State::Failed, "2h1s old, and 2h is the limit"),
        (verdict(Outcome::Failed, "2026-11-25T11:00:00Z"), State::Failed, "is failed: 3 of 9"),
        (verdict(Outcome::Inconclusive, "2026-11-25T11:00:00Z"), State::Failed, "is inconclusive"),
        (None, State::NotYet, "no verdict about this execution yet"),
    ] {
        check(keys, &Facts { verdicts: vec![Ok(found)], ..Facts::default() }, state, part);
    }
    let old = verdict(Outcome::Passed, "2020-01-01T00:00:00Z");
    check("verdicts: [web-tests]", &Facts { verdicts: vec![Ok(old)], ..Facts::default() }, State::Met, "has passed");
    check("verdicts: [web-tests]", &Facts::default(), State::Error, "not measured");
}

#[test]
fn metrics_must_keep_to_their_limits() {
    let metric = |limits: &str| {
        format!(
            "metrics: [{{name: error rate, queries: {{m: {{namespace: Web, metric: errors, stat: Sum}}}}, {limits}}}]"
        )
    };
    for (limits, values, state, part) in [
        ("max: 5", vec![5.0, 1.0], State::Met, "error rate is 5, within 5 or less"),
        ("max: 5", vec![1.0, 5.1, 7.0], State::Failed, "error rate is 7 and should be 5 or less (2 of 3 values)"),
        ("min: 2", vec![2.0, 3.0], State::Met, "within 2 or more"),
        ("min: 2", vec![1.0], State::Failed, "should be 2 or more"),
        ("min: 1, max: 2", vec![1.0, 2.0], State::Met, "1 to 2"),
        ("min: 1, max: 2", vec![0.5, 2.1], State::Failed, "error rate is 0.5"),
        ("max: 5", vec![f64::NAN], State::Error, "no number"),
        ("max: 5", vec![], State::NotYet, "has no value yet"),
        ("max: 5, missing_data: breaching", vec![], State::Failed, "counts as a broken limit"),
        ("max: 5, missing_data: not_breaching", vec![], State::Met, "counts as within the limit"),
    ] {
        check(&metric(limits), &Facts { metrics: vec![Ok(values)], ..Facts::default() }, state, part);
    }
}

#[test]
fn probes_must_answer_as_asked_for() {
    let keys = "probes: [{url: 'https://status.example.com/ready', jsonpath: $.ready, predicate: == true}]";
    let other = ProbeFact::DoesNotHold {
        actual: Some("boolean <false>".to_owned()),
        expected: Some("boolean <true>".to_owned()),
    };
    check(keys, &Facts { probes: vec![Ok(ProbeFact::Holds)], ..Facts::default() }, State::Met, "$.ready == true holds");
    check(
        keys,
        &Facts { probes: vec![Ok(other)], ..Facts::default() },
        State::Failed,
        "it is boolean <false> (expected boolean <true>)",
    );
    let down = Facts { probes: vec![Err(Unmeasured::new("connection refused"))], ..Facts::default() };
    check(keys, &down, State::Error, "connection refused");
}

#[test]
fn every_condition_is_measured() {
    let keys = "alarms: {names: [a, b]}\nsoak: {stage: S, for: 1m}\nverdicts: [x, y]\n\
        metrics: [{name: m, queries: {m: {namespace: N, metric: M, stat: Sum}}, max: 1}]\n\
        probes: [{url: 'https://a.example.com/', jsonpath: $, predicate: exists}]";
    let rules: Vec<_> =
        measure(&gate(keys), &Facts::default(), at(NOW)).into_iter().map(|one| (one.rule, one.state)).collect();
    let error = |rule| (rule, State::Error);
    assert_eq!(
        rules,
        [error("alarms"), error("soak"), error("verdicts"), error("verdicts"), error("metrics"), error("probes")]
    );
}
