//! The managed rules and what each of them takes (AWS CodePipeline guide, rule reference).

use std::collections::BTreeMap;

use regex::Regex;

use super::{Moment, Piece, RuleDeclaration, pieces};
use crate::alarms::AlarmState;
use crate::quartz::{Cron, time_zone};

/// A managed rule that the engine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RuleType {
    LambdaInvoke,
    DeploymentWindow,
    CloudWatchAlarm,
    VariableCheck,
    Commands,
}

/// A key of a rule's configuration, and whether it must be there.
pub(crate) type Key = (&'static str, bool);

impl RuleType {
    pub(crate) const ALL: [Self; 5] =
        [Self::CloudWatchAlarm, Self::Commands, Self::DeploymentWindow, Self::LambdaInvoke, Self::VariableCheck];

    pub(crate) fn of(provider: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.provider() == provider)
    }

    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::LambdaInvoke => "LambdaInvoke",
            Self::DeploymentWindow => "DeploymentWindow",
            Self::CloudWatchAlarm => "CloudWatchAlarm",
            Self::VariableCheck => "VariableCheck",
            Self::Commands => "Commands",
        }
    }

    pub(crate) fn keys(self) -> &'static [Key] {
        match self {
            Self::LambdaInvoke => &[("FunctionName", true), ("UserParameters", false)],
            Self::DeploymentWindow => &[("Cron", true), ("TimeZone", false)],
            Self::CloudWatchAlarm => &[("AlarmName", true), ("AlarmStates", false), ("WaitTime", false)],
            Self::VariableCheck => &[("Variable", true), ("Value", true), ("Operator", true)],
            Self::Commands => &[],
        }
    }

    /// The most input artifacts.
    pub(crate) fn most_artifacts(self) -> usize {
        match self {
            Self::LambdaInvoke => 5,
            Self::Commands => 10,
            _ => 0,
        }
    }
}

/// What is wrong with a rule in itself, in words that follow its place.
pub(crate) fn problem(rule: &RuleDeclaration) -> Option<String> {
    let id = &rule.rule_type_id;
    let version = id.version.as_deref().unwrap_or("1");
    let Some(rule_type) = RuleType::of(&id.provider).filter(|_| version == "1") else {
        let known = RuleType::ALL.map(RuleType::provider).join(", ");
        return Some(format!(
            "has the type {} at version {version}, which the local CodePipeline does not have; it has, at version 1: {known}",
            id.provider
        ));
    };
    let provider = id.provider.as_str();
    let keys = rule_type.keys();
    if let Some((key, _)) = keys.iter().find(|(key, required)| *required && !rule.configuration.contains_key(*key)) {
        return Some(format!("lacks the configuration key {key}"));
    }
    if let Some(key) = rule.configuration.keys().find(|key| !keys.iter().any(|(known, _)| known == key)) {
        let known: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Some(format!("has the unknown configuration key {key}; known: {known}"));
    }
    match (rule_type, rule.commands.is_empty()) {
        (RuleType::Commands, true) => return Some("has no commands".to_owned()),
        (RuleType::Commands, false) | (_, true) => {}
        (_, false) => return Some("has commands, which only the Commands rule has".to_owned()),
    }
    if rule.input_artifacts.len() > rule_type.most_artifacts() {
        let (count, most) = (rule.input_artifacts.len(), rule_type.most_artifacts());
        return Some(format!("has {count} input artifacts; {provider} allows at most {most}"));
    }
    let literal =
        |(_, value): &(&String, &String)| pieces(value).iter().all(|piece| matches!(piece, Piece::Literal(_)));
    let known: BTreeMap<_, _> =
        rule.configuration.iter().filter(literal).map(|(key, value)| (key.as_str(), value.as_str())).collect();
    value_problem(rule_type, &|key| known.get(key).copied())
}

/// What is wrong with the values of a rule, as far as they are known.
pub(crate) fn value_problem<'a>(rule_type: RuleType, value: &dyn Fn(&str) -> Option<&'a str>) -> Option<String> {
    match rule_type {
        RuleType::LambdaInvoke | RuleType::Commands => None,
        RuleType::DeploymentWindow => {
            let cron =
                value("Cron").and_then(|cron| Cron::parse(cron).err()).map(|why| format!("has a Cron that {why}"));
            let zone = || value("TimeZone").and_then(|zone| time_zone(zone).err());
            cron.or_else(|| zone().map(|why| format!("has a TimeZone that {why}")))
        }
        RuleType::CloudWatchAlarm => {
            let states = value("AlarmStates").and_then(|states| alarm_states(states).err());
            states.or_else(|| value("WaitTime").and_then(|minutes| wait_minutes(minutes).err()))
        }
        RuleType::VariableCheck => {
            let operator = value("Operator")?;
            if !["EQ", "NE", "CONTAINS", "MATCHES"].contains(&operator) {
                return Some(format!("has the Operator {operator:?}; it may be EQ, NE, CONTAINS or MATCHES"));
            }
            let pattern = value("Value").filter(|_| operator == "MATCHES")?;
            whole_match(pattern).err()
        }
    }
}

/// Reads `AlarmStates`: names that commas separate.
pub(crate) fn alarm_states(text: &str) -> Result<Vec<AlarmState>, String> {
    let read = |name: &str| {
        let found = AlarmState::ALL.into_iter().find(|state| state.as_str() == name.trim());
        found.ok_or_else(|| {
            format!("has AlarmStates with {name:?}; it may hold ALARM, OK and INSUFFICIENT_DATA, separated by commas")
        })
    };
    text.split(',').map(read).collect()
}

/// Reads `WaitTime`: minutes, at most as many as a rule may take.
pub(crate) fn wait_minutes(text: &str) -> Result<u32, String> {
    let minutes = text.parse().ok().filter(|minutes| *minutes <= 86_400);
    minutes.ok_or_else(|| format!("has the WaitTime {text:?}, which is no number of minutes from 0 to 86400"))
}

/// The states that a rule wants where it does not say.
pub(crate) fn wanted_states(moment: Moment) -> Vec<AlarmState> {
    match moment {
        Moment::BeforeEntry | Moment::OnSuccess => vec![AlarmState::Ok, AlarmState::InsufficientData],
        Moment::OnFailure => vec![AlarmState::Alarm],
    }
}

/// A pattern of `MATCHES`, which the whole value must match.
pub(crate) fn whole_match(pattern: &str) -> Result<Regex, String> {
    // AWS takes Java's patterns. Those that look around or refer back are not understood here.
    let compiled = Regex::new(&format!(r"\A(?:{pattern})\z"));
    compiled.map_err(|_| format!("has the pattern {pattern:?}, which the local CodePipeline cannot read"))
}
