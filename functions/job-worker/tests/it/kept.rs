//! Jobs that the guard has taken from CodePipeline for the next worker.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};
use stagegate_local_aws::faults::{CallFault, CallPlan, Refusal, When};
use stagegate_local_codepipeline::provider::ArtifactBucket;

use crate::races::{assert_each_once, jobs, nobody_wakes, polled};
use crate::world::{Setting, World};

/// Takes all jobs that wait, and keeps them as the guard does. `phase` is what their leases say.
async fn keep_all(world: &World, phase: &str) {
    let bucket = world.aws.bucket("State").unwrap();
    for job in polled(world).await {
        let id = job["id"].as_str().unwrap();
        world.call("AcknowledgeJob", json!({"jobId": id, "nonce": job["nonce"]})).await;
        let now = jiff::Timestamp::now();
        let document = json!({
            "function": "stagegate-job-worker", "request_id": "another", "started": now,
            "deadline": now + jiff::SignedDuration::from_mins(3), "memory_mb": 256,
            "execution": {"pipeline": null, "execution": null, "stage": null}, "handover": phase,
        });
        let lease = json!({"kind": "lease", "version": 1, "write": "another", "document": document});
        let key = format!("kept/{id}.json");
        world.aws.s3().put(bucket, &key, lease.to_string().into_bytes()).await.unwrap();
    }
}

/// How many jobs are kept.
fn kept(world: &World) -> usize {
    let folder = world.aws.data().join("s3").join(world.aws.bucket("State").unwrap()).join("kept");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_some_and(|end| end == "json")).count()
}

fn sum(did: &[Value], what: &str) -> u64 {
    did.iter().map(|done| done[what].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_workers_hand_each_kept_job_on_once() {
    const JOBS: usize = 8;
    let world = World::new(Setting { deliveries: Some(nobody_wakes()), ..Setting::default() }).await;
    let executions = jobs(&world, JOBS).await;
    keep_all(&world, "kept").await;
    assert_eq!(kept(&world), JOBS);
    let did = join_all((0..4).map(|_| world.work())).await;
    assert_eq!(sum(&did, "handed_on"), JOBS as u64, "{did:?}\n{}", world.logs());
    for execution in &executions {
        assert_eq!(world.ended(execution).await["status"], "Succeeded");
    }
    assert_each_once(&world, JOBS);
    assert_eq!((kept(&world), world.handovers().len()), (0, 0));
    world.aws.shutdown().await;
}

/// A worker that cannot tell whether a job is its own, or what it is, leaves it where the next one finds it.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_found_out_stays_kept() {
    let s3 = || CallFault::Refuse(Refusal::of_s3_status(403));
    let plan = |call: &str, resource: &str, fault| CallPlan::seeded(1).on(call, resource, When::Always, fault);
    let cases = [
        ("another phase", "handed_on", CallPlan::seeded(1)),
        ("no list", "kept", plan("s3:ListObjectsV2", "*", s3())),
        ("no look", "kept", plan("s3:GetObject", "*/kept/*", s3())),
        ("no lease", "kept", plan("s3:PutObject", "*/handovers/*", s3())),
        ("no details", "kept", plan("codepipeline:GetJobDetails", "*", CallFault::Refuse(Refusal::of_status(403)))),
    ];
    for (what, phase, plan) in cases {
        let plan = Arc::new(plan);
        let setting =
            Setting { deliveries: Some(nobody_wakes()), call_faults: Some(plan.clone()), ..Setting::default() };
        let world = World::new(setting).await;
        jobs(&world, 1).await;
        keep_all(&world, phase).await;
        let done = world.work().await;
        assert_eq!(done["handed_on"], 0, "{what}: {done}");
        assert_eq!((kept(&world), world.handovers().len()), (1, 0), "{what}\n{}", world.logs());
        assert_eq!(plan.met().is_empty(), plan.is_empty(), "{what}: the fault was never met");
        world.aws.shutdown().await;
    }
}
