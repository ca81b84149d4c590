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

/// The seconds that the guard tells: after how many it has answered, and after how many AWS Lambda stops the function.
fn seconds(answers: &[Answer]) -> (f64, f64) {
    let [Answer::Failure { message, .. }] = answers else { panic!("{answers:?}") };
    let after = |words: &str| -> f64 {
        let (_, rest) = message.split_once(words).unwrap_or_else(|| panic!("no {words:?} in {message:?}"));
        rest.split_once(" s").unwrap().0.parse().unwrap()
    };
    (after("the function had no result after "), after("AWS Lambda stops it after "))
}

/// What the function is told is a moment less than `TIME`, and the longer the busier the machine is.
fn check_seconds(name: &str, answers: &[Answer]) -> (f64, f64) {
    let (no_result, stopped) = seconds(answers);
    let most = TIME.as_secs_f64();
    assert!((2.5..=most).contains(&stopped) && no_result <= stopped, "{name}: {no_result} s of {stopped} s");
    (no_result, stopped)
}

async fn late(runtime: &'static str, parameters: Value, ended: Option<Ended>) {
    let name = format!("{runtime}: {parameters}");
    let answer = Answer::failure("JobFailed", "AWS Lambda stops it after ");
    let expected = Expected { answers: &[answer], ended };
    let answers = check(&name, &event(&parameters), settings(runtime), &[], &expected).await;
    check_seconds(&name, &answers);
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
    let expected = Expected { answers: &[Answer::failure("JobFailed", "no result after ")], ended: None };
    let answers = check("default margin", &event(&parameters), settings, &[], &expected).await;
    let (no_result, stopped) = check_seconds("default margin", &answers);
    // 0.7 s; both are rounded.
    assert!(no_result >= 2.5 && stopped - no_result < 0.85, "{no_result} s of {stopped} s");
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
    // The guard answers at the half of the time, and the handler returns at three quarters of it.
    let time = Duration::from_secs(12);
    let environment = vec![("ANSWER_MARGIN_MS", "6000".to_owned())];
    let mut function = Function::start(&codepipeline, &Settings { runtime: "one thread", time, environment }).await;
    function.invoke(&event(&json!({"do": "block", "ms": 9000})), time).await;
    let ended = function.ended().await;
    assert!(ended.matches(&Ended::outcome("failed")), "{ended:?}");
    assert_eq!(codepipeline.requests().len(), 1, "nothing was sent after the guard's answer");
}

/// A clock that is wrong, or an event that waited: the job is answered all the same. For that there is a moment, which may be
/// too short for a busy machine, and is followed by the next one, as AWS Lambda invokes the function again.
#[tokio::test]
async fn a_deadline_that_has_passed() {
    let codepipeline = CodePipeline::start(JOB, &[]).await;
    let mut function = Function::start(&codepipeline, &Settings::ample()).await;
    for _ in 0..5 {
        function.invoke(&event(&json!({"do": "await", "ms": TOO_LONG_MS})), Duration::ZERO).await;
        let ended = function.ended().await;
        if ended.matches(&Ended::outcome("failed")) {
            break;
        }
        assert!(ended.matches(&Ended::Error("CodePipelineJob.NotAnswered".to_owned())), "{ended:?}");
        // The answer was taken, and only its confirmation came too late.
        if !codepipeline.answers().is_empty() {
            break;
        }
    }
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
