//! The fault matrix: ways to break a gate, who answers its job then, and with what. `docs/fault-matrix.md` is this table.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_codepipeline::faults::{CallFault, EventFault, FaultPlan, Faults, Refusal, When};
use stagegate_local_lambda::{FunctionConfig, InvocationType};

use crate::function::START;
use crate::world::{Ended, GATE, GUARD, World};

/// Who gives the answer that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Function,
    Guard,
}

impl By {
    fn name(self) -> &'static str {
        match self {
            Self::Function => "the function",
            Self::Guard => "`job-guard`",
        }
    }
}

struct Row {
    fault: &'static str,
    /// What the gate does.
    how: &'static str,
    /// Whether the function gets as far as to have a lease.
    works: bool,
    change: fn(&mut FunctionConfig),
    /// What becomes of the job's event on its way.
    event: fn(Value) -> Value,
    /// Whether the event comes twice, the second one while the first is worked on.
    twice: bool,
    calls: fn() -> Option<FaultPlan>,
    by: By,
    code: &'static str,
    /// The beginning of the text; what varies is left out of it.
    text: &'static str,
}

const ROW: Row = Row {
    fault: "",
    how: "pass",
    works: true,
    change: |_| {},
    event: |event| event,
    twice: false,
    calls: || None,
    by: By::Guard,
    code: "JobFailed",
    text: "",
};

fn refusing(status: u16, when: When) -> Option<FaultPlan> {
    let refusal = Refusal::of_status(status);
    Some(FaultPlan::seeded(1).on_call("PutJobSuccessResult", when, CallFault::Refuse(refusal)))
}

fn rows() -> Vec<Row> {
    vec![
        Row { fault: "none", by: By::Function, code: "", text: "all is well", ..ROW },
        Row { fault: "a bad result", how: "fail", by: By::Function, text: "3 tests failed", ..ROW },
        Row { fault: "panic", how: "panic", by: By::Function, text: "the function panicked: the gate panics", ..ROW },
        Row {
            fault: "a thread that never yields",
            how: "block",
            change: |gate| gate.timeout = Duration::from_secs(8),
            by: By::Function,
            text: "the function had no result after",
            ..ROW
        },
        Row {
            fault: "an answer that is awaited and never comes",
            how: "await",
            change: |gate| gate.timeout = Duration::from_secs(8),
            by: By::Function,
            text: "the function had no result after",
            ..ROW
        },
        Row {
            fault: "the event's data are broken",
            works: false,
            event: |mut event| {
                event["CodePipeline.job"]["data"] = Value::Null;
                event
            },
            by: By::Function,
            text: "failed to read the job event: `CodePipeline.job.data` is missing",
            ..ROW
        },
        Row {
            fault: "the event comes twice at once",
            twice: true,
            by: By::Function,
            code: "",
            text: "all is well",
            ..ROW
        },
        Row {
            fault: "SIGKILL, and there is no state bucket",
            how: "kill",
            works: false,
            change: |gate| drop(gate.environment.remove("STAGEGATE_STATE_BUCKET")),
            code: "SystemUnavailable",
            text: "stagegate-test-gate was killed; if it happens again",
            ..ROW
        },
        Row { fault: "SIGKILL", how: "kill", code: "SystemUnavailable", text: "stagegate-test-gate was killed", ..ROW },
        Row { fault: "abort", how: "abort", text: "stagegate-test-gate crashed", ..ROW },
        Row { fault: "stack overflow", how: "overflow", text: "stagegate-test-gate crashed", ..ROW },
        Row {
            fault: "exit in the middle of the work",
            how: "exit",
            text: "stagegate-test-gate ended in the middle of its work",
            ..ROW
        },
        Row { fault: "out of memory", how: "memory", text: "stagegate-test-gate ran out of memory at 256 MB", ..ROW },
        Row {
            fault: "the whole process stands still",
            how: "stop",
            change: |gate| gate.timeout = Duration::from_secs(6),
            text: "stagegate-test-gate was stopped after 6 s, when its time was over",
            ..ROW
        },
        Row {
            fault: "exit at the start",
            works: false,
            change: |gate| drop(gate.environment.insert(START.to_owned(), "exit".to_owned())),
            text: "stagegate-test-gate ended at its start, or a moment later, with exit status 7",
            ..ROW
        },
        Row {
            fault: "abort at the start",
            works: false,
            change: |gate| drop(gate.environment.insert(START.to_owned(), "abort".to_owned())),
            text: "stagegate-test-gate crashed",
            ..ROW
        },
        Row {
            fault: "the answer is refused with 429, twice",
            calls: || refusing(429, When::First(2)),
            by: By::Function,
            code: "",
            text: "all is well",
            ..ROW
        },
        Row {
            fault: "the answer is refused with 500, three times",
            calls: || refusing(500, When::First(3)),
            by: By::Function,
            code: "",
            text: "all is well",
            ..ROW
        },
        Row {
            fault: "the answer is refused with 400",
            calls: || {
                let code = "ValidationException".to_owned();
                let refusal = Refusal { status: 400, code, message: "an injected fault".to_owned() };
                let fault = CallFault::Refuse(refusal);
                Some(FaultPlan::seeded(1).on_call("PutJobSuccessResult", When::Always, fault))
            },
            by: By::Function,
            text: "CodePipeline refused the success that the function reported",
            ..ROW
        },
        Row {
            fault: "the answer is refused with 403",
            calls: || refusing(403, When::Always),
            by: By::Function,
            code: "PermissionError",
            text: "the success could not be reported: allow codepipeline:PutJobSuccessResult",
            ..ROW
        },
        Row {
            fault: "the connection ends before the answer is taken",
            calls: || Some(FaultPlan::seeded(1).on_call("PutJobSuccessResult", When::First(1), CallFault::CutOff)),
            by: By::Function,
            code: "",
            text: "all is well",
            ..ROW
        },
        Row {
            fault: "the connection ends after the answer is taken",
            calls: || {
                Some(FaultPlan::seeded(1).on_call("PutJobSuccessResult", When::First(1), CallFault::CutOffAfterwards))
            },
            by: By::Function,
            code: "",
            text: "all is well",
            ..ROW
        },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_has_one_answer() {
    let mut table = "| fault | answered by | as | the text begins with |\n|---|---|---|---|\n".to_owned();
    let mut times = String::new();
    for row in rows() {
        let (ended, took) = run(&row).await;
        let code = if row.code.is_empty() { "succeeded" } else { row.code };
        table += &format!("| {} | {} | `{code}` | {} |\n", row.fault, row.by.name(), row.text);
        times += &format!("{:45} {:12} {:6.2} s  {}\n", row.fault, row.by.name(), took.as_secs_f64(), ended.message);
    }
    // `cargo test -p job-guard --test it every_fault -- --nocapture` shows it.
    println!("{table}\n{times}");
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fault-matrix.md")).unwrap();
    assert!(page.contains(&table), "docs/fault-matrix.md has another table than this one:\n{table}");
}

async fn run(row: &Row) -> (Ended, Duration) {
    let fault = row.fault;
    let faults = (row.calls)().map(|plan| Arc::new(plan) as Arc<dyn Faults>);
    let world = World::with(Clock::system(), faults, row.event).await;
    world.change(GATE, row.change);
    let execution = world.start(row.how).await;
    if row.works {
        world.until("the lease", |world| !world.leases().is_empty()).await;
    }
    if row.twice {
        let again = world.aws.lambda().invoke(GATE, world.job().to_string(), InvocationType::Event).await;
        assert_eq!(again.unwrap().function_error, None);
        world.until("the second job", |world| world.logs().matches("job started").count() == 2).await;
    }
    world.let_go();
    let from = Instant::now();
    let ended = world.ended(&execution).await;
    let took = from.elapsed();
    let expected = if row.code.is_empty() { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
    assert_eq!((ended.status, ended.code.as_str()), (expected, row.code), "{fault}: {ended:?}");
    assert!(ended.message.starts_with(row.text), "{fault}: {ended:?}");
    // With the answer the lease goes, too; the guard looks at what the function left even where it had answered.
    world.until("the end of the lease", |world| world.leases().is_empty()).await;
    let (function, guard) = (world.answers(GATE), world.answers(GUARD));
    match row.by {
        By::Function => assert!(function > 0, "{fault}: answered by the guard"),
        By::Guard => assert_eq!((function, guard), (0, 1), "{fault}: answers of function and guard"),
    }
    world.assert_no_secret(&ended.message);
    // A late record, or the same one again, changes nothing.
    let record = serde_json::json!({
        "requestContext": {"condition": "RetriesExhausted", "requestId": "late"}, "requestPayload": world.job(),
    });
    let again: Value = world.guard(&record).await;
    assert_eq!(again, serde_json::json!({"answered": 0, "already_answered": 1, "in_progress": 0}), "{fault}");
    let after = world.ended(&execution).await;
    assert_eq!((after.status, &after.code, &after.message), (ended.status, &ended.code, &ended.message), "{fault}");
    world.aws.shutdown().await;
    (ended, took)
}

/// CodePipeline that takes no answer until it is told to.
struct Down {
    status: u16,
    over: AtomicBool,
}

impl Down {
    fn with(status: u16) -> Arc<Self> {
        Arc::new(Self { status, over: AtomicBool::new(false) })
    }
}

impl Faults for Down {
    fn call(&self, operation: &str) -> CallFault {
        let is_down = operation.starts_with("PutJob") && !self.over.load(Ordering::SeqCst);
        if is_down { CallFault::Refuse(Refusal::of_status(self.status)) } else { CallFault::None }
    }

    fn event(&self, _event: &Value) -> EventFault {
        EventFault::None
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_codepipeline_did_not_take_is_given_by_the_guard() {
    // What is refused for want of a right is not tried again. The gate tries everything else until a tenth of a second
    // before the end of its time, so that a busy machine may stop it before it has told of its end.
    for status in [403, 503] {
        let down = Down::with(status);
        let world = World::new(Clock::system(), Some(Arc::clone(&down) as Arc<dyn Faults>)).await;
        world.change(GATE, |gate| gate.timeout = Duration::from_secs(4));
        let execution = world.start("pass").await;
        world.until("the lease", |world| !world.leases().is_empty()).await;
        world.let_go();
        let is_over = |world: &World| match status {
            403 => world.logs().contains("failed to answer job"),
            _ => world.answers(GUARD) > 0,
        };
        world.until("the end of the gate's tries", is_over).await;
        down.over.store(true, Ordering::SeqCst);
        let ended = world.ended(&execution).await;
        assert_eq!(ended.status, ExecutionStatus::Failed, "{ended:?}");
        let is_told = ended.code == "SystemUnavailable"
            && ended.message.contains("did its work and could not deliver its answer");
        let is_stopped =
            ended.code == "JobFailed" && ended.message.contains("was stopped after 4 s, when its time was over");
        assert!(is_told || is_stopped && status == 503, "{status}: {ended:?}");
        world.until("the end of the lease", |world| world.leases().is_empty()).await;
        world.aws.shutdown().await;
    }
}

/// Whatever becomes of the guard's own tries, the sweep knows of the death.
#[tokio::test(flavor = "multi_thread")]
async fn a_death_that_the_guard_cannot_answer_in_all_its_tries_is_answered_by_the_sweep() {
    let down = Down::with(403);
    let world = World::new(Clock::scaled(60.0), Some(Arc::clone(&down) as Arc<dyn Faults>)).await;
    // It dies before it could have a lease.
    world.change(GATE, |gate| drop(gate.environment.insert(START.to_owned(), "exit".to_owned())));
    let execution = world.start("pass").await;
    world.until("three tries", |world| world.answers(GUARD) >= 3).await;
    assert_eq!(world.leases().len(), 1, "{}", world.logs());
    down.over.store(true, Ordering::SeqCst);
    let ended = world.ended(&execution).await;
    assert_eq!((ended.status, ended.code.as_str()), (ExecutionStatus::Failed, "JobFailed"), "{ended:?}");
    assert!(ended.message.starts_with("stagegate-test-gate ended at its start"), "{ended:?}");
    assert!(ended.message.contains("exit status 7"), "{ended:?}");
    world.until("the end of the lease", |world| world.leases().is_empty()).await;
    world.aws.shutdown().await;
}
