//! Asynchronous invocation, by a clock that the test moves.

use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{InvocationType, InvokeError, LambdaHost};

use crate::support::{PATIENCE, Recorder, arn, config, eventually, host_with};

const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:results";

async fn send(host: &LambdaHost, event: Value) -> String {
    host.invoke("web", event.to_string(), InvocationType::Event).await.unwrap().request_id
}

fn started(recorder: &Recorder) -> usize {
    recorder.platform_lines("REPORT").len()
}

/// An event, the settings and the record that must come of it.
struct Case {
    event: Value,
    retries: u8,
    attempts: usize,
    condition: &'static str,
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_tried_again_and_reported() {
    for case in [
        Case { event: json!({"mode": "echo"}), retries: 2, attempts: 1, condition: "Success" },
        Case { event: json!({"mode": "error"}), retries: 2, attempts: 3, condition: "RetriesExhausted" },
        Case { event: json!({"mode": "exit", "code": 3}), retries: 1, attempts: 2, condition: "RetriesExhausted" },
        Case { event: json!({"mode": "error"}), retries: 0, attempts: 1, condition: "RetriesExhausted" },
    ] {
        check(case).await;
    }
}

async fn check(case: Case) {
    // As good as still: it moves as the test says.
    let clock = Clock::scaled(0.000_1);
    let (host, recorder) = host_with(clock.clone());
    let mut config = config("web");
    config.event_invoke.maximum_retry_attempts = case.retries;
    config.event_invoke.on_failure = Some(TOPIC.into());
    config.event_invoke.on_success = Some(TOPIC.into());
    host.create_function(config).unwrap();
    let request_id = send(&host, case.event.clone()).await;

    for attempt in 1..=case.attempts {
        let is_again = attempt > 1;
        eventually("the attempt has ended", || {
            // It may begin to wait for its time only now.
            clock.advance(if is_again { Duration::from_secs(1) } else { Duration::ZERO });
            started(&recorder) == attempt
        })
        .await;
        if attempt < case.attempts {
            // Shortly before its time nothing happens.
            tokio::time::sleep(Duration::from_millis(100)).await;
            clock.advance(Duration::from_secs(if attempt == 1 { 50 } else { 110 }));
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(started(&recorder), attempt, "retried too soon");
        }
    }
    eventually("the record is there", || !recorder.records.lock().unwrap().is_empty()).await;
    let (destination, record) = recorder.records.lock().unwrap()[0].clone();
    assert_eq!(destination, TOPIC);
    assert_eq!(record["version"], "1.0");
    assert_eq!(record["requestPayload"], case.event);
    let context = json!({
        "requestId": request_id,
        "functionArn": format!("{}:$LATEST", arn("web")),
        "condition": case.condition,
        "approximateInvokeCount": case.attempts,
    });
    assert_eq!(record["requestContext"], context);
    let failed = case.condition != "Success";
    assert_eq!(record["responseContext"]["statusCode"], 200);
    assert_eq!(record["responseContext"].get("functionError"), failed.then_some(&json!("Unhandled")));
    assert_eq!(record["responsePayload"].get("errorMessage").is_some(), failed, "{record}");
    // The same request id in every attempt.
    let starts = recorder.platform_lines("START");
    assert!(starts.len() == case.attempts && starts.iter().all(|line| line.contains(&request_id)), "{starts:?}");
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_event_is_given_up() {
    let clock = Clock::system();
    let (host, recorder) = host_with(clock.clone());
    let mut config = config("web");
    config.event_invoke.maximum_event_age = Duration::from_secs(60);
    config.event_invoke.on_failure = Some(TOPIC.into());
    host.create_function(config).unwrap();
    send(&host, json!({"mode": "error"})).await;
    eventually("the first attempt has ended", || started(&recorder) == 1).await;
    clock.advance(Duration::from_secs(3600));
    eventually("the record is there", || {
        clock.advance(Duration::from_secs(60));
        !recorder.records.lock().unwrap().is_empty()
    })
    .await;
    let record = recorder.records.lock().unwrap()[0].1.clone();
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(started(&recorder), 1);
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_event_waits_for_its_turn() {
    let clock = Clock::scaled(1000.0);
    let (host, recorder) = host_with(clock.clone());
    let mut config = config("web");
    config.max_concurrency = 1;
    config.event_invoke.on_success = Some(TOPIC.into());
    host.create_function(config).unwrap();
    for number in 0..3 {
        send(&host, json!({"mode": "sleep", "ms": 100, "number": number})).await;
    }
    eventually("all three are done", || recorder.records.lock().unwrap().len() == 3).await;
    let records = recorder.records.lock().unwrap().clone();
    assert!(records.iter().all(|(_, record)| record["requestContext"]["approximateInvokeCount"] == 1), "{records:?}");
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_may_be_another_function() {
    let clock = Clock::scaled(100_000.0);
    let (host, recorder) = host_with(clock);
    let mut failing = config("web");
    failing.event_invoke.on_failure = Some(arn("guard"));
    failing.event_invoke.maximum_retry_attempts = 0;
    host.create_function(failing).unwrap();
    let mut guard = config("guard");
    guard.event_invoke.on_success = Some(TOPIC.into());
    host.create_function(guard).unwrap();
    let request_id = send(&host, json!({"mode": "abort"})).await;
    eventually("the guard was called", || !recorder.records.lock().unwrap().is_empty()).await;
    // The guard echoes the record that it was given.
    let given = recorder.records.lock().unwrap()[0].1["responsePayload"].clone();
    assert_eq!(given["requestContext"]["requestId"], request_id);
    assert_eq!(given["requestPayload"], json!({"mode": "abort"}));
    assert_eq!(given["responsePayload"]["errorType"], "Runtime.ExitError");
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_retries() {
    let (host, recorder) = host_with(Clock::system());
    host.create_function(config("web")).unwrap();
    send(&host, json!({"mode": "error"})).await;
    eventually("the first attempt has ended", || started(&recorder) == 1).await;
    tokio::time::timeout(PATIENCE, host.shutdown()).await.unwrap();
    let refused = host.invoke("web", "{}", InvocationType::Event).await;
    assert!(matches!(refused, Err(InvokeError::ShuttingDown { .. })));
}
