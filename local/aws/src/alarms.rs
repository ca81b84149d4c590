//! The way from rules of the type CloudWatchAlarm to the local CloudWatch.

use async_trait::async_trait;
use serde_json::{Value, json};
use stagegate_local_cloudwatch::CloudWatch;
use stagegate_local_codepipeline::{AlarmError, AlarmState, Alarms};

/// The alarms of the local CloudWatch, as CodePipeline asks for them.
pub(crate) struct CloudWatchAlarms(pub(crate) CloudWatch);

#[async_trait]
impl Alarms for CloudWatchAlarms {
    async fn state(&self, alarm_name: &str) -> Result<AlarmState, AlarmError> {
        let found =
            self.describe(&json!({"AlarmNames": [alarm_name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}))?;
        let Some(alarm) = found.first() else {
            let all = self.describe(&json!({"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}))?;
            let known = all.iter().filter_map(|alarm| alarm["AlarmName"].as_str()).map(str::to_owned).collect();
            return Err(AlarmError::NotFound { name: alarm_name.to_owned(), known });
        };
        let state = alarm["StateValue"].as_str().unwrap_or_default();
        let known = AlarmState::ALL.into_iter().find(|known| known.as_str() == state);
        known.ok_or_else(|| AlarmError::Unavailable(format!("CloudWatch says that {alarm_name} is in {state:?}")))
    }
}

impl CloudWatchAlarms {
    fn describe(&self, input: &Value) -> Result<Vec<Value>, AlarmError> {
        let described = self.0.call("DescribeAlarms", input);
        let described = described.map_err(|error| AlarmError::Unavailable(error.to_string()))?;
        let of = |kind: &str| described[kind].as_array().cloned().unwrap_or_default();
        Ok([of("MetricAlarms"), of("CompositeAlarms")].concat())
    }
}
