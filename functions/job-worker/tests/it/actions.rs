//! From a custom action to its answer.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use stagegate_local_aws::Arrival;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::faults::{CallFault, FaultPlan, Refusal, When};

use crate::world::{Setting, WORKER, World};

fn result(action: &Value) -> (&str, &str, &str) {
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
async fn several_workers_take_each_job_once() {
    const JOBS: usize = 24;
    // No event wakes a worker, so that all of them find all jobs.
    let lost = Arc::new(|sent: &stagegate_local_aws::Sent<'_>| match sent.to.ends_with(WORKER) {
        true => Vec::new(),
        false => vec![Arrival::Now],
    });
    let world = World::new(Setting { deliveries: Some(lost), ..Setting::default() }).await;
    let mut executions = vec![world.start(json!({"Gate": "pass"})).await];
    for _ in 1..JOBS {
        executions.push(world.start_again().await);
    }
    world
        .until("all jobs", async |world| {
            let mut waiting = 0;
            for execution in &executions {
                waiting += usize::from(world.action(execution).await.is_some());
            }
            waiting == JOBS
        })
        .await;
    let did = join_all((0..5).map(|_| world.work())).await;
    let handed_on: u64 = did.iter().map(|done| done["handed_on"].as_u64().unwrap()).sum();
    assert_eq!(handed_on, JOBS as u64, "{did:?}");
    for execution in &executions {
        let action = world.ended(execution).await;
        assert_eq!(result(&action).0, "Succeeded", "{action}");
    }
    let mut seen = world.seen();
    assert_eq!(seen.len(), JOBS);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), JOBS, "a job was handed on twice");
    assert!(world.handovers().is_empty());
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_lose_no_job() {
    let refusal = |status| Refusal::of_status(status);
    for (operation, fault, succeeds) in [
        ("AcknowledgeJob", CallFault::Refuse(refusal(503)), true),
        ("AcknowledgeJob", CallFault::CutOff, true),
        ("PollForJobs", CallFault::Refuse(refusal(500)), true),
        // Done, and nobody was told: the worker cannot know whose the job is, and its lease says so.
        ("AcknowledgeJob", CallFault::CutOffAfterwards, false),
    ] {
        let plan = FaultPlan::seeded(1).on_call(operation, When::First(1), fault.clone());
        let world = World::new(Setting { faults: Some(Arc::new(plan)), ..Setting::default() }).await;
        let execution = world.start(json!({"Gate": "pass"})).await;
        if succeeds {
            assert_eq!(result(&world.ended(&execution).await).0, "Succeeded", "{operation} {fault:?}");
            world.until("the end of the leases", async |world| world.handovers().is_empty()).await;
        } else {
            world.until("the log", async |world| world.logs().contains("it is not known who has taken the job")).await;
            assert_eq!((world.handovers().len(), world.seen().len()), (1, 0), "{operation} {fault:?}");
        }
        world.aws.shutdown().await;
    }
}

/// A lease that S3 did or did not write costs no job; the worker looks whether it is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_which_nothing_is_known_costs_no_job() {
    use stagegate_local_aws::faults::{CallFault, CallPlan, Refusal, When};
    for fault in [
        CallFault::LoseAnswer(Refusal::of_s3_status(500)),
        // Somebody else's document, which is gone when the worker reads it.
        CallFault::Refuse(Refusal::of_s3_status(412)),
    ] {
        let plan = Arc::new(CallPlan::seeded(1).on("s3:PutObject", "*/handovers/*", When::First(1), fault.clone()));
        let world = World::new(Setting { call_faults: Some(plan.clone()), ..Setting::default() }).await;
        let action = world.run(json!({"Gate": "pass"})).await;
        assert_eq!(result(&action).0, "Succeeded", "{fault:?}: {action}");
        assert_eq!(plan.met().len(), 1, "{fault:?}");
        world.until("the end of the leases", async |world| world.handovers().is_empty()).await;
        assert!(world.aws.rights_used().contains(&("JobWorker".to_owned(), "s3:GetObject".to_owned())), "{fault:?}");
        world.aws.shutdown().await;
    }
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
