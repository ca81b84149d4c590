//! What CodePipeline knows about an execution.

use std::collections::BTreeMap;

use aws_sdk_codepipeline::Client;
use aws_sdk_codepipeline::types::{ActionExecutionDetail, ActionExecutionFilter, ActionExecutionStatus};

use super::{refused, timestamp};
use crate::facts::{Known, StageFact, Unmeasured};

/// The pipeline variables of an execution.
pub(super) async fn variables(client: &Client, pipeline: &str, id: &str) -> Known<BTreeMap<String, String>> {
    let answer = client.get_pipeline_execution().pipeline_name(pipeline).pipeline_execution_id(id).send().await;
    let answer = answer.map_err(|error| refused("CodePipeline", "GetPipelineExecution", &error))?;
    let execution = answer.pipeline_execution();
    let execution = execution.ok_or_else(|| Unmeasured::new("CodePipeline said nothing about the execution"))?;
    let variables = execution.variables().iter();
    let pairs =
        variables.filter_map(|variable| Some((variable.name()?.to_owned(), variable.resolved_value()?.to_owned())));
    Ok(pairs.collect())
}

/// What became of a stage in an execution.
pub(super) async fn stage(client: &Client, pipeline: &str, id: &str, stage: &str) -> Known<StageFact> {
    let filter = ActionExecutionFilter::builder().pipeline_execution_id(id).build();
    let mut pages = client.list_action_executions().pipeline_name(pipeline).filter(filter).into_paginator().send();
    // Of an action that was run again, the last run counts.
    let mut last: BTreeMap<String, ActionExecutionDetail> = BTreeMap::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| refused("CodePipeline", "ListActionExecutions", &error))?;
        for action in page.action_execution_details().iter().filter(|action| action.stage_name() == Some(stage)) {
            let name = action.action_name().unwrap_or_default().to_owned();
            let started = |action: &ActionExecutionDetail| action.start_time().and_then(timestamp);
            match last.get(&name) {
                Some(known) if started(known) >= started(action) => {}
                _ => drop(last.insert(name, action.clone())),
            }
        }
    }
    let mut succeeded = None;
    for (name, action) in &last {
        match action.status() {
            Some(ActionExecutionStatus::Succeeded) => {
                let time = action.last_update_time().and_then(timestamp);
                let time =
                    time.ok_or_else(|| Unmeasured::new(format!("CodePipeline does not say when {name} ended")))?;
                succeeded = succeeded.max(Some(time));
            }
            Some(ActionExecutionStatus::InProgress) => return Ok(StageFact::Running),
            other => {
                let status = other.map_or("in no state", ActionExecutionStatus::as_str).to_owned();
                return Ok(StageFact::NotSucceeded { action: name.clone(), status });
            }
        }
    }
    Ok(succeeded.map_or(StageFact::NotReached, |at| StageFact::Succeeded { at }))
}
