//! `stagegate release-gate --explain`: what a release gate would say about a time, by what can be known here.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};
use serde_json::json;
use stagegate_config::release::Zone;
use stagegate_config::{Config, ReleaseGate};
use stagegate_release::{
    Calendars, Circumstances, Measured, Opening, Plan, State, TimeConditions, Unmeasured, clock, next_opening,
    read_calendars, together,
};
use stagegate_verdict::Execution;

use crate::args::ReleaseGateOptions;
use crate::commands::check;
use crate::exit::{CommandError, Exit};
use crate::terminal::{Style, put, say};

/// What is known without asking AWS.
struct Known {
    gate: String,
    zone: Zone,
    at: Timestamp,
    measured: Vec<Measured>,
    /// What is looked up when the gate runs, by condition.
    later: Vec<(&'static str, String)>,
    next: Opening,
}

pub(crate) fn run(options: &ReleaseGateOptions) -> Result<Exit, CommandError> {
    let file = check::config(options.policy.as_deref())?;
    let config = Config::load(&file).map_err(|error| CommandError::broken_input(format!("use the policy: {error}")))?;
    let (name, policy) = choose(&config, options.gate.as_deref())?;
    let plan = Plan::new(policy).map_err(CommandError::broken_input)?;
    let zone = zone_of(policy);
    let at = match &options.at {
        Some(text) => moment(text, &zone).map_err(CommandError::wrong_call)?,
        None => Timestamp::now(),
    };
    let known = explain(name, &plan, &folder(&file), options, zone, at);
    match options.json {
        true => put(as_json(&known)?),
        false => print(&known),
    }
    Ok(match together(&known.measured) {
        State::Met => Exit::Passed,
        State::NotYet | State::Failed => Exit::Failed,
        State::Error => Exit::Inconclusive,
    })
}

fn choose<'c>(config: &'c Config, gate: Option<&str>) -> Result<(&'c str, &'c ReleaseGate), CommandError> {
    let gates: Vec<_> = config.gates().filter_map(|(name, gate)| Some((name, gate.release().ok()?))).collect();
    match (gate, gates.as_slice()) {
        (Some(name), _) => {
            let gate =
                config.gate(name).map_err(CommandError::wrong_call)?.release().map_err(CommandError::wrong_call)?;
            let known = gates.iter().find(|(known, _)| *known == name).map_or("", |(known, _)| known);
            Ok((known, gate))
        }
        (None, [one]) => Ok(*one),
        (None, []) => Err(CommandError::broken_input("use the policy: it has no gate that decides about releases")),
        (None, several) => {
            let names: Vec<_> = several.iter().map(|(name, _)| *name).collect();
            Err(CommandError::wrong_call(format!("choose a gate: name one of {} with --gate", names.join(", "))))
        }
    }
}

fn explain(name: &str, plan: &Plan, folder: &Path, options: &ReleaseGateOptions, zone: Zone, at: Timestamp) -> Known {
    let calendars: Calendars = read_calendars(folder, plan);
    let variables = options.variables.iter().cloned().collect();
    let circumstances = Circumstances {
        execution: Execution { pipeline: options.pipeline.clone(), ..Execution::default() },
        variables: match options.pipeline {
            Some(_) => Ok(variables),
            None => Err(Unmeasured::new("name the pipeline with --pipeline, and its variables with --variable")),
        },
    };
    let policy = plan.policy();
    // Without a pipeline, a freeze counts for everybody.
    let whose = options.pipeline.is_some().then_some(&circumstances);
    let conditions = TimeConditions::new(policy, &calendars, whose);
    let measured = conditions.measure(at);
    let mut later = Vec::new();
    if let Some(alarms) = &policy.alarms {
        let for_time = alarms.ok_for.map(|time| format!(" for {time}")).unwrap_or_default();
        later.push(("alarms", format!("{} must be OK{for_time}", alarms.names.join(", "))));
    }
    if let Some(soak) = &policy.soak {
        later.push(("soak", format!("{} must have passed since the stage {} succeeded", soak.length, soak.stage)));
    }
    if let Some(verdicts) = &policy.verdicts {
        let age = verdicts.max_age.map(|age| format!(", at most {age} ago")).unwrap_or_default();
        later.push(("verdicts", format!("{} must have passed this execution{age}", verdicts.gates.join(", "))));
    }
    later.extend(
        policy
            .metrics
            .iter()
            .map(|metric| ("metrics", format!("{} must keep to its limit over {}", metric.name, metric.over()))),
    );
    later.extend(
        policy
            .probes
            .iter()
            .map(|probe| ("probes", format!("{} of {} must be {}", probe.jsonpath, probe.url, probe.predicate))),
    );
    Known { gate: name.to_owned(), zone, at, next: next_opening(&conditions, at), measured, later }
}

fn print(known: &Known) {
    let style = Style::of_stdout();
    let Known { gate, zone, at, measured, later, next } = known;
    say(format_args!("{} at {}", style.strong(gate), clock(*at, zone)));
    for one in measured {
        let sign = match one.state {
            State::Met => style.good("✓"),
            State::NotYet | State::Failed => style.bad("✗"),
            State::Error => style.waiting("?"),
        };
        say(format_args!("  {sign} {:10}  {}", one.rule, one.message));
    }
    for (rule, what) in later {
        say(format_args!("  · {rule:10}  {what} (looked up when the gate runs)"));
    }
    match next {
        Opening::At(next) if next == at && measured.is_empty() => {
            say("by the clock, a release is possible at any time")
        }
        Opening::At(next) if next == at => say("by the clock, a release is possible"),
        Opening::At(next) => {
            let wait = next.duration_since(*at);
            say(format_args!(
                "by the clock, a release is possible from {}, in {}",
                style.strong(clock(*next, zone)),
                spoken(wait)
            ));
        }
        Opening::Never => say("by the clock, no release is possible within 400 days"),
        Opening::Unknown(why) => say(format_args!("when a release is possible is not known, because {why}")),
    }
}

fn as_json(known: &Known) -> Result<String, CommandError> {
    let state = |state: State| match state {
        State::Met => "met",
        State::NotYet => "not_yet",
        State::Error => "error",
        State::Failed => "failed",
    };
    let conditions: Vec<_> = known
        .measured
        .iter()
        .map(|one| json!({"rule": one.rule, "state": state(one.state), "message": one.message}))
        .chain(known.later.iter().map(|(rule, what)| json!({"rule": rule, "state": "unknown", "message": what})))
        .collect();
    let mut value = json!({"gate": known.gate, "at": known.at, "conditions": conditions, "possible_from": null});
    match &known.next {
        Opening::At(next) => value["possible_from"] = json!(next),
        Opening::Never => {}
        Opening::Unknown(why) => value["possible_from_unknown"] = json!(why.to_string()),
    }
    let text = serde_json::to_string_pretty(&value);
    text.map(|text| text + "\n").map_err(|error| CommandError::unavailable(format!("write JSON: {error}")))
}

/// The zone in which people are told times: the first that the policy names.
fn zone_of(policy: &ReleaseGate) -> Zone {
    let windows = policy.windows.iter().map(|window| &window.zone);
    let freezes = policy.freezes.iter().map(|freeze| &freeze.zone);
    let calendars = policy.calendars.iter().map(|calendar| &calendar.zone);
    windows.chain(freezes).chain(calendars).next().cloned().unwrap_or_else(Zone::utc)
}

/// A moment as people write it: with an offset, with a zone in brackets, or by the clock of the policy's zone.
fn moment(text: &str, zone: &Zone) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(time) = text.parse::<ZonedDateTime>() {
        return Ok(time.timestamp());
    }
    let local: Option<DateTime> = text.parse().ok();
    let time = local.and_then(|local| zone.rules().to_timestamp(local).ok());
    time.ok_or_else(|| {
        format!("read the time {text:?}: write one such as \"2026-12-24 18:00\" (in {zone}), 2026-12-24T18:00:00Z or 2026-12-24T18:00[Europe/Berlin]")
    })
}

fn folder(file: &Path) -> PathBuf {
    file.parent().map(PathBuf::from).unwrap_or_default()
}

/// `4d16h40m`.
fn spoken(time: SignedDuration) -> String {
    let minutes = time.as_secs().div_euclid(60);
    let parts = [(minutes / 1440, 'd'), (minutes / 60 % 24, 'h'), (minutes % 60, 'm')];
    let text: String =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if text.is_empty() { "less than a minute".to_owned() } else { text }
}
