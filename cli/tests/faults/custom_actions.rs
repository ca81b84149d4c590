//! A release gate as a custom action: it looks again and again, each time as a job of its own.

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;

use crate::evidence::RELEASE_GATE;
use crate::pipelines;
use crate::world::{LIMIT, World, turn};

const PROVIDER: &str = "Stagegate-ReleaseGate";

#[tokio::test(flavor = "multi_thread")]
async fn a_release_gate_is_a_custom_action_that_looks_again() {
    let _turn = turn().await;
    // A minute, in which the worker polls for continuations, is two seconds.
    let world = World::new(Clock::scaled(30.0), |_| ()).await;
    let pipeline = pipelines::custom("release", "Invoke", PROVIDER, "release-steady");
    world.aws.put_pipeline(&pipeline).await.unwrap();
    let execution = world.start("release", "custom").await;
    let ended = world.end("release", &execution, LIMIT).await.expect("the gate ends");
    assert_eq!((ended.status, ended.code.as_str()), (ExecutionStatus::Succeeded, ""), "{ended:?}\n{}", world.logs());
    let action = world.gate("release", &execution).await.unwrap();
    assert_eq!(action["output"]["outputVariables"]["outcome"], "passed", "{action}");
    // The link leads to the log of the last look.
    let result = &action["output"]["executionResult"];
    let (run, url) =
        (result["externalExecutionId"].as_str().unwrap(), result["externalExecutionUrl"].as_str().unwrap());
    assert!(url.contains(run) && url.contains("stagegate-release-gate"), "{result}");
    // Every look is a job of its own, with the token of the one before.
    let looks: Vec<u32> = {
        let seen = world.switch.seen.lock().unwrap();
        let of_gate = seen.attempts.iter().filter(|((_, function), _)| function == RELEASE_GATE);
        of_gate.map(|(_, count)| *count).collect()
    };
    assert!(looks.len() >= 2 && looks.iter().all(|count| *count == 1), "{looks:?}");
    // Which execution it is comes from the job itself, so its verdict is kept without a parameter.
    let state = world.aws.data().join("s3").join(world.aws.bucket("State").unwrap());
    let kept = state.join(format!("executions/{execution}/verdicts/release-steady.json"));
    assert!(kept.is_file(), "there is no {}", kept.display());

    let pipeline = pipelines::custom("stopped", "Invoke", PROVIDER, "release-fail");
    world.aws.put_pipeline(&pipeline).await.unwrap();
    let execution = world.start("stopped", "custom").await;
    let ended = world.end("stopped", &execution, LIMIT).await.expect("the gate ends");
    assert_eq!((ended.status, ended.code.as_str()), (ExecutionStatus::Failed, "JobFailed"), "{ended:?}");
    assert!(ended.message.contains("the alarm red is in ALARM"), "{ended:?}");
    world.until("the end of all leases", |world| world.leases().is_empty()).await;
    world.shutdown().await;
}

#[tokio::test]
async fn a_release_gate_as_a_custom_action_has_one_field() {
    let world = World::new(Clock::system(), |_| ()).await;
    let types = world.call("ListActionTypes", json!({"actionOwnerFilter": "Custom"})).await;
    let found = types["actionTypes"].as_array().unwrap();
    let release = found.iter().find(|found| found["id"]["provider"] == PROVIDER).expect("it is there");
    assert_eq!(release["id"]["category"], "Invoke");
    let fields: Vec<&Value> =
        release["actionConfigurationProperties"].as_array().unwrap().iter().map(|field| &field["name"]).collect();
    assert_eq!(fields, ["Gate"]);
    let mut pipeline = pipelines::custom("release", "Invoke", PROVIDER, "release-pass");
    pipeline["stages"][1]["actions"][0]["configuration"]["Build"] = json!("web:1");
    let refused = world.aws.put_pipeline(&pipeline).await.unwrap_err().to_string();
    assert!(refused.contains("Build"), "{refused}");
    world.shutdown().await;
}
