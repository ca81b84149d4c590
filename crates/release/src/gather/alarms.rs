//! The states of alarms.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{AlarmType, EvaluationState, StateValue};

use super::{refused, timestamp};
use crate::facts::{AlarmFact, AlarmState, Known};

/// The alarms of these names that there are: metric alarms, composite alarms, and log alarms where a name is neither.
pub(super) async fn alarms(client: &Client, names: &[String]) -> Known<Vec<AlarmFact>> {
    let mut found = described(client, names, &[AlarmType::MetricAlarm, AlarmType::CompositeAlarm]).await?;
    // Log alarms are asked for apart: they are new, and not every Region needs to know them.
    let missing: Vec<String> =
        names.iter().filter(|name| found.iter().all(|alarm| alarm.name != **name)).cloned().collect();
    if !missing.is_empty() {
        found.extend(described(client, &missing, &[AlarmType::LogAlarm]).await?);
    }
    Ok(found)
}

async fn described(client: &Client, names: &[String], types: &[AlarmType]) -> Known<Vec<AlarmFact>> {
    let request = client.describe_alarms().set_alarm_names(Some(names.to_vec())).set_alarm_types(Some(types.to_vec()));
    let mut pages = request.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| refused("CloudWatch", "DescribeAlarms", &error))?;
        for alarm in page.metric_alarms() {
            let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
            found.push(AlarmFact {
                name: alarm.alarm_name().unwrap_or_default().to_owned(),
                state: state(alarm.state_value()),
                since: since.and_then(timestamp),
                reason: alarm.state_reason().unwrap_or("no reason").to_owned(),
                unevaluated: alarm.evaluation_state().map(EvaluationState::as_str).map(str::to_owned),
            });
        }
        for alarm in page.composite_alarms() {
            let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
            found.push(AlarmFact {
                name: alarm.alarm_name().unwrap_or_default().to_owned(),
                state: state(alarm.state_value()),
                since: since.and_then(timestamp),
                reason: alarm.state_reason().unwrap_or("no reason").to_owned(),
                unevaluated: None,
            });
        }
        for alarm in page.log_alarms() {
            let since = alarm.state_transitioned_timestamp().or(alarm.state_updated_timestamp());
            found.push(AlarmFact {
                name: alarm.alarm_name().unwrap_or_default().to_owned(),
                state: state(alarm.state_value()),
                since: since.and_then(timestamp),
                reason: alarm.state_reason().unwrap_or("no reason").to_owned(),
                unevaluated: alarm.evaluation_state().map(EvaluationState::as_str).map(str::to_owned),
            });
        }
    }
    Ok(found)
}

fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        Some(StateValue::InsufficientData) => AlarmState::InsufficientData,
        Some(other) => AlarmState::Other(other.as_str().to_owned()),
        None => AlarmState::Other("none".to_owned()),
    }
}
