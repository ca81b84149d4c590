//! From a custom action to its answer.

use serde_json::{Value, json};
use stagegate_local_clock::Clock;

use crate::world::{Setting, WORKER, World};

pub(crate) fn result(action: &Value) -> (&str, &str, &str) {
    let result = &action["output"]["executionResult"];
    let text = |value: &'_ Value| value.as_str().map(str::len).unwrap_or_default();
    let details = &result["errorDetails"];
    assert!(text(&action["status"]) > 0, "{action}");
    let message = if details.is_null() { &result["externalExecutionSummary"] } else { &details["message"] };
    (
        action["status"].as_str().unwrap_or_default(),
        details["code"].as_str().unwrap_or_default(),
        message.as_str().unwrap_or_default(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_custom_action_is_the_same_gate_by_another_door() {
    let world = World::new(Setting::default()).await;
    let action = world.run(json!({"Gate": "pass"})).await;
    let (status, _, message) = result(&action);
    assert_eq!(status, "Succeeded", "{action}");
    // Pipeline, stage and execution come from the job itself.
    let execution = action["pipelineExecutionId"].as_str().unwrap();
    for known in [r#"pipeline: Some("p")"#, r#"stage: Some("Gate")"#, execution] {
        assert!(message.contains(known), "lacks {known}: {message}");
    }
    assert_eq!(action["output"]["outputVariables"], json!({"outcome": "passed"}));
    let links = &action["output"]["executionResult"];
    let run = links["externalExecutionId"].as_str().unwrap();
    assert!(links["externalExecutionUrl"].as_str().unwrap().contains(run), "{links}");

    let action = world.run(json!({"Gate": "web", "Build": "web:1"})).await;
    assert_eq!(result(&action), ("Failed", "JobFailed", r#"web is not ready, Some("web:1")"#));
    world.until("the end of the leases", async |world| world.handovers().is_empty()).await;
    assert!(!world.logs().contains("secretAccessKey"));
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuation_is_taken_in_a_later_minute() {
    let world = World::new(Setting { clock: Some(Clock::scaled(60.0)), ..Setting::default() }).await;
    let action = world.run(json!({"Gate": "look"})).await;
    assert_eq!(result(&action), ("Succeeded", "", "the third look"), "{action}");
    let mut seen = world.seen();
    assert_eq!(seen.len(), 3);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3, "each is a job of its own");
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_nobody_can_have_is_failed_at_once() {
    let world = World::new(Setting::default()).await;
    let mut worker = world.aws.lambda().function(WORKER).unwrap();
    worker.environment.insert("STAGEGATE_CUSTOM_ACTIONS".to_owned(), "Test/Stagegate-TestGate/1=gone".to_owned());
    world.aws.lambda().update_function(worker).unwrap();
    let action = world.run(json!({"Gate": "pass"})).await;
    let (status, code, message) = result(&action);
    // Lambda says of a function that the role does not name neither that it is there nor that it is not.
    assert_eq!((status, code), ("Failed", "PermissionError"), "{action}");
    assert!(message.starts_with("failed to hand the job to gone: "), "{message}");
    world.until("the end of the leases", async |world| world.handovers().is_empty()).await;
    world.aws.shutdown().await;
}
