//! Custom actions whose workers are killed at random: each job is done once, or failed once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use stagegate_local_aws::faults::{Attempt, CallFault, CallPlan, InvokeFault, InvokeFaults, Signal, When};
use stagegate_local_aws::{Arrival, Sent};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_lambda::InvocationType;

use crate::evidence::{TEST_GATE, WORKER};
use crate::pipelines;
use crate::random::{Random, number};
use crate::world::{LIMIT, World, is_bystander, turn};

const JOBS: usize = 200;
const WORKERS: usize = 10;
/// How long all jobs may take together.
const ALL: Duration = LIMIT.saturating_mul(3);
/// How many of the jobs belong to one pipeline, which has fifty executions at the most.
const EACH: usize = 40;

/// Kills three workers of ten, each at a moment of its own.
struct Kills {
    random: std::sync::Mutex<Random>,
    /// How long a worker takes for one job when nothing disturbs it: the moments are later on a machine that is slower.
    round: Duration,
}

impl InvokeFaults for Kills {
    fn attempt(&self, attempt: &Attempt<'_>) -> InvokeFault {
        let mut random = self.random.lock().unwrap();
        if attempt.function != WORKER || !random.percent(30) {
            return InvokeFault::None;
        }
        let after = self.round * u32::try_from(50 + random.below(750)).unwrap() / 100;
        random.one_of(&[InvokeFault::Signal(Signal::Kill, after), InvokeFault::OutOfMemory(after)])
    }
}

/// A worker that has one job to hand on, and nothing is wrong: the job, and how long it takes.
async fn undisturbed(world: &World) -> (String, Duration) {
    let pipeline = pipelines::custom("undisturbed", "Test", "Stagegate-TestGate", "test-pass");
    world.aws.put_pipeline(&pipeline).await.unwrap();
    let execution = world.start("undisturbed", "custom").await;
    let handed_on = async {
        loop {
            // It finds nothing before the source is there.
            let invoked = world.invoke(WORKER, &json!({})).await;
            let done: Value = serde_json::from_slice(&invoked.payload).unwrap();
            if done["handed_on"] == 1 {
                return invoked.metrics.unwrap().duration;
            }
        }
    };
    let (round, ended) = tokio::join!(handed_on, world.end("undisturbed", &execution, LIMIT));
    assert_eq!(ended.expect("the job hangs").status, ExecutionStatus::Succeeded, "{}", world.logs());
    let job = world.begun(TEST_GATE).into_keys().next().expect("the gate tells that it has begun");
    println!("a worker takes {round:.0?} for one job");
    (job, round)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_workers_that_are_killed_do_each_of_200_jobs_once() {
    let _turn = turn().await;
    let seed = number("STAGEGATE_FAULT_SEED", 1);
    println!("STAGEGATE_FAULT_SEED={seed}");
    // No event and no minute wakes a worker: the ten of this test are there at the same time.
    let lost = Arc::new(|sent: &Sent<'_>| match sent.to.ends_with(WORKER) || is_bystander(sent.to) {
        true => Vec::new(),
        false => vec![Arrival::Now],
    });
    let world = World::new(Clock::scaled(20.0), |options| options.delivery_fault = Some(lost)).await;
    // What a worker that died has taken waits for the end of its time.
    world.configure(WORKER, |config| config.timeout = Duration::from_secs(14));
    world.configure(TEST_GATE, |config| config.max_concurrency = 8);
    let (first, round) = undisturbed(&world).await;
    let mut executions = Vec::new();
    for number in 0..JOBS {
        let name = format!("custom-{}", number / EACH);
        if number % EACH == 0 {
            let pipeline = pipelines::custom(&name, "Test", "Stagegate-TestGate", "test-pass");
            world.aws.put_pipeline(&pipeline).await.unwrap();
        }
        let execution = world.start(&name, "custom").await;
        executions.push((name, execution));
    }
    world.switch.invokes(Some(Arc::new(Kills { random: std::sync::Mutex::new(Random::new(seed)), round })));
    // A worker is not to think that it has a job because it has asked twice, nor that it has none.
    let unanswered = CallPlan::seeded(seed)
        .on("codepipeline:AcknowledgeJob", "*", When::Percent(10), CallFault::CutOffAfterwards)
        .on("codepipeline:AcknowledgeJob", "*", When::Percent(10), CallFault::CutOff);
    world.switch.calls(Some(Arc::new(unanswered)));
    let (begun, over) = (Instant::now(), AtomicBool::new(false));
    let work = async || {
        while !over.load(Ordering::SeqCst) {
            let _ = world.aws.lambda().invoke(WORKER, "{}", InvocationType::RequestResponse).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    // AWS Lambda tells the guard of the death of a worker that nobody waits for; the sweep finds out about the others.
    let unwatched = async || {
        while !over.load(Ordering::SeqCst) {
            let begun = Instant::now();
            world.send(WORKER, &json!({"source": "aws.events"})).await;
            while !over.load(Ordering::SeqCst) && world.switch.ends_since(WORKER, begun) < WORKERS {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    };
    let all = async {
        let ends = executions.iter().map(|(pipeline, execution)| world.end(pipeline, execution, ALL));
        let ended = join_all(ends).await;
        over.store(true, Ordering::SeqCst);
        ended
    };
    let (ended, ..) = tokio::join!(all, join_all((2..WORKERS).map(|_| work())), unwatched(), unwatched());
    let (mut done, mut lost) = (0, 0);
    for ((_, execution), ended) in executions.iter().zip(ended) {
        let ended = ended.unwrap_or_else(|| panic!("the job of {execution} hangs\n{}", world.logs()));
        match ended.status {
            ExecutionStatus::Succeeded => done += 1,
            _ => {
                lost += 1;
                let is_so =
                    ended.message.starts_with("stagegate-job-worker ") && ended.message.contains("handed the job on");
                assert!(is_so, "{ended:?}");
            }
        }
    }
    let mut came = world.begun(TEST_GATE);
    came.retain(|job, _| *job != first);
    let died = {
        let seen = world.switch.seen.lock().unwrap();
        seen.ends.iter().filter(|(_, function, failed)| function == WORKER && *failed).count()
    };
    println!("{died} workers died, {done} jobs done and {lost} failed for it, in {:.0?}", begun.elapsed());
    assert!(died > 0, "no worker died");
    assert!(came.values().all(|count| *count == 1), "a gate got a job more than once: {came:?}");
    assert!(came.len() >= done && came.len() <= JOBS, "{} jobs came to the gate", came.len());
    assert!(done > JOBS / 2, "only {done} of {JOBS} jobs were done");
    world.until("the end of all leases", |world| world.leases().is_empty()).await;
    world.shutdown().await;
}
