//! The JSON of the EventBridge events (AWS CodePipeline guide, "Monitoring CodePipeline events").

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{ActionChange, Change, Event, ExecutionChange, StageChange};
use crate::provider::Artifact;

impl Event {
    /// The event with its envelope as EventBridge delivers it, or nothing where AWS sends none.
    pub fn to_eventbridge(&self) -> Option<Value> {
        let (kind, particular) = match &self.change {
            Change::Execution(change) => ("Pipeline", execution_detail(change)),
            Change::Stage(change) if change.state == super::State::Skipped => return None,
            Change::Stage(change) => ("Stage", stage_detail(change)),
            Change::Action(change) => ("Action", action_detail(change)),
            Change::Progress(_) | Change::ApprovalOpened(_) | Change::Condition(_) | Change::Rule(_) => return None,
        };
        let mut detail = Map::new();
        detail.insert("pipeline".into(), self.pipeline.clone().into());
        detail.insert("execution-id".into(), self.pipeline_execution_id.clone().into());
        detail.extend(particular);
        // Both numbers are floating-point numbers on the wire.
        detail.insert("version".into(), f64::from(self.pipeline_version).into());
        detail.insert("pipeline-execution-attempt".into(), f64::from(self.attempt).into());
        let arn = format!("arn:aws:codepipeline:{}:{}:{}", self.region, self.account_id, self.pipeline);
        Some(json!({
            "version": "0",
            "id": self.id,
            "detail-type": format!("CodePipeline {kind} Execution State Change"),
            "source": "aws.codepipeline",
            "account": self.account_id,
            "time": seconds(self.time),
            "region": self.region,
            "resources": [arn],
            "detail": detail,
        }))
    }
}

fn execution_detail(change: &ExecutionChange) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("start-time".into(), milliseconds(change.start_time).into());
    if change.state == super::State::Started {
        let (trigger_type, trigger_detail) = &change.trigger;
        let trigger = json!({"trigger-type": trigger_type, "trigger-detail": trigger_detail});
        detail.insert("execution-trigger".into(), trigger);
    }
    if let Some(reason) = &change.stop_reason {
        detail.insert("stop-execution-comments".into(), reason.clone().into());
    }
    detail.insert("state".into(), change.state.as_str().into());
    detail
}

fn stage_detail(change: &StageChange) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("start-time".into(), milliseconds(change.start_time).into());
    detail.insert("stage".into(), change.stage.clone().into());
    if let Some(retried) = change.last_retry {
        detail.insert("stage-last-retry-attempt-time".into(), milliseconds(retried).into());
    }
    detail.insert("state".into(), change.state.as_str().into());
    detail
}

fn action_detail(change: &ActionChange) -> Map<String, Value> {
    let mut detail = Map::new();
    detail.insert("start-time".into(), milliseconds(change.start_time).into());
    detail.insert("stage".into(), change.stage.clone().into());
    if let Some(result) = &change.result {
        let members = [
            ("external-execution-url", &result.external_execution_url),
            ("external-execution-summary", &result.summary),
            ("external-execution-id", &result.external_execution_id),
            ("error-code", &result.error_code),
        ];
        let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into())));
        detail.insert("execution-result".into(), Value::Object(given.collect()));
    }
    if !change.input_artifacts.is_empty() {
        detail.insert("input-artifacts".into(), artifacts(&change.input_artifacts));
    }
    if change.state == super::State::Succeeded && !change.output_artifacts.is_empty() {
        detail.insert("output-artifacts".into(), artifacts(&change.output_artifacts));
    }
    detail.insert("action-execution-id".into(), change.action_execution_id.clone().into());
    detail.insert("action".into(), change.action.clone().into());
    detail.insert("state".into(), change.state.as_str().into());
    detail.insert("region".into(), change.region.clone().into());
    let id = &change.action_type;
    let action_type =
        json!({"owner": id.owner, "provider": id.provider, "category": id.category, "version": id.version});
    detail.insert("type".into(), action_type);
    detail
}

fn artifacts(artifacts: &[Artifact]) -> Value {
    let list = artifacts
        .iter()
        .map(|artifact| json!({"name": artifact.name, "s3location": {"bucket": artifact.bucket, "key": artifact.key}}));
    list.collect()
}

fn seconds(time: Timestamp) -> String {
    format!("{}", time.strftime("%Y-%m-%dT%H:%M:%SZ"))
}

fn milliseconds(time: Timestamp) -> String {
    format!("{}", time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
}
