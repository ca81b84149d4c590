//! Conditions of CloudWatch, of the execution and of other systems, as pure functions of what was measured.

use jiff::{SignedDuration, Timestamp};
use stagegate_config::release::{Alarms, Metric, MissingData, Probe, Soak, Verdicts};
use stagegate_config::{Length, ReleaseGate};
use stagegate_verdict::Outcome;

use crate::facts::{AlarmFact, AlarmState, Facts, Known, ProbeFact, StageFact, Unmeasured, VerdictFact};
use crate::measured::{Measured, State};

/// The key of each condition.
pub(crate) const ALARMS: &str = "alarms";
pub(crate) const SOAK: &str = "soak";
pub(crate) const VERDICTS: &str = "verdicts";
pub(crate) const METRICS: &str = "metrics";
pub(crate) const PROBES: &str = "probes";

/// What the conditions of a policy say by these facts.
pub fn measure(policy: &ReleaseGate, facts: &Facts, now: Timestamp) -> Vec<Measured> {
    let mut measured = Vec::new();
    if let Some(alarms) = &policy.alarms {
        match facts.alarms.as_ref().unwrap_or(&unknown()) {
            Ok(found) => measured.extend(alarms.names.iter().map(|name| alarm(alarms, name, found, now))),
            Err(error) => measured.push(Measured::new(ALARMS, State::Error, error.to_string()).about(&alarms.names)),
        }
    }
    if let Some(policy) = &policy.soak {
        measured.push(match facts.stage.as_ref().unwrap_or(&unknown()) {
            Ok(stage) => soak(policy, stage, now),
            Err(error) => Measured::new(SOAK, State::Error, error.to_string()),
        });
    }
    if let Some(policy) = &policy.verdicts {
        let gates = policy.gates.iter().enumerate();
        measured.extend(gates.map(|(number, gate)| match facts.verdicts.get(number).unwrap_or(&unknown()) {
            Ok(found) => verdict(policy, gate, found.as_ref(), now),
            Err(error) => Measured::new(VERDICTS, State::Error, error.to_string()).about([gate]),
        }));
    }
    for (number, policy) in policy.metrics.iter().enumerate() {
        measured.push(match facts.metrics.get(number).unwrap_or(&unknown()) {
            Ok(values) => metric(policy, values),
            Err(error) => Measured::new(METRICS, State::Error, format!("{}: {error}", policy.name)),
        });
    }
    for (number, policy) in policy.probes.iter().enumerate() {
        measured.push(match facts.probes.get(number).unwrap_or(&unknown()) {
            Ok(answer) => probe(policy, answer),
            Err(error) => Measured::new(PROBES, State::Error, format!("{}: {error}", policy.url)),
        });
    }
    measured
}

fn unknown<T>() -> Known<T> {
    Err(Unmeasured::new("it was not measured"))
}

fn alarm(policy: &Alarms, name: &str, found: &[AlarmFact], now: Timestamp) -> Measured {
    let one = |state, message: String| Measured::new(ALARMS, state, message).about([name]);
    let Some(alarm) = found.iter().find(|alarm| alarm.name == name) else {
        return one(State::Failed, format!("there is no alarm {name} in this account and Region")).with("none", "OK");
    };
    if let Some(reason) = &alarm.unevaluated {
        return one(
            State::Error,
            format!("CloudWatch could not evaluate the alarm {name} ({reason}): {}", alarm.reason),
        );
    }
    match (&alarm.state, policy.missing_data) {
        (AlarmState::Ok, _) | (AlarmState::InsufficientData, MissingData::NotBreaching) => ok_since(policy, alarm, now),
        (AlarmState::Alarm, _) => {
            one(State::Failed, format!("the alarm {name} is in ALARM: {}", alarm.reason)).with("ALARM", "OK")
        }
        (AlarmState::InsufficientData, MissingData::Breaching) => {
            one(State::Failed, format!("the alarm {name} has no data, which the policy counts as an alarm"))
                .with("INSUFFICIENT_DATA", "OK")
        }
        (AlarmState::InsufficientData, MissingData::Missing) => {
            one(State::NotYet, format!("the alarm {name} has no data yet")).with("INSUFFICIENT_DATA", "OK")
        }
        (AlarmState::Other(state), _) => {
            one(State::Error, format!("the alarm {name} has the state {state}, which this version does not know"))
        }
    }
}

fn ok_since(policy: &Alarms, alarm: &AlarmFact, now: Timestamp) -> Measured {
    let name = &alarm.name;
    let one = |state, message: String| Measured::new(ALARMS, state, message).about([name]);
    // The policy may count an alarm without data as one that is OK; people are told which it is.
    let (found, counts) = match alarm.state {
        AlarmState::InsufficientData => ("INSUFFICIENT_DATA", ", which the policy counts as OK"),
        _ => ("OK", ""),
    };
    let Some(wanted) = policy.ok_for else {
        let is = if counts.is_empty() { "is OK" } else { "has no data" };
        return one(State::Met, format!("the alarm {name} {is}{counts}")).with(found, "OK");
    };
    let Some(since) = alarm.since else {
        return one(State::Error, format!("CloudWatch does not say since when the alarm {name} is {found}"));
    };
    let passed = now.duration_since(since);
    let observed = format!("{found} for {}", length(passed));
    let state = if passed >= signed(wanted) { State::Met } else { State::NotYet };
    let has = if counts.is_empty() { "has been OK" } else { "has had no data" };
    let message = format!("the alarm {name} {has} for {}{counts}", length(passed));
    one(state, message).with(observed, format!("OK for {wanted}"))
}

fn soak(policy: &Soak, stage: &StageFact, now: Timestamp) -> Measured {
    let Soak { stage: name, length: wanted } = policy;
    let one = |state, message: String| Measured::new(SOAK, state, message);
    match stage {
        StageFact::NotReached => one(State::NotYet, format!("the stage {name} has no action in this execution"))
            .with("none", format!("{wanted} after {name}")),
        StageFact::Running => one(State::NotYet, format!("the stage {name} is still running"))
            .with("running", format!("{wanted} after {name}")),
        StageFact::NotSucceeded { action, status } => {
            one(State::Failed, format!("the action {action} of the stage {name} is {status}"))
                .with(status, format!("{wanted} after {name}"))
        }
        StageFact::Succeeded { at } => {
            let passed = now.duration_since(*at);
            let state = if passed >= signed(*wanted) { State::Met } else { State::NotYet };
            let message = format!("the stage {name} succeeded {} ago", length(passed));
            one(state, message).with(length(passed), wanted)
        }
    }
}

fn verdict(policy: &Verdicts, gate: &str, found: Option<&VerdictFact>, now: Timestamp) -> Measured {
    let one = |state, message: String| Measured::new(VERDICTS, state, message).about([gate]);
    let Some(verdict) = found else {
        let message = format!("the gate {gate} has given no verdict about this execution yet");
        return one(State::NotYet, message).with("none", "passed");
    };
    if verdict.outcome != Outcome::Passed {
        let message = format!("the gate {gate} is {}: {}", verdict.outcome, verdict.summary);
        return one(State::Failed, message).with(verdict.outcome, "passed");
    }
    let age = now.duration_since(verdict.at);
    match policy.max_age {
        Some(most) if age > signed(most) => {
            let message = format!("the verdict of the gate {gate} is {} old, and {most} is the limit", length(age));
            one(State::Failed, message).with(length(age), most)
        }
        _ => one(State::Met, format!("the gate {gate} has passed")).with("passed", "passed"),
    }
}

fn metric(policy: &Metric, values: &[f64]) -> Measured {
    let Metric { name, min, max, .. } = policy;
    let limit = match (min, max) {
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("{min} or more"),
        (_, max) => format!("{} or less", max.unwrap_or(f64::NAN)),
    };
    let one = |state, message: String| Measured::new(METRICS, state, message).about([name]);
    if values.is_empty() {
        let (state, means) = match policy.missing_data {
            MissingData::Breaching => (State::Failed, ", which the policy counts as a broken limit"),
            MissingData::NotBreaching => (State::Met, ", which the policy counts as within the limit"),
            MissingData::Missing => (State::NotYet, " yet"),
        };
        return one(state, format!("{name} has no value{means}")).with("none", limit);
    }
    if values.iter().any(|value| !value.is_finite()) {
        return one(State::Error, format!("{name} has a value that is no number"));
    }
    let breaks = |value: &&f64| min.is_some_and(|min| **value < min) || max.is_some_and(|max| **value > max);
    let broken: Vec<&f64> = values.iter().filter(breaks).collect();
    // The worst is the one farthest from what is allowed.
    let distance = |value: &f64| {
        let below = min.map_or(f64::NEG_INFINITY, |min| min - value);
        below.max(max.map_or(f64::NEG_INFINITY, |max| value - max))
    };
    let worst = values.iter().copied().max_by(|one, other| distance(one).total_cmp(&distance(other)));
    let worst = worst.unwrap_or(f64::NAN);
    match broken.len() {
        0 => one(State::Met, format!("{name} is {worst}, within {limit}")).with(worst, limit),
        count => {
            let message = format!("{name} is {worst} and should be {limit} ({count} of {} values)", values.len());
            one(State::Failed, message).with(worst, limit)
        }
    }
}

fn probe(policy: &Probe, answer: &ProbeFact) -> Measured {
    let Probe { url, jsonpath, predicate, .. } = policy;
    let one = |state, message: String| Measured::new(PROBES, state, message).about([url]);
    let wanted = format!("{jsonpath} {predicate}");
    match answer {
        ProbeFact::Holds => one(State::Met, format!("{wanted} holds")).with("as asked for", wanted),
        ProbeFact::DoesNotHold { actual, expected } => {
            let actual = actual.as_deref().unwrap_or("none");
            let expected = expected.as_deref().map(|expected| format!(" (expected {expected})")).unwrap_or_default();
            one(State::Failed, format!("{wanted} does not hold: it is {actual}{expected}")).with(actual, wanted)
        }
    }
}

fn signed(length: Length) -> SignedDuration {
    SignedDuration::try_from(length.as_duration()).unwrap_or(SignedDuration::MAX)
}

/// `1h5m`, as a policy writes it; what lies ahead is `0s`.
pub(crate) fn length(passed: SignedDuration) -> String {
    let mut seconds = u64::try_from(passed.as_secs()).unwrap_or(0);
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut text = String::new();
    for (unit, length) in [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)] {
        if seconds / length > 0 {
            text.push_str(&format!("{}{unit}", seconds / length));
        }
        seconds %= length;
    }
    text
}
