//! The lifecycle of a hook against a CodeDeploy on HTTP.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use lambda_runtime::Context;
use serde_json::{Value, json};
use stagegate_codedeploy_hook::{Delivery, Hook, HookContext, HookError, HookHandler, HookLifecycle};

type Seen = Arc<Mutex<Vec<Value>>>;

/// A CodeDeploy that answers one call after the other with a status and an error code; the last one stays.
async fn codedeploy(answers: Vec<(u16, &'static str)>) -> (String, Seen) {
    let seen = Seen::default();
    let calls = Arc::clone(&seen);
    let answer = async move |headers: HeaderMap, body: Bytes| {
        assert_eq!(headers["x-amz-target"], "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus");
        let mut calls = calls.lock().unwrap();
        let (status, code) = answers[calls.len().min(answers.len() - 1)];
        calls.push(serde_json::from_slice(&body).unwrap());
        let body = if code.is_empty() { json!({}) } else { json!({"__type": code, "message": "said CodeDeploy"}) };
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amzn-errortype", code)];
        (StatusCode::from_u16(status).unwrap(), headers, body.to_string()).into_response()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (url, seen)
}

fn lifecycle(url: &str) -> HookLifecycle {
    let url = url.to_owned();
    HookLifecycle::with_config(move || {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "AKIDEXAMPLE",
                "secret",
                None,
                None,
                "test",
            )))
            .endpoint_url(url.clone())
            .build();
        async move { config }
    })
}

fn event() -> Value {
    json!({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "hook-1"})
}

fn context(left: Duration) -> Context {
    let mut context = Context::default();
    let end = SystemTime::now() + left;
    let since = end.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    context.deadline = u64::try_from(since.as_millis()).unwrap();
    context
}

const LONG: Duration = Duration::from_secs(60);

async fn handled<H: HookHandler>(
    handler: H,
    answers: Vec<(u16, &'static str)>,
    left: Duration,
) -> (Result<Delivery, HookError>, Vec<Value>) {
    let (url, seen) = codedeploy(answers).await;
    let done = lifecycle(&url).handle(&Arc::new(handler), &event(), &context(left)).await;
    let seen = seen.lock().unwrap().clone();
    (done.map(|report| report.outcome), seen)
}

fn says(result: Result<(), &'static str>) -> impl HookHandler {
    move |_: Hook, _: HookContext| async move { result.map_err(str::to_owned) }
}

const OK: (u16, &str) = (200, "");

#[tokio::test(flavor = "multi_thread")]
async fn what_the_handler_says_is_answered_once() {
    for (result, delivery, status) in
        [(Ok(()), Delivery::Succeeded, "Succeeded"), (Err("no"), Delivery::Failed, "Failed")]
    {
        let (done, seen) = handled(says(result), vec![OK], LONG).await;
        assert_eq!(done, Ok(delivery));
        let expected = json!({"deploymentId": "d-1", "lifecycleEventHookExecutionId": "hook-1", "status": status});
        assert_eq!(seen, [expected]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failed_hook() {
    let panics = |_: Hook, _: HookContext| async move {
        assert!(std::env::var("NEVER_SET_BY_ANYBODY").is_ok(), "broken");
        Ok(())
    };
    let (done, seen) = handled(panics, vec![OK], LONG).await;
    assert_eq!((done, seen[0]["status"].as_str(), seen.len()), (Ok(Delivery::Failed), Some("Failed"), 1));
}

/// On one thread, as in the function.
#[tokio::test]
async fn the_deadline_is_kept_by_a_handler_that_waits() {
    let waits = |_: Hook, context: HookContext| async move {
        if context.answer_by.saturating_duration_since(std::time::Instant::now()) <= TIME / 2 {
            std::future::pending::<()>().await;
        }
        Ok(())
    };
    let (done, seen) = on_own_server(waits).await;
    assert_eq!((done, seen.as_slice()), (Ok(Delivery::Failed), ["Failed".to_owned()].as_slice()));
}

/// A handler that blocks the one thread cannot keep the answer back.
#[tokio::test]
async fn the_deadline_is_kept_by_a_handler_that_blocks() {
    let blocks = |_: Hook, _: HookContext| async move {
        std::thread::sleep(TIME + Duration::from_secs(2));
        Ok(())
    };
    let (done, seen) = on_own_server(blocks).await;
    assert_eq!((done, seen.as_slice()), (Ok(Delivery::Failed), ["Failed".to_owned()].as_slice()));
}

/// `cargo lambda watch` hands over a length in place of a time.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_is_a_length_leaves_the_handler_its_time() {
    let takes_a_moment = |_: Hook, context: HookContext| async move {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let left = context.answer_by.saturating_duration_since(std::time::Instant::now());
        if left > Duration::from_secs(60) { Ok(()) } else { Err(format!("only {left:?} are left")) }
    };
    let (url, seen) = codedeploy(vec![OK]).await;
    let mut told = context(LONG);
    told.deadline = 600_000;
    let done = lifecycle(&url).handle(&Arc::new(takes_a_moment), &event(), &told).await;
    assert_eq!(done.map(|report| report.outcome), Ok(Delivery::Succeeded));
    assert_eq!(seen.lock().unwrap()[0]["status"], "Succeeded");
}

/// The time of a function, half of it for the handler and half for the guard, so that a busy machine does not matter.
const TIME: Duration = Duration::from_secs(12);

/// The server has a runtime of its own, since the handler blocks that of the test.
async fn on_own_server<H: HookHandler>(handler: H) -> (Result<Delivery, HookError>, Vec<String>) {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            tell.send(codedeploy(vec![OK]).await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    let (url, seen) = told.recv().unwrap();
    let lifecycle = lifecycle(&url).answer_margin(TIME / 2);
    let done = lifecycle.handle(&Arc::new(handler), &event(), &context(TIME)).await;
    let seen = seen.lock().unwrap().iter().map(|call| call["status"].as_str().unwrap().to_owned()).collect();
    (done.map(|report| report.outcome), seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_codedeploy() {
    for (answers, delivered, calls) in [
        (vec![(400, "LifecycleEventAlreadyCompletedException")], Some(Delivery::AlreadyAnswered), 1),
        (vec![(500, "InternalFailure"), (400, "ThrottlingException"), OK], Some(Delivery::Succeeded), 3),
        (vec![(400, "DeploymentDoesNotExistException")], None, 1),
        (vec![(400, "InvalidLifecycleEventHookExecutionIdException")], None, 1),
    ] {
        let (done, seen) = handled(says(Ok(())), answers.clone(), LONG).await;
        assert_eq!((done.ok(), seen.len()), (delivered, calls), "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_ids_is_no_hook() {
    let (url, seen) = codedeploy(vec![OK]).await;
    let handler = Arc::new(says(Ok(())));
    let done = lifecycle(&url).handle(&handler, &json!({"DeploymentId": "d-1"}), &context(LONG)).await;
    assert!(matches!(done, Err(HookError::NoHook(_))), "{done:?}");
    assert!(seen.lock().unwrap().is_empty());
}
