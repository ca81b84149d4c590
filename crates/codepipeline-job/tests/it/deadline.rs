//! Handlers that do not return in time.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, CodePipeline, Ended, Expected, Fault, Function, JOB, Operation, Settings, check, event};

const TIME: Duration = Duration::from_secs(4);
const TOO_LONG_MS: u64 = 6000;

/// Half of the time for the handler, half for the guard, so that a busy machine does not matter.
fn settings(runtime: &'static str) -> Settings {
    Settings { runtime, time: TIME, environment: vec![("ANSWER_MARGIN_MS", "2000".to_owned())] }
}

async fn late(runtime: &'static str, parameters: Value, ended: Option<Ended>) {
    let name = format!("{runtime}: {parameters}");
    let answer = Answer::failure("JobFailed", "AWS Lambda stops it after 4.0 s");
    let expected = Expected { answers: &[answer], ended };
    check(&name, &event(&parameters), settings(runtime), &[], &expected).await;
}

#[tokio::test]
async fn a_handler_that_awaits_too_long() {
    for runtime in ["one thread", "several threads"] {
        late(runtime, json!({"do": "await", "ms": TOO_LONG_MS}), Some(Ended::outcome("failed"))).await;
    }
}

#[tokio::test]
async fn a_handler_that_blocks_its_thread() {
    for act in ["block", "spin"] {
        let parameters = json!({"do": act, "ms": TOO_LONG_MS});
        late("one thread", parameters.clone(), None).await;
        late("several threads", parameters, Some(Ended::outcome("failed"))).await;
    }
}

#[tokio::test]
async fn the_default_margin_is_enough() {
    let parameters = json!({"do": "block", "ms": TOO_LONG_MS});
    let settings = Settings { runtime: "one thread", time: TIME, environment: Vec::new() };
    let answer = Answer::failure("JobFailed", "no result after 3.3 s");
    check("default margin", &event(&parameters), settings, &[], &Expected { answers: &[answer], ended: None }).await;
}

/// A connection of an earlier invocation stands still with the thread that it was made on: the guard must not use it.
#[tokio::test]
async fn the_guard_has_connections_of_its_own() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let time = Duration::from_secs(10);
    let environment = vec![("ANSWER_MARGIN_MS", "5000".to_owned())];
    let mut function = Function::start(&codepipeline, &Settings { runtime: "one thread", time, environment }).await;
    function.invoke(&event(&json!({"do": "succeed", "summary": "first"})), time).await;
    function.ended().await;
    codepipeline.open_again();
    let deadline = function.invoke(&event(&json!({"do": "block", "ms": 12_000})), time).await;
    while codepipeline.answers().len() < 2 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let answers = codepipeline.answers();
    assert!(answers.len() == 2 && answers[1].0.matches(&Answer::failure("JobFailed", "no result")), "{answers:?}");
    let output = function.stop().await;
    assert!(!output.contains("trying again"), "{output}");
}

/// A handler that blocks past its deadline and then returns does not answer for a second time.
#[tokio::test]
async fn a_late_result_is_dropped() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let settings = settings("one thread");
    let mut function = Function::start(&codepipeline, &settings).await;
    function.invoke(&event(&json!({"do": "block", "ms": 3000})), settings.time).await;
    let ended = function.ended().await;
    assert!(ended.matches(&Ended::outcome("failed")), "{ended:?}");
    assert_eq!(codepipeline.requests().len(), 1, "nothing was sent after the guard's answer");
}

/// A clock that is wrong, or an event that waited: the job is answered all the same.
#[tokio::test]
async fn a_deadline_that_has_passed() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let mut function = Function::start(&codepipeline, &Settings::ample()).await;
    function.invoke(&event(&json!({"do": "await", "ms": TOO_LONG_MS})), Duration::ZERO).await;
    let ended = function.ended().await;
    assert!(ended.matches(&Ended::outcome("failed")), "{ended:?}");
    assert_eq!(codepipeline.answers().len(), 1);
}

#[tokio::test]
async fn an_unconfirmed_answer_is_followed_by_a_failure() {
    let expected = Expected {
        answers: &[Answer::failure("SystemUnavailable", "the result could not be delivered")],
        ended: Some(Ended::outcome("failed")),
    };
    let success = event(&json!({"do": "succeed", "summary": "all green"}));
    for fault in [Fault::AlwaysHang(Operation::Success), Fault::Always(Operation::Success, 500, "InternalFailure")] {
        check(&format!("{fault:?}"), &success, settings("one thread"), &[fault], &expected).await;
    }
}
