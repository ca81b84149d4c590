//! Ways to break the worker that hands jobs of custom actions to their gates. `docs/fault-matrix.md` holds the table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use stagegate_local_aws::faults::{
    ApiCall, Attempt, CallFault, CallFaults, CallPlan, InvokeFault, InvokeFaults, InvokePlan, Refusal, Signal, When,
};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;

use crate::cells::{SOON, TRIES};
use crate::evidence::{GUARD, TEST_GATE, WORKER};
use crate::pipelines;
use crate::world::{LIMIT, World, root, turn};

struct Row {
    fault: &'static str,
    /// The operation after whose first call the calls meet their faults; empty for all of them.
    after: &'static str,
    calls: fn() -> CallPlan,
    invokes: fn() -> InvokePlan,
    /// Whether a worker dies of it.
    dies: bool,
    /// The function that answers; the guard does so soon after the death.
    by: &'static str,
    code: &'static str,
    text: &'static str,
}

/// What the guard says of a job that a worker had when it died, by the record of its death.
const DIED: &str = "stagegate-job-worker was killed";

const ROW: Row = Row {
    fault: "",
    after: "",
    calls: || CallPlan::seeded(1),
    invokes: || InvokePlan::seeded(1),
    dies: false,
    by: TEST_GATE,
    code: "",
    text: "passed",
};

const KILLED: Row = Row { invokes: killed, dies: true, ..ROW };

fn first(call: &str, count: u64, fault: CallFault) -> CallPlan {
    CallPlan::seeded(1).on(call, "*", When::First(count), fault)
}

/// The worker is held up in a call, and killed in it; the next worker is not.
fn held(call: &str) -> CallPlan {
    first(call, 1, CallFault::Slow(Duration::from_secs(30)))
}

fn strike(fault: InvokeFault) -> InvokePlan {
    InvokePlan::seeded(1).on(WORKER, When::First(1), fault)
}

/// Kills the worker that is held up: any other one has ended by then. A schedule starts workers, too, so that nobody can
/// say which of them takes the job.
fn killed() -> InvokePlan {
    InvokePlan::seeded(1).on(WORKER, When::Always, InvokeFault::Signal(Signal::Kill, Duration::from_secs(3)))
}

fn rows() -> Vec<Row> {
    vec![
        Row { fault: "none", ..ROW },
        Row {
            fault: "PollForJobs is refused with 500, twice",
            calls: || first("codepipeline:PollForJobs", 2, CallFault::Refuse(Refusal::of_status(500))),
            ..ROW
        },
        Row {
            fault: "the connection ends before AcknowledgeJob counts",
            calls: || first("codepipeline:AcknowledgeJob", 1, CallFault::CutOff),
            ..ROW
        },
        Row {
            fault: "the connection ends after AcknowledgeJob counted",
            calls: || first("codepipeline:AcknowledgeJob", 1, CallFault::CutOffAfterwards),
            ..ROW
        },
        Row {
            fault: "the gate may not be invoked",
            calls: || first("lambda:Invoke", 9, CallFault::Refuse(Refusal::of_status(403))),
            by: WORKER,
            code: "PermissionError",
            text: "failed to hand the job to ",
            ..ROW
        },
        Row {
            fault: "Invoke is refused with 429, twice",
            calls: || first("lambda:Invoke", 2, CallFault::Refuse(Refusal::of_status(429))),
            ..ROW
        },
        Row {
            fault: "the lease cannot be written",
            calls: || {
                let refusal = CallFault::Refuse(Refusal::of_s3_status(403));
                CallPlan::seeded(1).on("s3:PutObject", "*/handovers/*", When::Always, refusal)
            },
            ..ROW
        },
        Row { fault: "it is killed at its start", invokes: || strike(InvokeFault::CrashAtStart), dies: true, ..ROW },
        Row { fault: "it is throttled", invokes: || strike(InvokeFault::Throttle), ..ROW },
        Row { fault: "it is killed before it takes the job", calls: || held("codepipeline:PollForJobs"), ..KILLED },
        Row {
            fault: "it is killed while it takes the job, before AcknowledgeJob counts",
            calls: || held("codepipeline:AcknowledgeJob"),
            ..KILLED
        },
        Row {
            fault: "it is killed while it takes the job, after AcknowledgeJob counted",
            // Its lease still says that it reaches for the job.
            after: "AcknowledgeJob",
            calls: || {
                let held = CallFault::Slow(Duration::from_secs(30));
                CallPlan::seeded(1).on("s3:PutObject", "*/handovers/*", When::Always, held)
            },
            by: GUARD,
            code: "SystemUnavailable",
            text: DIED,
            ..KILLED
        },
        Row {
            fault: "it is killed between taking the job and handing it on",
            calls: || held("lambda:Invoke"),
            by: GUARD,
            code: "SystemUnavailable",
            text: DIED,
            ..KILLED
        },
        Row {
            fault: "it is killed after it has handed the job on",
            // The gate works longer than the guard waits, and the lease still says that the worker has the job.
            after: "Invoke",
            calls: || {
                CallPlan::seeded(1)
                    .on("s3:PutObject", "*/handovers/*", When::First(2), CallFault::Slow(Duration::from_secs(30)))
                    .on("s3:GetObject", "artifacts/*", When::Always, CallFault::Slow(Duration::from_secs(8)))
            },
            ..KILLED
        },
    ]
}

/// A plan that waits for a call, and is not for the guard.
struct After {
    operation: &'static str,
    has_come: AtomicBool,
    plan: Arc<CallPlan>,
}

impl CallFaults for After {
    fn call(&self, call: &ApiCall<'_>) -> CallFault {
        let is_it = call.operation == self.operation;
        let waits = !self.operation.is_empty() && !self.has_come.fetch_or(is_it, Ordering::SeqCst);
        if waits || call.function == Some(GUARD) { CallFault::None } else { self.plan.call(call) }
    }
}

/// Strikes those workers only that have come before the calls met a fault: the one that met it, and no later one.
struct Strikes {
    calls: Arc<CallPlan>,
    plan: Arc<InvokePlan>,
}

impl InvokeFaults for Strikes {
    fn attempt(&self, attempt: &Attempt<'_>) -> InvokeFault {
        if self.calls.met().is_empty() { self.plan.attempt(attempt) } else { InvokeFault::None }
    }
}

async fn try_row(world: &World, row: &Row) -> Result<Duration, String> {
    let (calls, invokes) = (Arc::new((row.calls)()), Arc::new((row.invokes)()));
    let after = After { operation: row.after, has_come: AtomicBool::new(false), plan: calls.clone() };
    world.switch.calls(Some(Arc::new(after)));
    world.switch.invokes(Some(Arc::new(Strikes { calls: calls.clone(), plan: invokes.clone() })));
    let begun = Instant::now();
    let execution = world.start("handed-on", "custom").await;
    let ended = world.end("handed-on", &execution, LIMIT).await.ok_or("the job hangs")?;
    let answered = Instant::now();
    let death = |world: &World| world.switch.died(WORKER).filter(|died| *died >= begun);
    if row.dies {
        // The job may have been another worker's, and be done before this one dies.
        world.until("the worker's death", |world| death(world).is_some()).await;
    }
    let since = if row.by == GUARD { death(world).ok_or("the worker did not die")? } else { begun };
    let took = answered.saturating_duration_since(since);
    world.switch.calls(None);
    world.switch.invokes(None);
    let status = if row.code.is_empty() { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
    if (ended.status, ended.code.as_str()) != (status, row.code) || !ended.message.contains(row.text) {
        return Err(format!("it ended so: {ended:?}"));
    }
    if row.fault != "none" && calls.met().is_empty() && invokes.met().is_empty() {
        return Err("the fault was never met".to_owned());
    }
    // The last answer is the one that counted; each row has one.
    let by = world.switch.seen.lock().unwrap().answers.last().map(|(_, by, _)| by.clone());
    if by.as_deref() != Some(row.by) {
        return Err(format!("{by:?} has answered: {ended:?}"));
    }
    world.until("the end of the leases", |world| world.leases().is_empty()).await;
    world.assert_no_secret(&ended.message);
    if world.end("handed-on", &execution, LIMIT).await.as_ref() != Some(&ended) {
        return Err("the answer has changed".to_owned());
    }
    Ok(took)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_breaks_loses_no_job() {
    let _turn = turn().await;
    // A minute, in which the next worker comes, is three seconds.
    let world = World::new(Clock::scaled(20.0), |_| ()).await;
    world.configure(WORKER, |config| config.timeout = Duration::from_secs(14));
    let pipeline = pipelines::custom("handed-on", "Test", "Stagegate-TestGate", "test-pass");
    world.aws.put_pipeline(&pipeline).await.unwrap();
    let mut table = "| fault of `job-worker` | answered by | as |\n|---|---|---|\n".to_owned();
    let mut problems = Vec::new();
    for row in rows() {
        let by = row.by.trim_start_matches("stagegate-");
        let code = if row.code.is_empty() { "succeeds" } else { row.code };
        table += &format!("| {} | `{by}` | `{code}` |\n", row.fault);
        let mut tried = try_row(&world, &row).await;
        // A machine that does everything at once may be late once; a guard that waits is late each time.
        for _ in 1..TRIES {
            match tried {
                Ok(took) if row.by == GUARD && took > SOON => tried = try_row(&world, &row).await,
                _ => break,
            }
        }
        match tried {
            Ok(took) if row.by == GUARD && took > SOON => {
                problems.push(format!("{}: the guard answered after {took:?}", row.fault));
            }
            Ok(took) => println!("{:65} {:6.2} s", row.fault, took.as_secs_f64()),
            Err(problem) => problems.push(format!("{}: {problem}", row.fault)),
        }
        world.switch.calls(None);
        world.switch.invokes(None);
    }
    println!("{table}");
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let page = std::fs::read_to_string(root().join("docs/fault-matrix.md")).unwrap();
    assert!(page.contains(&table), "docs/fault-matrix.md has another table than this one:\n{table}");
    world.shutdown().await;
}
