//! The function under test. Its process is this test binary, started again with `FUNCTION_UNDER_TEST` set.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use codepipeline_job::{Continuation, Failure, FailureKind, Job, JobContext, Lifecycle, Outcome, Success};
use serde::{Deserialize, Serialize};

/// What the handler is to do; the action's UserParameters.
#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Act {
    Succeed {
        summary: String,
        #[serde(default)]
        repeat: Option<usize>,
        #[serde(default)]
        variables: BTreeMap<String, String>,
        #[serde(default)]
        large_variable: usize,
    },
    Fail {
        kind: String,
        message: String,
    },
    Panic {
        message: String,
    },
    PanicWithNumber,
    PanicBeforeFuture,
    Await {
        ms: u64,
    },
    Block {
        ms: u64,
    },
    Spin {
        ms: u64,
    },
    Count {
        to: u32,
    },
    NeedCredentials,
}

#[derive(Default, Serialize, Deserialize)]
struct Counted {
    rounds: u32,
    note: String,
}

async fn handler(job: Job, context: JobContext) -> Result<Outcome, Failure> {
    assert!(context.sdk_config().region().is_some(), "the handler shares the AWS configuration");
    match job.parse_user_parameters()? {
        Act::Succeed { summary, repeat, variables, large_variable } => {
            let mut success = Success::new(summary.repeat(repeat.unwrap_or(1))).output_variables(variables);
            if large_variable > 0 {
                success = success.output_variable("large", "ä".repeat(large_variable / 2));
            }
            return Ok(success.percent_complete(200).into());
        }
        Act::Fail { kind, message } => return Err(Failure::new(kind_named(&kind), message)),
        Act::Panic { message } => panic!("{message}"),
        Act::PanicWithNumber => std::panic::panic_any(7_u8),
        Act::PanicBeforeFuture => panic_now(),
        Act::Await { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
        Act::Block { ms } => std::thread::sleep(Duration::from_millis(ms)),
        Act::Spin { ms } => {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_millis(ms) {
                std::hint::spin_loop();
            }
        }
        Act::Count { to } => return count(&job, to),
        Act::NeedCredentials => {
            job.artifact_credentials()?;
        }
    }
    Ok(Success::new("done").into())
}

fn panic_now() {
    panic!("before the first await");
}

fn count(job: &Job, to: u32) -> Result<Outcome, Failure> {
    let counted: Counted = job.state()?.unwrap_or_default();
    if counted.rounds == to {
        return Ok(Success::new(format!("{} rounds, {}", counted.rounds, counted.note)).into());
    }
    let next = Counted { rounds: counted.rounds + 1, note: "grüß Gott".to_owned() };
    Ok(Continuation::new(&next)?.summary(format!("round {}", next.rounds)).percent_complete(50).into())
}

fn kind_named(name: &str) -> FailureKind {
    [
        FailureKind::ConfigurationError,
        FailureKind::JobFailed,
        FailureKind::PermissionError,
        FailureKind::RevisionOutOfSync,
        FailureKind::RevisionUnavailable,
        FailureKind::SystemUnavailable,
    ]
    .into_iter()
    .find(|kind| kind.as_str() == name)
    .unwrap_or_else(|| panic!("no failure kind {name}"))
}

#[test]
#[ignore = "this is the function's process; the other tests start it"]
fn process() {
    let Ok(flavour) = std::env::var("FUNCTION_UNDER_TEST") else { return };
    let mut runtime = match flavour.as_str() {
        "one thread" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    codepipeline_job::init_logging();
    let mut lifecycle = Lifecycle::new();
    if let Ok(margin) = std::env::var("ANSWER_MARGIN_MS") {
        lifecycle = lifecycle.answer_margin(Duration::from_millis(margin.parse().unwrap()));
    }
    // A machine with one core would have one thread all the same.
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(lifecycle.run(handler)).unwrap();
}
