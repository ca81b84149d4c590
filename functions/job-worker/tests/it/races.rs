//! Several workers, calls that fail, and leases that are there already: each job is handed on once.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use stagegate_local_aws::{Arrival, DeliveryFault, Sent, faults};
use stagegate_local_codepipeline::faults::{CallFault, FaultPlan, Faults, Refusal, When};
use stagegate_local_codepipeline::provider::ArtifactBucket;

use crate::actions::result;
use crate::world::{Setting, WORKER, World};

/// No event and no minute wakes a worker.
pub(crate) fn nobody_wakes() -> DeliveryFault {
    Arc::new(|sent: &Sent<'_>| match sent.to.ends_with(WORKER) {
        true => Vec::new(),
        false => vec![Arrival::Now],
    })
}

/// Starts so many executions, and waits until their jobs do.
pub(crate) async fn jobs(world: &World, count: usize) -> Vec<String> {
    let mut executions = vec![world.start(json!({"Gate": "pass"})).await];
    for _ in 1..count {
        executions.push(world.start_again().await);
    }
    world
        .until("all jobs", async |world| {
            let mut waiting = 0;
            for execution in &executions {
                waiting += usize::from(world.action(execution).await.is_some());
            }
            waiting == count
        })
        .await;
    executions
}

/// The jobs that nobody has taken.
pub(crate) async fn polled(world: &World) -> Vec<Value> {
    let id = json!({"category": "Test", "owner": "Custom", "provider": "Stagegate-TestGate", "version": "1"});
    let polled = world.call("PollForJobs", json!({"actionTypeId": id})).await;
    polled["jobs"].as_array().cloned().unwrap_or_default()
}

/// The ids of the jobs that nobody has taken.
async fn waiting(world: &World) -> Vec<String> {
    polled(world).await.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

/// Each job came to the gate once.
pub(crate) fn assert_each_once(world: &World, count: usize) {
    let mut seen = world.seen();
    assert_eq!(seen.len(), count);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), count, "a job was handed on twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_take_each_job_once() {
    const JOBS: usize = 24;
    let world = World::new(Setting { deliveries: Some(nobody_wakes()), ..Setting::default() }).await;
    let executions = jobs(&world, JOBS).await;
    let did = join_all((0..5).map(|_| world.work())).await;
    let handed_on: u64 = did.iter().map(|done| done["handed_on"].as_u64().unwrap()).sum();
    assert_eq!(handed_on, JOBS as u64, "{did:?}");
    for execution in &executions {
        let action = world.ended(execution).await;
        assert_eq!(result(&action).0, "Succeeded", "{action}");
    }
    assert_each_once(&world, JOBS);
    assert!(world.handovers().is_empty());
    world.aws.shutdown().await;
}

/// A worker whose call is not answered, while others take the same jobs, knows whether it was itself.
#[tokio::test(flavor = "multi_thread")]
async fn several_workers_whose_calls_are_not_answered_take_each_job_once() {
    const JOBS: usize = 40;
    for seed in 1..=3 {
        let plan = FaultPlan::seeded(seed).on_call("AcknowledgeJob", When::Percent(20), CallFault::CutOff).on_call(
            "AcknowledgeJob",
            When::Percent(20),
            CallFault::CutOffAfterwards,
        );
        let faults: Arc<dyn Faults> = Arc::new(plan);
        let setting = Setting { deliveries: Some(nobody_wakes()), faults: Some(faults), ..Setting::default() };
        let world = World::new(setting).await;
        jobs(&world, JOBS).await;
        // Of a worker that was never answered nobody knows whether it has the job. Where it has not, the next one takes it.
        world
            .until("the end of all jobs", async |world| {
                join_all((0..5).map(|_| world.work())).await;
                waiting(world).await.is_empty()
            })
            .await;
        // The others have a lease, by which the guard answers.
        let left = world.handovers().len();
        world.until("the gates", async |world| world.seen().len() >= JOBS - left).await;
        assert_each_once(&world, JOBS - left);
        assert!(left < JOBS / 4, "{left} of {JOBS} jobs are left to the guard");
        world.aws.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_fail_lose_no_job() {
    let refusal = |status| Refusal::of_status(status);
    for (operation, fault) in [
        ("AcknowledgeJob", CallFault::Refuse(refusal(503))),
        ("AcknowledgeJob", CallFault::CutOff),
        ("AcknowledgeJob", CallFault::CutOffAfterwards),
        ("AcknowledgeJob", CallFault::LoseAnswer(refusal(500))),
        ("PollForJobs", CallFault::Refuse(refusal(500))),
    ] {
        let plan = FaultPlan::seeded(1).on_call(operation, When::First(1), fault.clone());
        let world = World::new(Setting { faults: Some(Arc::new(plan)), ..Setting::default() }).await;
        let execution = world.start(json!({"Gate": "pass"})).await;
        assert_eq!(result(&world.ended(&execution).await).0, "Succeeded", "{operation} {fault:?}");
        assert_each_once(&world, 1);
        world.until("the end of the leases", async |world| world.handovers().is_empty()).await;
        world.aws.shutdown().await;
    }
}

/// A lease that S3 did or did not write costs no job; the worker looks whether it is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_of_which_nothing_is_known_costs_no_job() {
    use faults::{CallFault, CallPlan, Refusal, When};
    let refused = |status| CallFault::Refuse(Refusal::of_s3_status(status));
    for (when, fault) in [
        (When::First(1), CallFault::LoseAnswer(Refusal::of_s3_status(500))),
        // Somebody else's document, which is gone when the worker reads it.
        (When::First(1), refused(412)),
        // It can be created, and then no longer be written.
        (When::Nth(2), refused(403)),
        (When::Nth(3), refused(403)),
        (When::Always, refused(403)),
    ] {
        let plan = Arc::new(CallPlan::seeded(1).on("s3:PutObject", "*/handovers/*", when, fault.clone()));
        let world = World::new(Setting { call_faults: Some(plan.clone()), ..Setting::default() }).await;
        let action = world.run(json!({"Gate": "pass"})).await;
        assert_eq!(result(&action).0, "Succeeded", "{when:?} {fault:?}: {action}");
        world.until("the end of the leases", async |world| world.handovers().is_empty()).await;
        assert!(!plan.met().is_empty(), "{when:?} {fault:?}");
        if when == When::First(1) {
            let used = world.aws.rights_used();
            assert!(used.contains(&("JobWorker".to_owned(), "s3:GetObject".to_owned())), "{fault:?}");
        }
        world.aws.shutdown().await;
    }
}

/// The lease of a job as another worker has written it so many seconds ago; without a phase, something that is none.
fn lease_of_another(phase: &str, seconds: i64) -> String {
    if phase.is_empty() {
        return "{".to_owned();
    }
    let started = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
    let document = json!({
        "function": "stagegate-job-worker", "request_id": "another", "started": started,
        "deadline": started + jiff::SignedDuration::from_secs(60), "memory_mb": 256,
        "execution": {"pipeline": null, "execution": null, "stage": null}, "handover": phase,
    });
    json!({"kind": "lease", "version": 1, "write": "another", "document": document}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_of_another_worker_is_left_to_it() {
    let lost = CallFault::CutOffAfterwards;
    // What the lease says, what happens to AcknowledgeJob, how many jobs are handed on, and what stands in the log.
    let cases = [
        (None, CallFault::None, 1, "job handed on"),
        (None, lost.clone(), 1, "the job is here: an attempt that was not answered has counted"),
        // The other one is at it, and stays so however slow this test is.
        (Some(("reaching", -600)), CallFault::None, 0, ""),
        (Some(("reaching", 15)), CallFault::None, 1, "job handed on"),
        // It may be a call of the other one that has counted.
        (Some(("reaching", 15)), lost.clone(), 0, "it is not known who has taken the job"),
        (Some(("taken", 15)), CallFault::None, 0, ""),
        (Some(("handed_on", 15)), CallFault::None, 0, ""),
        (Some(("", 0)), CallFault::None, 1, "the job has no lease while it is handed on"),
        (Some(("", 0)), lost, 0, "it is not known who has taken the job"),
    ];
    for (lease, fault, handed_on, log) in cases {
        let plan = FaultPlan::seeded(1).on_call("AcknowledgeJob", When::First(1), fault.clone());
        let setting = Setting { deliveries: Some(nobody_wakes()), faults: Some(Arc::new(plan)), ..Setting::default() };
        let world = World::new(setting).await;
        jobs(&world, 1).await;
        let key = format!("handovers/{}.json", waiting(&world).await[0]);
        if let Some((phase, seconds)) = lease {
            let bucket = world.aws.bucket("State").unwrap();
            world.aws.s3().put(bucket, &key, lease_of_another(phase, seconds).into_bytes()).await.unwrap();
        }
        let done = world.work().await;
        assert_eq!(done["handed_on"], Value::from(handed_on), "{lease:?} {fault:?}: {done}\n{}", world.logs());
        assert!(world.logs().contains(log), "{lease:?} {fault:?}: {}", world.logs());
        world.aws.shutdown().await;
    }
}

/// A worker that was held up does not go by what it has polled before: the lease that would keep it from a job of another
/// worker is gone by then, and a call that is not answered would look as if it had counted.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_polled_long_ago_is_polled_again() {
    use faults::When;
    let held = std::time::Duration::from_secs(12);
    let slow = faults::CallPlan::seeded(1).on("lambda:Invoke", "*", When::First(1), faults::CallFault::Slow(held));
    let slow = Arc::new(slow);
    // The first worker and the second take a job each; the third call would be for a job that is gone.
    let lost = FaultPlan::seeded(1).on_call("AcknowledgeJob", When::Nth(3), CallFault::CutOff);
    let world = World::new(Setting {
        deliveries: Some(nobody_wakes()),
        faults: Some(Arc::new(lost)),
        call_faults: Some(slow.clone()),
        ..Setting::default()
    })
    .await;
    jobs(&world, 2).await;
    let other = async {
        world.until("the worker that is held up", async |_| !slow.met().is_empty()).await;
        let done = world.work().await;
        // As the sweep does after a while.
        let leases = world.aws.data().join("s3").join(world.aws.bucket("State").unwrap()).join("handovers");
        for lease in std::fs::read_dir(leases).unwrap().flatten() {
            let is_handed_on = |text: String| text.contains(r#""handover":"handed_on""#);
            if std::fs::read_to_string(lease.path()).is_ok_and(is_handed_on) {
                std::fs::remove_file(lease.path()).unwrap();
            }
        }
        done
    };
    let (first, second) = tokio::join!(world.work(), other);
    assert_eq!(first["handed_on"].as_u64().unwrap() + second["handed_on"].as_u64().unwrap(), 2, "{first} {second}");
    world.until("the gates", async |world| world.seen().len() >= 2).await;
    assert_each_once(&world, 2);
    world.aws.shutdown().await;
}
