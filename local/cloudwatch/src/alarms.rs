//! Alarms, whose states are set by hand.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_codepipeline::ApiError;
use stagegate_local_codepipeline::aws_json::{Page, epoch_seconds, page, without_nulls};

use crate::{SERVICE, text};

#[derive(Debug)]
pub(crate) struct Alarms {
    /// What the ARN of every alarm begins with.
    arn: String,
    alarms: BTreeMap<String, Alarm>,
}

#[derive(Debug)]
struct Alarm {
    is_composite: bool,
    /// The members that it was made with.
    settings: Value,
    configured: Timestamp,
    state: String,
    reason: String,
    updated: Timestamp,
    transitioned: Timestamp,
}

impl Alarms {
    pub(crate) fn new(arn: String) -> Self {
        Self { arn, alarms: BTreeMap::new() }
    }

    pub(crate) fn put_metric_alarm(&mut self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        for required in ["MetricName", "Namespace", "EvaluationPeriods", "ComparisonOperator", "Threshold", "Period"] {
            if input[required].is_null() {
                let message = format!("{required} is required; alarms over expressions are not kept here");
                return Err(ApiError::new("ValidationError", message));
            }
        }
        self.put(input, false, now)
    }

    pub(crate) fn put_composite_alarm(&mut self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        self.put(input, true, now)
    }

    fn put(&mut self, input: &Value, is_composite: bool, now: Timestamp) -> Result<Value, ApiError> {
        let name = text(input, "AlarmName");
        if let Some(alarm) = self.alarms.get_mut(name) {
            if alarm.is_composite != is_composite {
                let message = format!("the alarm {name} is of another type; delete it first");
                return Err(ApiError::new("ValidationError", message));
            }
            // An alarm that is changed keeps its state (AWS API reference, PutMetricAlarm).
            (alarm.settings, alarm.configured) = (input.clone(), now);
            return Ok(Value::Null);
        }
        let alarm = Alarm {
            is_composite,
            settings: input.clone(),
            configured: now,
            state: "INSUFFICIENT_DATA".to_owned(),
            reason: "Unchecked: Initial alarm creation".to_owned(),
            updated: now,
            transitioned: now,
        };
        self.alarms.insert(name.to_owned(), alarm);
        Ok(Value::Null)
    }

    pub(crate) fn delete(&mut self, input: &Value) -> Result<Value, ApiError> {
        let names: Vec<_> = input["AlarmNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if let Some(missing) = names.iter().find(|name| !self.alarms.contains_key(**name)) {
            return Err(not_found(missing));
        }
        names.iter().for_each(|name| drop(self.alarms.remove(*name)));
        Ok(Value::Null)
    }

    pub(crate) fn set_state(&mut self, input: &Value, now: Timestamp) -> Result<Value, ApiError> {
        let name = text(input, "AlarmName");
        let alarm = self.alarms.get_mut(name).ok_or_else(|| not_found(name))?;
        let state = text(input, "StateValue");
        if alarm.state != state {
            alarm.transitioned = now;
        }
        alarm.state = state.to_owned();
        alarm.reason = text(input, "StateReason").to_owned();
        alarm.updated = now;
        Ok(Value::Null)
    }

    pub(crate) fn describe(&self, input: &Value) -> Result<Value, ApiError> {
        let names = input["AlarmNames"].as_array();
        let prefix = input["AlarmNamePrefix"].as_str();
        if names.is_some() && prefix.is_some() {
            let message = "AlarmNames and AlarmNamePrefix cannot be given together";
            return Err(ApiError::new("InvalidParameterCombination", message));
        }
        let types = input["AlarmTypes"].as_array();
        let is_wanted_type = |alarm: &Alarm| match types {
            // Without types, only metric alarms are returned (AWS API reference, DescribeAlarms).
            None => !alarm.is_composite,
            Some(types) => types.contains(&json!(if alarm.is_composite { "CompositeAlarm" } else { "MetricAlarm" })),
        };
        let is_wanted = |name: &str, alarm: &Alarm| {
            names.is_none_or(|names| names.contains(&json!(name)))
                && prefix.is_none_or(|prefix| name.starts_with(prefix))
                && input["StateValue"].as_str().is_none_or(|state| alarm.state == state)
                && is_wanted_type(alarm)
        };
        let found = self.alarms.iter().filter(|(name, alarm)| is_wanted(name, alarm));
        let entries = found.map(|(name, alarm)| {
            let kind = if alarm.is_composite { "CompositeAlarms" } else { "MetricAlarms" };
            (name.clone(), json!({"kind": kind, "alarm": alarm.describe(name, &self.arn)}))
        });
        let asked = json!({"maxResults": input["MaxRecords"], "nextToken": input["NextToken"]});
        let request = Page { operation: "DescribeAlarms", output: "alarms", default_size: 50 };
        let page = page(&SERVICE, &request, &asked, entries)?;
        let of_kind = |kind: &str| -> Vec<&Value> {
            let alarms = page["alarms"].as_array().into_iter().flatten();
            alarms.filter(|entry| entry["kind"] == kind).map(|entry| &entry["alarm"]).collect()
        };
        Ok(without_nulls(json!({
            "MetricAlarms": of_kind("MetricAlarms"),
            "CompositeAlarms": of_kind("CompositeAlarms"),
            "LogAlarms": [],
            "NextToken": page["nextToken"],
        })))
    }
}

impl Alarm {
    /// A `MetricAlarm` or `CompositeAlarm` of the AWS model.
    fn describe(&self, name: &str, arn: &str) -> Value {
        let mut described = self.settings.clone();
        let state = json!({
            "AlarmArn": format!("{arn}:{name}"),
            "ActionsEnabled": true,
            "AlarmConfigurationUpdatedTimestamp": epoch_seconds(self.configured),
            "StateValue": self.state,
            "StateReason": self.reason,
            "StateUpdatedTimestamp": epoch_seconds(self.updated),
            "StateTransitionedTimestamp": epoch_seconds(self.transitioned),
        });
        if let (Value::Object(described), Value::Object(state)) = (&mut described, state) {
            described.extend(state);
        }
        described
    }
}

fn not_found(name: &str) -> ApiError {
    ApiError::new("ResourceNotFound", format!("there is no alarm {name}; PutMetricAlarm makes one"))
}
