//! Pipelines as the page shows them, read through CodePipeline's own API.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_local_codepipeline::CodePipeline;

/// How many executions are listed.
const EXECUTIONS: usize = 12;

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    NotStarted,
    /// In front of a stage that another execution is in.
    Queued,
    Running,
    /// A person has to answer.
    Waiting,
    Succeeded,
    Failed,
    /// Stopped, superseded, cancelled or abandoned.
    Ended,
}

impl Status {
    fn of(text: &str) -> Self {
        match text {
            "InProgress" | "Stopping" => Self::Running,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            _ => Self::Ended,
        }
    }

    /// What it is called in classes of the style.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not-started",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Ended => "ended",
        }
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::NotStarted => "○",
            Self::Queued => "…",
            Self::Running => "▶",
            Self::Waiting => "?",
            Self::Succeeded => "✓",
            Self::Failed => "✗",
            Self::Ended => "■",
        }
    }
}

/// A pipeline execution in the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ExecutionLine {
    pub(crate) id: String,
    pub(crate) status: Status,
    /// The status in CodePipeline's words.
    pub(crate) word: String,
    pub(crate) started: Option<Timestamp>,
    pub(crate) updated: Option<Timestamp>,
    /// The summaries of its source revisions.
    pub(crate) revisions: Vec<Revision>,
}

/// A source revision.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Revision {
    pub(crate) id: String,
    pub(crate) summary: Option<String>,
}

/// A stage of the execution that is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) status: Status,
    pub(crate) actions: Vec<Action>,
}

/// An action of a stage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) provider: String,
    /// The configuration that says most about it: a function, a project, a deployment group.
    pub(crate) target: Option<String>,
    pub(crate) status: Status,
    pub(crate) started: Option<Timestamp>,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) summary: Option<String>,
    pub(crate) error_code: Option<String>,
    pub(crate) url: Option<String>,
    /// The question of an approval that waits.
    pub(crate) question: Option<Question>,
}

/// An approval that waits for an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    pub(crate) text: Option<String>,
    pub(crate) link: Option<String>,
}

/// What is shown of one pipeline.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) pipelines: Vec<String>,
    pub(crate) pipeline: String,
    pub(crate) executions: Vec<ExecutionLine>,
    pub(crate) execution: Option<ExecutionLine>,
    pub(crate) stages: Vec<Stage>,
}

/// Reads what the page shows; what is asked for and not there is replaced by the first pipeline and the latest execution.
pub(crate) async fn read(codepipeline: &CodePipeline, query: &HashMap<String, String>) -> View {
    let call = async |operation: &str, input: Value| codepipeline.call(operation, input).await.unwrap_or_default();
    let listed = call("ListPipelines", json!({})).await;
    let pipelines: Vec<String> = list(&listed, "pipelines").iter().map(|pipeline| text(pipeline, "name")).collect();
    let asked = query.get("pipeline").filter(|name| pipelines.contains(name));
    let Some(pipeline) = asked.or(pipelines.first()).cloned() else { return View::default() };
    let listed = call("ListPipelineExecutions", json!({"pipelineName": pipeline, "maxResults": EXECUTIONS})).await;
    let mut executions: Vec<_> = list(&listed, "pipelineExecutionSummaries").iter().map(line).collect();
    let definition = call("GetPipeline", json!({"name": pipeline})).await;
    let state = call("GetPipelineState", json!({"name": pipeline})).await;
    let asked = query.get("execution").and_then(|id| executions.iter().position(|execution| execution.id == *id));
    let shown = asked.unwrap_or_default();
    let mut actions = Value::Null;
    if let Some(execution) = executions.get(shown) {
        let filter = json!({"pipelineName": pipeline, "filter": {"pipelineExecutionId": execution.id}});
        actions = call("ListActionExecutions", filter).await;
    }
    let execution = executions.get(shown).map(|execution| execution.id.clone());
    let details = list(&actions, "actionExecutionDetails");
    let stages: Vec<_> = list(&definition["pipeline"], "stages")
        .iter()
        .map(|stage| self::stage(stage, details, execution.as_deref(), &state))
        .collect();
    if let Some(line) = executions.get_mut(shown).filter(|line| line.status == Status::Running)
        && stages.iter().any(|stage| stage.status == Status::Waiting)
    {
        line.status = Status::Waiting;
    }
    let execution = executions.get(shown).cloned();
    View { pipelines, pipeline, executions, execution, stages }
}

fn line(summary: &Value) -> ExecutionLine {
    let word = text(summary, "status");
    let revisions = list(summary, "sourceRevisions")
        .iter()
        .map(|revision| Revision { id: text(revision, "revisionId"), summary: optional(revision, "revisionSummary") });
    ExecutionLine {
        id: text(summary, "pipelineExecutionId"),
        status: Status::of(&word),
        word,
        started: time(&summary["startTime"]),
        updated: time(&summary["lastUpdateTime"]),
        revisions: revisions.collect(),
    }
}

fn stage(declared: &Value, details: &[Value], execution: Option<&str>, state: &Value) -> Stage {
    let name = text(declared, "name");
    let actions: Vec<_> = list(declared, "actions").iter().map(|action| self::action(&name, action, details)).collect();
    let any = |status| actions.iter().any(|action| action.status == status);
    let stage_state = list(state, "stageStates").iter().find(|stage| text(stage, "stageName") == name);
    let waits_in_front = stage_state.is_some_and(|stage| {
        let inbound = list(stage, "inboundExecutions").iter();
        inbound.into_iter().any(|inbound| Some(text(inbound, "pipelineExecutionId").as_str()) == execution)
    });
    let status = if any(Status::Failed) {
        Status::Failed
    } else if any(Status::Waiting) {
        Status::Waiting
    } else if any(Status::Running) {
        Status::Running
    } else if any(Status::Ended) {
        Status::Ended
    } else if actions.iter().all(|action| action.status == Status::Succeeded) {
        Status::Succeeded
    } else if any(Status::Succeeded) {
        Status::Running
    } else if waits_in_front {
        Status::Queued
    } else {
        Status::NotStarted
    };
    Stage { name, status, actions }
}

/// The details come with the latest first; an action that was retried is shown as it is now.
fn action(stage: &str, declared: &Value, details: &[Value]) -> Action {
    let name = text(declared, "name");
    let detail = details.iter().find(|detail| text(detail, "stageName") == stage && text(detail, "actionName") == name);
    let provider = text(&declared["actionTypeId"], "provider");
    let configuration = &declared["configuration"];
    let target = ["FunctionName", "ProjectName", "DeploymentGroupName", "FullRepositoryId", "BucketName"]
        .into_iter()
        .find_map(|key| optional(configuration, key));
    let mut action = Action {
        name,
        provider: provider.clone(),
        target,
        status: Status::NotStarted,
        started: None,
        ended: None,
        summary: None,
        error_code: None,
        url: None,
        question: None,
    };
    let Some(detail) = detail else { return action };
    let result = &detail["output"]["executionResult"];
    let resolved = &detail["input"]["resolvedConfiguration"];
    action.status = Status::of(&text(detail, "status"));
    action.started = time(&detail["startTime"]);
    action.ended = time(&detail["lastUpdateTime"]).filter(|_| action.status != Status::Running);
    action.summary =
        optional(&result["errorDetails"], "message").or_else(|| optional(result, "externalExecutionSummary"));
    action.error_code = optional(&result["errorDetails"], "code");
    action.url = optional(result, "externalExecutionUrl");
    if action.status == Status::Running && provider == "Manual" {
        action.status = Status::Waiting;
        let link = optional(resolved, "ExternalEntityLink");
        action.question = Some(Question { text: optional(resolved, "CustomData"), link });
    }
    action
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn optional(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Times are seconds since 1970, with a fraction.
fn time(value: &Value) -> Option<Timestamp> {
    let milliseconds = value.as_f64()? * 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "a time of this century fits")]
    Timestamp::from_millisecond(milliseconds.round() as i64).ok()
}
