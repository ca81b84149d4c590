//! The whole demo pipeline with faults everywhere: every execution ends, in its time, and nothing is left behind.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use stagegate_local_aws::faults::{
    CallFault, CallPlan, EventFault, FaultPlan, InvokeFault, InvokePlan, Refusal, Signal, When,
};
use stagegate_local_aws::{Arrival, Sent, Stack};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;

use crate::evidence::{GUARD, RELEASE_GATE, SMOKE_TEST, TEST_GATE};
use crate::random::{Random, number};
use crate::world::{World, root, turn};

/// Minutes of CodePipeline's clock are three seconds.
const SPEED: f64 = 20.0;
/// The hook of the deployments to staging.
const HOOK: &str = "CodeDeployHook_stagegate-smoke-test";
/// How many executions are under way at the same time; each stage holds one of them.
const AT_ONCE: usize = 4;
/// The most that one execution may take by CodePipeline's clock: two gates that both die unnoticed, so that CodePipeline's
/// own 20 minutes end them, and everything else.
const BOUND: Duration = Duration::from_secs(2 * 3600);

/// Rules of the deployed configuration without approvals, which are answered by the test.
fn config() -> String {
    let text = std::fs::read_to_string(root().join("infra/config/stagegate.yaml")).unwrap();
    let (_, gates) = text.split_once("\ngates:\n").unwrap();
    format!("gates:\n{gates}")
}

fn calls(seed: u64) -> CallPlan {
    let refuse = |status| CallFault::Refuse(Refusal::of_status(status));
    let s3 = |status| CallFault::Refuse(Refusal::of_s3_status(status));
    CallPlan::seeded(seed)
        .on("codepipeline:PutJob*", "*", When::Percent(8), refuse(503))
        .on("codepipeline:PutJob*", "*", When::Percent(6), refuse(429))
        .on("codepipeline:PutJob*", "*", When::Percent(6), CallFault::CutOff)
        .on("codepipeline:PutJob*", "*", When::Percent(6), CallFault::CutOffAfterwards)
        .on("codepipeline:PutJob*", "*", When::Percent(6), CallFault::LoseAnswer(Refusal::of_status(500)))
        .on("codepipeline:PutJobSuccessResult", "*", When::Percent(2), refuse(403))
        .on("s3:*", "*", When::Percent(4), s3(503))
        .on("s3:*", "*", When::Percent(3), s3(500))
        .on("s3:*", "*", When::Percent(2), s3(403))
        .on("s3:*", "*", When::Percent(1), s3(404))
        .on("s3:PutObject", "*", When::Percent(2), s3(409))
        .on("s3:PutObject", "*", When::Percent(2), s3(412))
        .on("s3:*", "*", When::Percent(3), CallFault::CutOff)
        .on("s3:*", "*", When::Percent(3), CallFault::CutOffAfterwards)
        .on("s3:*", "*", When::Percent(4), CallFault::Slow(Duration::from_millis(300)))
}

fn invokes(seed: u64) -> InvokePlan {
    let after = Duration::from_millis(150);
    let gates = |plan: InvokePlan, gate: &str| {
        plan.on(gate, When::Percent(8), InvokeFault::Signal(Signal::Kill, after))
            .on(gate, When::Percent(4), InvokeFault::Signal(Signal::Abort, Duration::from_millis(400)))
            .on(gate, When::Percent(4), InvokeFault::OutOfMemory(after))
            .on(gate, When::Percent(4), InvokeFault::CrashAtStart)
            .on(gate, When::Percent(2), InvokeFault::Signal(Signal::Stop, after))
            .on(gate, When::Percent(5), InvokeFault::Throttle)
    };
    gates(gates(gates(InvokePlan::seeded(seed), TEST_GATE), SMOKE_TEST), RELEASE_GATE)
        .on(HOOK, When::Percent(15), InvokeFault::Signal(Signal::Kill, after))
        .on(GUARD, When::Percent(10), InvokeFault::Signal(Signal::Kill, after))
        .on(GUARD, When::Percent(5), InvokeFault::CrashAtStart)
        .on(GUARD, When::Percent(5), InvokeFault::Throttle)
}

fn events(seed: u64) -> FaultPlan {
    FaultPlan::seeded(seed)
        .on_event("*", When::Percent(10), EventFault::Drop)
        .on_event("*", When::Percent(10), EventFault::Duplicate)
        .on_event("*", When::Percent(10), EventFault::Delay(Duration::from_secs(90)))
        .on_event("*", When::Percent(10), EventFault::Reorder)
}

/// Loses, repeats and delays what rules, schedules and topics deliver. A minute that is lost is made up for by the next.
fn deliver(random: &mut Random) -> Vec<Arrival> {
    match random.below(10) {
        0 => Vec::new(),
        1 => vec![Arrival::Now, Arrival::Now],
        2 => vec![Arrival::After(Duration::from_secs(20))],
        _ => vec![Arrival::Now],
    }
}

/// Answers every approval, one of five with no.
async fn answer_approvals(world: &World, random: &mut Random) {
    for approval in world.aws.codepipeline().open_approvals() {
        let status = if random.percent(20) { "Rejected" } else { "Approved" };
        let input = json!({
            "pipelineName": approval.pipeline, "stageName": approval.stage, "actionName": approval.action,
            "token": approval.token.expose(), "result": {"status": status, "summary": "the test decides"},
        });
        // Somebody else may have answered it in the meantime.
        let _ = world.aws.codepipeline().call("PutApprovalResult", input).await;
    }
}

struct Run {
    execution: String,
    begun: Instant,
}

async fn chaos(executions: usize) {
    let _turn = turn().await;
    let seed = number("STAGEGATE_FAULT_SEED", 1);
    println!("STAGEGATE_FAULT_SEED={seed}");
    let example = tempfile::tempdir().unwrap();
    copy(&root().join("examples/web"), example.path());
    let random = std::sync::Mutex::new(Random::new(seed));
    let world = World::new(Clock::scaled(SPEED), |options| {
        options.source = Some(example.path().to_owned());
        options.codepipeline_faults = Some(Arc::new(events(seed)));
        options.delivery_fault = Some(Arc::new(move |_: &Sent<'_>| deliver(&mut random.lock().unwrap())));
        let layer = options.template.with_file_name("config");
        copy(&root().join("infra/config/smoke"), &layer.join("smoke"));
        std::fs::write(layer.join("stagegate.yaml"), config()).unwrap();
    });
    let world = world.await;
    for gate in [TEST_GATE, SMOKE_TEST, RELEASE_GATE] {
        world.configure(gate, |config| config.timeout = Duration::from_secs(15));
    }
    world.configure(HOOK, |config| config.timeout = Duration::from_secs(60));
    let template = root().join("infra/example-pipeline.yaml");
    let stack = Stack { template, name: "web".to_owned(), parameters: BTreeMap::new() };
    world.aws.create_stack(&stack).await.unwrap();
    world.switch.calls(Some(Arc::new(calls(seed))));
    world.switch.invokes(Some(Arc::new(invokes(seed))));
    let (begun, mut random) = (Instant::now(), Random::new(seed));
    let (mut running, mut left): (Vec<Run>, usize) = (Vec::new(), executions);
    let mut ends: Vec<(String, ExecutionStatus)> = Vec::new();
    while left > 0 || !running.is_empty() {
        while left > 0 && running.len() < AT_ONCE {
            let started = world.call("StartPipelineExecution", json!({"name": "web"})).await;
            let execution = started["pipelineExecutionId"].as_str().unwrap().to_owned();
            running.push(Run { execution, begun: Instant::now() });
            left -= 1;
        }
        answer_approvals(&world, &mut random).await;
        running.retain(|run| {
            let status = world.aws.codepipeline().execution_status("web", &run.execution).unwrap();
            if matches!(status, ExecutionStatus::InProgress | ExecutionStatus::Stopping) {
                let clock_time = run.begun.elapsed().mul_f64(SPEED);
                assert!(clock_time < BOUND.mul_f64(AT_ONCE as f64), "{} hangs\n{}", run.execution, world.logs());
                return true;
            }
            ends.push((run.execution.clone(), status));
            false
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let succeeded = ends.iter().filter(|(_, status)| *status == ExecutionStatus::Succeeded).count();
    println!("{executions} executions in {:.0?}: {succeeded} succeeded", begun.elapsed());
    for (execution, status) in &ends {
        let is_final = matches!(status, ExecutionStatus::Succeeded | ExecutionStatus::Failed);
        assert!(is_final, "{execution} has ended {status:?}");
        explain(&world, execution, *status).await;
    }
    // The guard comes each minute for what was left.
    world.until("the end of all leases", |world| world.leases().is_empty()).await;
    world.assert_no_secret("");
    world.shutdown().await;
}

/// An execution that failed says where and why, and one that succeeded has passed each gate.
async fn explain(world: &World, execution: &str, status: ExecutionStatus) {
    let filter = json!({"pipelineExecutionId": execution});
    let list = world.call("ListActionExecutions", json!({"pipelineName": "web", "filter": filter})).await;
    let actions = list["actionExecutionDetails"].as_array().unwrap();
    let of = |name: &str| actions.iter().find(|action| action["actionName"] == name);
    if status == ExecutionStatus::Succeeded {
        for gate in ["TestGate", "SmokeTest", "ReleaseGate"] {
            assert_eq!(of(gate).unwrap()["output"]["outputVariables"]["outcome"], "passed", "{list:#}");
        }
        return;
    }
    let failed: Vec<_> = actions.iter().filter(|action| action["status"] == "Failed").collect();
    let [failed] = failed.as_slice() else { panic!("{execution} has failed, and not by one action: {list:#}") };
    let result = &failed["output"]["executionResult"];
    let details = &result["errorDetails"]["message"];
    let says = details.as_str().or(result["externalExecutionSummary"].as_str()).unwrap_or_default();
    assert!(!says.is_empty(), "{execution} failed without a word: {failed:#}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// `STAGEGATE_FAULT_EXECUTIONS` sets how many.
#[tokio::test(flavor = "multi_thread")]
async fn executions_of_the_demo_end_whatever_breaks() {
    chaos(usize::try_from(number("STAGEGATE_FAULT_EXECUTIONS", 6)).unwrap()).await;
}

/// `cargo test -p stagegate --test faults hundred -- --ignored --nocapture`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes; the test above is the same with fewer executions"]
async fn a_hundred_executions_of_the_demo_end_whatever_breaks() {
    chaos(100).await;
}
