//! The page's addresses.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use stagegate_local_slack::page as slack_page;
use tokio::sync::{broadcast, watch};

use crate::page::Known;
use crate::{Sources, model, page, threads, verdicts};

/// Where the local Slack's actions are.
pub(crate) const SLACK: &str = "/slack";

/// The style of the figures of delivery; its rules for the page of a report find nothing here.
const FIGURES: &str = stagegate_delivery_page::STYLE;

/// How many events follow a change, and the time before each.
const FOLLOWING: u32 = 4;
const PAUSE: Duration = Duration::from_secs(2);

/// The longest summary of an approval.
const MAX_SUMMARY: usize = 512;

pub(crate) fn router(sources: Sources) -> Router {
    let slack = sources.slack.clone();
    let router = Router::new()
        .route("/", get(show))
        .route("/events", get(events))
        .route("/approval", post(answer_approval))
        .route("/start", post(start))
        .route("/retry", post(retry))
        .route("/console.css", get(style))
        .route("/live.js", get(script))
        .layer(axum::middleware::from_fn(slack_page::same_origin))
        .with_state(sources);
    match slack {
        Some(slack) => router.nest(SLACK, slack_page::router(slack, SLACK)),
        None => router,
    }
}

type Fields = HashMap<String, String>;

async fn style() -> impl IntoResponse {
    let style = [slack_page::STYLE, include_str!("../assets/console.css"), FIGURES].concat();
    ([("content-type", "text/css; charset=utf-8")], style)
}

async fn script() -> impl IntoResponse {
    ([("content-type", "text/javascript; charset=utf-8")], slack_page::SCRIPT)
}

async fn show(State(sources): State<Sources>, Query(query): Query<Fields>) -> Html<String> {
    let view = model::read(&sources.codepipeline, &query).await;
    let found = match &view.execution {
        Some(execution) => verdicts::of(&sources.s3, &sources.buckets, &execution.id).await,
        None => Vec::new(),
    };
    let threads = threads::of(&sources.s3, &sources.buckets, &view.pipeline).await;
    let known = Known { verdicts: &found, delivery: threads.delivery(&sources.config), threads: &threads };
    Html(page::page(&view, &known, sources.slack.as_ref(), &query).into_string())
}

/// One event for each change, of a pipeline or in Slack; what comes at once is one. The functions write their documents a
/// little later, so that some more events follow.
async fn events(State(sources): State<Sources>) -> impl IntoResponse {
    let pipelines = sources.codepipeline.subscribe();
    let messages = sources.slack.as_ref().map(|slack| slack.changes());
    let start = (pipelines, messages, 0_u64, 0_u32);
    let changes = stream::unfold(start, |(mut pipelines, mut messages, number, mut follow)| async move {
        if number > 0 {
            tokio::select! {
                event = pipelines.recv() => {
                    if matches!(event, Err(broadcast::error::RecvError::Closed)) {
                        return None;
                    }
                    follow = FOLLOWING;
                }
                () = changed(&mut messages) => follow = FOLLOWING,
                () = later(follow) => follow -= 1,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            pipelines = pipelines.resubscribe();
        }
        let event = Event::default().data(number.to_string());
        Some((Ok::<_, Infallible>(event), (pipelines, messages, number + 1, follow)))
    });
    Sse::new(changes).keep_alive(KeepAlive::default())
}

/// When documents may have been written, as long as some are expected.
async fn later(expected: u32) {
    match expected {
        0 => std::future::pending().await,
        _ => tokio::time::sleep(PAUSE).await,
    }
}

async fn changed(messages: &mut Option<watch::Receiver<u64>>) {
    if let Some(messages) = messages
        && messages.changed().await.is_ok()
    {
        return;
    }
    std::future::pending().await
}

/// Answers an approval as anybody with the right to can do by the API.
async fn answer_approval(State(sources): State<Sources>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let (verb, status) = match field("answer") {
        "approve" => ("approved", "Approved"),
        "reject" => ("rejected", "Rejected"),
        _ => return failed("answer the approval: neither approve nor reject was chosen"),
    };
    let is_asked = |approval: &stagegate_local_codepipeline::OpenApproval| {
        approval.pipeline == field("pipeline")
            && approval.pipeline_execution_id == field("execution")
            && approval.stage == field("stage")
            && approval.action == field("action")
    };
    let Some(open) = sources.codepipeline.open_approvals().into_iter().find(is_asked) else {
        return failed("answer the approval: it is not open any more");
    };
    let comment = field("comment").trim();
    let summary = match comment {
        "" => format!("{verb} at the console"),
        comment => format!("{verb} at the console: {comment}"),
    };
    let summary: String = summary.chars().take(MAX_SUMMARY).collect();
    let input = json!({
        "pipelineName": open.pipeline, "stageName": open.stage, "actionName": open.action,
        "result": {"status": status, "summary": summary}, "token": open.token.expose(),
    });
    call(&sources, "PutApprovalResult", input, &headers, &fields).await
}

async fn start(State(sources): State<Sources>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let input = json!({"name": fields.get("pipeline").map(String::as_str).unwrap_or_default()});
    call(&sources, "StartPipelineExecution", input, &headers, &fields).await
}

async fn retry(State(sources): State<Sources>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let field = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let input = json!({
        "pipelineName": field("pipeline"), "stageName": field("stage"),
        "pipelineExecutionId": field("execution"), "retryMode": "FAILED_ACTIONS",
    });
    call(&sources, "RetryStageExecution", input, &headers, &fields).await
}

/// The script exchanges what has changed; without it the page is shown again.
async fn call(sources: &Sources, operation: &str, input: Value, headers: &HeaderMap, fields: &Fields) -> Response {
    if let Err(error) = sources.codepipeline.call(operation, input).await {
        return failed(&format!("call {operation}: {error}"));
    }
    if headers.contains_key("x-live") {
        return StatusCode::NO_CONTENT.into_response();
    }
    let pipeline = fields.get("pipeline").map(String::as_str).unwrap_or_default();
    Redirect::to(&page::address(pipeline, None, None)).into_response()
}

fn failed(why: &str) -> Response {
    (StatusCode::CONFLICT, format!("failed to {why}")).into_response()
}
