//! One cell of the matrix: a function, a way to break it, and what is expected of its job.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_aws::faults::{CallFault, CallFaults, CallPlan, InvokeFaults, InvokePlan, When};
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_lambda::FunctionConfig;

use crate::evidence::{GUARD, RELEASE_GATE, SMOKE_TEST, TEST_GATE};
use crate::pipelines;
use crate::world::{Ended, LIMIT, World};

/// The guard answers within this time after the death.
pub(crate) const SOON: Duration = Duration::from_secs(5);
/// A machine that does everything at once may be late once; a guard that waits is late each time.
pub(crate) const TRIES: usize = 3;

/// A function and where its work can be held up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    hold: (&'static str, &'static str),
}

pub(crate) const GATES: [Gate; 3] = [
    Gate { name: "test", function: TEST_GATE, hold: ("s3:GetObject", "artifacts/*") },
    Gate { name: "smoke", function: SMOKE_TEST, hold: ("s3:GetObject", "artifacts/*") },
    Gate { name: "release", function: RELEASE_GATE, hold: ("cloudwatch:DescribeAlarms", "*") },
];

impl Gate {
    /// A plan in which the server that the function asks does not answer for so long. Smoke tests and probes have a server of
    /// their own for that; a test gate asks CodeBuild's API.
    pub(crate) fn unanswered(&self, time: Duration) -> CallPlan {
        let plan = CallPlan::seeded(1);
        match self.function {
            TEST_GATE => plan.on("codebuild:*", "*", When::Always, CallFault::Slow(time)),
            _ => plan,
        }
    }

    /// A plan in which the function waits so long in the middle of its work.
    pub(crate) fn held(&self, time: Duration) -> CallPlan {
        CallPlan::seeded(1).on(self.hold.0, self.hold.1, When::Always, CallFault::Slow(time))
    }
}

/// Who gives the answer that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Function,
    Guard,
    /// There is no job that could be answered.
    Nobody,
}

/// What is expected of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) by: By,
    /// Empty for success.
    pub(crate) code: &'static str,
    /// What stands in the text.
    pub(crate) text: &'static str,
}

impl Expected {
    /// The cell in the table.
    pub(crate) fn shown(&self) -> String {
        let as_what = if self.code.is_empty() { "succeeds" } else { self.code };
        match self.by {
            By::Function => format!("itself, `{as_what}`"),
            By::Guard => format!("guard, `{as_what}`"),
            By::Nobody => "no job; an error names the keys".to_owned(),
        }
    }
}

/// When the same event comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    Never,
    AtOnce,
    Later,
}

/// A way to break functions.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    pub(crate) fault: &'static str,
    /// The end of the policy's name: `test-pass`.
    pub(crate) policy: &'static str,
    /// What goes wrong with calls, and with the function. It must be met, or the row has shown nothing; a plan without rules
    /// need not be.
    pub(crate) calls: Option<fn(&Gate) -> CallPlan>,
    pub(crate) invokes: Option<fn(&Gate) -> InvokePlan>,
    pub(crate) configure: Option<fn(&mut FunctionConfig)>,
    pub(crate) event: fn(Value) -> Value,
    pub(crate) again: Again,
    /// Of the three functions; `None` where the fault cannot happen.
    pub(crate) expected: [Option<Expected>; 3],
}

/// What came out of a cell.
pub(crate) struct Done {
    pub(crate) ended: Ended,
    /// From the start of the execution, or from the death of the function, to the answer.
    pub(crate) took: Duration,
}

/// Tries a cell.
///
/// # Errors
///
/// What was not as expected.
pub(crate) async fn run(world: &World, gate: &Gate, row: &Row, expected: &Expected) -> Result<Done, String> {
    let mut tried = 0;
    loop {
        tried += 1;
        let before = world.aws.lambda().function(gate.function).unwrap();
        if let Some(configure) = row.configure {
            world.configure(gate.function, configure);
        }
        *world.change.lock().unwrap() = row.event;
        let done = match expected.by {
            By::Nobody => foreign(world, gate).await,
            _ => attempt(world, gate, row, expected).await,
        };
        world.switch.calls(None);
        world.switch.invokes(None);
        if row.configure.is_some() {
            world.aws.lambda().update_function(before).unwrap();
        }
        let is_late = |done: &Done| expected.by == By::Guard && done.took > SOON;
        match done {
            Ok(done) if is_late(&done) && tried < TRIES => {}
            Ok(done) if is_late(&done) => return Err(format!("the guard answered after {:?}", done.took)),
            other => return other,
        }
    }
}

async fn attempt(world: &World, gate: &Gate, row: &Row, expected: &Expected) -> Result<Done, String> {
    let pipeline = format!("matrix-{}", gate.name);
    let policy = format!("{}-{}", gate.name, row.policy);
    world.aws.put_pipeline(&pipelines::lambda(&pipeline, gate.function, &policy)).await.unwrap();
    let calls = row.calls.map(|calls| Arc::new(calls(gate)));
    let invokes = row.invokes.map(|invokes| Arc::new(invokes(gate)));
    world.switch.calls(calls.clone().map(|calls| calls as Arc<dyn CallFaults>));
    world.switch.invokes(invokes.clone().map(|invokes| invokes as Arc<dyn InvokeFaults>));
    let begun = Instant::now();
    let execution = world.start(&pipeline, "matrix").await;
    if row.again == Again::AtOnce {
        world.until("the job's function", |world| attempts(world, gate, &execution) == 1).await;
        let (_, event) = job(world, &execution).unwrap();
        world.send(gate.function, &event).await;
        world.until("the second attempt", |world| attempts(world, gate, &execution) == 2).await;
    }
    let ended = world.end(&pipeline, &execution, LIMIT).await.ok_or("the job hangs")?;
    let answered = Instant::now();
    let (job, event) = job(world, &execution).ok_or("no job came")?;
    let died = world.switch.died(gate.function).filter(|died| *died >= begun);
    let took = match expected.by {
        By::Guard => answered.saturating_duration_since(died.ok_or("the function did not die")?),
        By::Function | By::Nobody => begun.elapsed(),
    };
    check(world, gate, expected, &ended, &job)?;
    if calls.is_some_and(|calls| !calls.is_empty() && calls.met().is_empty())
        || invokes.is_some_and(|plan| plan.met().is_empty())
    {
        return Err("the fault was never met".to_owned());
    }
    // What the function still does would meet the faults of the next row.
    let runs = if row.again == Again::AtOnce { 2 } else { 1 };
    world.until("the end of the function", |world| world.switch.ends_since(gate.function, begun) >= runs).await;
    if row.again == Again::Later {
        let again = world.invoke(gate.function, &event).await;
        if let Some(error) = again.function_error {
            return Err(format!("the event comes again, and the function fails: {error:?}"));
        }
    }
    // With the answer the lease goes, too; the guard looks at what the function left even where it had answered.
    world.until("the end of the lease", |world| world.leases().is_empty()).await;
    world.assert_no_secret(&ended.message);
    // A late record, or the same one again, changes nothing.
    let context = json!({"condition": "RetriesExhausted", "requestId": "late"});
    let record = json!({"requestContext": context, "requestPayload": event});
    let again: Value = serde_json::from_slice(&world.invoke(GUARD, &record).await.payload).unwrap();
    if again != json!({"answered": 0, "already_answered": 1, "in_progress": 0}) {
        return Err(format!("the guard answers once more: {again}"));
    }
    let after = world.end(&pipeline, &execution, LIMIT).await.ok_or("the job hangs")?;
    if after != ended {
        return Err(format!("the answer has changed: {ended:?}, then {after:?}"));
    }
    Ok(Done { ended, took })
}

pub(crate) fn check(world: &World, gate: &Gate, expected: &Expected, ended: &Ended, job: &str) -> Result<(), String> {
    let status = if expected.code.is_empty() { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
    if (ended.status, ended.code.as_str()) != (status, expected.code) {
        return Err(format!("{:?} and {} are expected, and it ended so: {ended:?}", status, expected.code));
    }
    if !ended.message.contains(expected.text) {
        return Err(format!("the text lacks {:?}: {ended:?}", expected.text));
    }
    let (function, guard) = (world.switch.answers(job, gate.function), world.switch.answers(job, GUARD));
    let is_so = match expected.by {
        By::Function => function > 0 && guard == 0,
        By::Guard => function == 0 && guard == 1,
        By::Nobody => function == 0 && guard == 0,
    };
    if is_so { Ok(()) } else { Err(format!("{function} answers of the function, {guard} of the guard: {ended:?}")) }
}

/// An event that holds no job: nobody can be answered, and the error says what came without showing it.
async fn foreign(world: &World, gate: &Gate) -> Result<Done, String> {
    let begun = Instant::now();
    let answers = world.switch.seen.lock().unwrap().answers.len();
    let done = world.invoke(gate.function, &json!({"Records": [{"body": "canary"}]})).await;
    let error = done.function_error.ok_or("the function takes the event")?;
    if !error.message.contains("Records") || error.message.contains("canary") {
        return Err(format!("the error names no keys, or shows values: {error:?}"));
    }
    if world.switch.seen.lock().unwrap().answers.len() != answers {
        return Err("something was answered".to_owned());
    }
    let ended = Ended { status: ExecutionStatus::Failed, code: String::new(), message: error.message };
    Ok(Done { ended, took: begun.elapsed() })
}

/// The job of an execution and its event.
pub(crate) fn job(world: &World, execution: &str) -> Option<(String, Value)> {
    let seen = world.switch.seen.lock().unwrap();
    let of_execution = |event: &Value| {
        let configuration = &event["CodePipeline.job"]["data"]["actionConfiguration"]["configuration"];
        configuration["UserParameters"].as_str().is_some_and(|parameters| parameters.contains(execution))
    };
    let found = seen.jobs.iter().find(|(_, event)| of_execution(event));
    found.map(|(job, event)| (job.clone(), event.clone()))
}

fn attempts(world: &World, gate: &Gate, execution: &str) -> u32 {
    let Some((job, _)) = job(world, execution) else { return 0 };
    let seen = world.switch.seen.lock().unwrap();
    seen.attempts.get(&(job, gate.function.to_owned())).copied().unwrap_or_default()
}
