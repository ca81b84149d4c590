//! What the guard does beside AWS Lambda's records: leases, foreign events, throttled functions.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::faults::{CallFault, CallPlan, Refusal, When};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;

use crate::world::{GATE, GUARD, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_record_is_made_up_for_by_the_lease() {
    // A minute of the schedule takes three seconds, and CodePipeline's own 20 minutes take one.
    let world = World::new(Clock::scaled(20.0), None).await;
    world.change(GATE, |gate| {
        gate.timeout = Duration::from_secs(10);
        gate.event_invoke.on_failure = None;
    });
    let execution = world.start("kill").await;
    world.until("the lease", |world| !world.leases().is_empty()).await;
    let lease = std::fs::read_to_string(&world.leases()[0]).unwrap();
    assert!(lease.contains("\"memory_mb\":256") && lease.contains(&execution), "{lease}");
    world.let_go();
    let ended = world.ended(&execution).await;
    assert_eq!((ended.status, ended.code.as_str()), (ExecutionStatus::Failed, "SystemUnavailable"), "{ended:?}");
    // What the function has left of its ten seconds when it is told of them; the busier the machine is, the less.
    let time = ended.message.strip_prefix("stagegate-test-gate gave no answer in its time of ");
    let (seconds, rest) = time.and_then(|time| time.split_once(" s, ")).unwrap_or_else(|| panic!("{ended:?}"));
    assert!((5..=10).contains(&seconds.parse::<u32>().unwrap()), "{ended:?}");
    assert!(rest.starts_with("and AWS Lambda told nothing of its end"), "{ended:?}");
    world.until("the end of the lease", |world| world.leases().is_empty()).await;
    assert_eq!((world.answers(GATE), world.answers(GUARD)), (0, 1));
    world.assert_no_secret(&ended.message);
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_leaves_jobs_that_are_worked_on_and_removes_leases_of_answered_ones() {
    let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    let world = World::new(Clock::system(), None).await;
    let execution = world.start("pass").await;
    world.until("the lease", |world| !world.leases().is_empty()).await;
    let lease = world.leases()[0].clone();
    let kept = std::fs::read_to_string(&lease).unwrap();
    assert_eq!(world.guard(&tick).await, json!({"answered": 0, "already_answered": 0, "in_progress": 1}));
    world.let_go();
    let ended = world.ended(&execution).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    world.until("the end of the lease", |world| world.leases().is_empty()).await;
    // Such a lease is left by a function that was killed between its answer and its end.
    let mut orphan: Value = serde_json::from_str(&kept).unwrap();
    set(&mut orphan, "deadline", "2026-01-02T03:04:05Z");
    let bucket = lease.ancestors().nth(2).unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let key = format!("jobs/{}", lease.file_name().unwrap().to_str().unwrap());
    put(&world, &bucket, &key, orphan.to_string()).await;
    assert_eq!(world.guard(&tick).await, json!({"answered": 0, "already_answered": 1, "in_progress": 0}));
    assert!(world.leases().is_empty());
    // What cannot be read, and a job that CodePipeline does not know, keep no other job from its answer.
    put(&world, &bucket, "jobs/broken.json", "{".to_owned()).await;
    put(&world, &bucket, "jobs/22222222-2222-4333-8444-555555555555.json", orphan.to_string()).await;
    assert_eq!(world.guard(&tick).await, json!({"answered": 0, "already_answered": 0, "in_progress": 2}));
    assert_eq!(world.leases().len(), 1);
    let after = world.ended(&execution).await;
    assert_eq!((after.status, after.message), (ended.status, ended.message));
    world.aws.shutdown().await;
}

/// The lease of a job as a worker leaves it that has come so far.
fn handover(of_gate: &str, run: &str, phase: &str) -> String {
    let mut lease: Value = serde_json::from_str(of_gate).unwrap();
    set(&mut lease, "function", "stagegate-job-worker");
    set(&mut lease, "request_id", run);
    match phase.strip_suffix(" with a nonce") {
        // A job of a Lambda action is nobody's to take, which CodePipeline says in the words for a nonce that is spent.
        Some(phase) => {
            lease["document"]["handover"] = json!(phase);
            lease["document"]["nonce"] = json!("1");
        }
        None => lease["document"]["handover"] = json!(phase),
    }
    lease.to_string()
}

/// The same long after the worker's time.
fn overdue(of_gate: &str, phase: &str) -> String {
    let mut lease: Value = serde_json::from_str(&handover(of_gate, "run-1", phase)).unwrap();
    set(&mut lease, "deadline", "2026-01-02T03:04:05Z");
    lease.to_string()
}

/// What AWS Lambda tells of the death of a worker, whose invocation was `run-1`.
fn death_of_worker() -> Value {
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:stagegate-job-worker:$LATEST";
    json!({
        "requestContext": {"condition": "RetriesExhausted", "requestId": "run-1", "functionArn": arn},
        "requestPayload": {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}},
        "responsePayload": {"errorType": "Runtime.ExitError", "errorMessage": "RequestId: run-1 Error: signal: killed"},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_died_leaves_the_jobs_that_it_had() {
    let counts = |answered: u32, already: u32, left: u32| json!({"answered": answered, "already_answered": already, "in_progress": left});
    let world = World::new(Clock::system(), None).await;
    let execution = world.start("pass").await;
    world.until("the lease", |world| !world.leases().is_empty()).await;
    let path = world.leases()[0].clone();
    let of_gate = std::fs::read_to_string(&path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let bucket = path.ancestors().nth(2).unwrap();
    let handed = bucket.join("handovers").join(name);
    let key = format!("handovers/{name}");
    let bucket = bucket.file_name().unwrap().to_str().unwrap();
    // Whose it is, how far it has come, whether a gate shows to have it, what the guard does, and whether the lease stays.
    let cases = [
        ("run-2", "taken", false, counts(0, 0, 0), true),
        ("run-1", "reaching", false, counts(0, 0, 1), true),
        ("run-1", "handed_on", false, counts(0, 0, 0), true),
        ("run-1", "taken", true, counts(0, 0, 1), false),
        ("run-2", "reaching with a nonce", false, counts(0, 0, 0), true),
        ("run-1", "reaching with a nonce", true, counts(0, 0, 1), false),
        ("run-1", "reaching with a nonce", false, counts(1, 0, 0), false),
        ("run-1", "reaching with a nonce", false, counts(0, 1, 0), false),
        ("run-1", "taken", false, counts(0, 1, 0), false),
    ];
    for (run, phase, shows, expected, stays) in cases {
        if !shows {
            std::fs::remove_file(&path).ok();
        }
        put(&world, bucket, &key, handover(&of_gate, run, phase)).await;
        if shows {
            put(&world, bucket, &format!("jobs/{name}"), of_gate.clone()).await;
        }
        assert_eq!(world.guard(&death_of_worker()).await, expected, "{run} {phase} {shows}");
        assert_eq!(handed.is_file(), stays, "{run} {phase} {shows}");
    }
    let ended = world.ended(&execution).await;
    assert_eq!((ended.status, ended.code.as_str()), (ExecutionStatus::Failed, "SystemUnavailable"), "{ended:?}");
    assert!(
        ended.message.starts_with("stagegate-job-worker was killed after ")
            && ended.message.contains(", before it had handed the job on; "),
        "{ended:?}"
    );
    // A job that a gate has got is none that is left, however long ago that was.
    put(&world, bucket, &key, overdue(&of_gate, "handed_on")).await;
    let tick = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
    assert_eq!(world.guard(&tick).await, counts(0, 0, 1));
    assert!(!handed.is_file());
    // Nor does it matter who was reaching for a job that has its answer.
    put(&world, bucket, &key, overdue(&of_gate, "reaching with a nonce")).await;
    assert_eq!(world.guard(&tick).await, counts(0, 1, 0));
    assert!(!handed.is_file());
    assert_eq!(world.answers(GUARD), 4);
    world.let_go();
    world.aws.shutdown().await;
}

/// What the guard cannot find out is left to the sweep, and is no reason to try again.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_died_while_s3_is_down_is_left_to_the_sweep() {
    let plan = CallPlan::seeded(1).on("s3:*", "*", When::Always, CallFault::Refuse(Refusal::of_s3_status(403)));
    let world = World::changed(Clock::system(), |options| options.call_faults = Some(Arc::new(plan))).await;
    let record = json!({"requestContext": {"requestId": "run-1"}, "requestPayload": {"source": "aws.events"}});
    assert_eq!(world.guard(&record).await, json!({"answered": 0, "already_answered": 0, "in_progress": 0}));
    assert!(world.logs().contains("is left to the next sweep"), "{}", world.logs());
    world.aws.shutdown().await;
}

async fn put(world: &World, bucket: &str, key: &str, text: String) {
    use stagegate_local_codepipeline::provider::ArtifactBucket;
    world.aws.s3().put(bucket, key, text.into_bytes()).await.unwrap();
}

/// Sets a member, wherever in the document it is.
fn set(document: &mut Value, name: &str, value: &str) {
    for (key, member) in document.as_object_mut().into_iter().flatten() {
        if key == name {
            *member = json!(value);
        } else {
            set(member, name, value);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_function_is_told_about() {
    let world = World::new(Clock::scaled(60.0), None).await;
    world.change(GATE, |gate| {
        gate.max_concurrency = 1;
        gate.event_invoke.maximum_event_age = Duration::from_secs(60);
    });
    // The first job keeps the only place, and the second waits for it in vain.
    let first = world.start("pass").await;
    world.until("the lease", |world| !world.leases().is_empty()).await;
    let second = world.start("pass").await;
    let ended = world.ended(&second).await;
    assert_eq!((ended.status, ended.code.as_str()), (ExecutionStatus::Failed, "SystemUnavailable"), "{ended:?}");
    assert!(
        ended.message.starts_with("stagegate-test-gate was not started, because AWS Lambda throttled it"),
        "{ended:?}"
    );
    world.let_go();
    assert_eq!(world.ended(&first).await.status, ExecutionStatus::Succeeded);
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_events_are_named_by_their_keys() {
    let world = World::new(Clock::system(), None).await;
    for (event, expected) in [
        (json!({"Records": ["canary"]}), "it is neither a record of AWS Lambda about an invocation nor a schedule's"),
        (json!("canary"), "the event is a string"),
    ] {
        let response = world.guard(&event).await;
        assert_eq!(response["errorType"], "JobGuard.UnknownEvent");
        assert!(response["errorMessage"].as_str().unwrap().contains(expected), "{response}");
    }
    let record = json!({"requestContext": {}, "requestPayload": {"DeploymentId": "canary"}});
    assert_eq!(world.guard(&record).await, json!({"answered": 0, "already_answered": 0, "in_progress": 0}));
    let logs = world.logs();
    assert!(logs.contains("DeploymentId") && logs.contains("Records") && !logs.contains("canary"), "{logs}");
    world.aws.shutdown().await;
}
