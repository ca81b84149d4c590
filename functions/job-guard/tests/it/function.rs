//! A gate that breaks as its action says. `world` has this binary started again with only this test, which then is no
//! test but the bootstrap of the function.

use std::process::Command;
use std::time::Duration;

use codepipeline_job::{Failure, Job, JobContext, Success};
use stagegate_config::UserParameters;

pub(crate) const BOOTSTRAP: &str = "function::bootstrap";
/// The file whose appearance lets the gate break.
pub(crate) const GO: &str = "TEST_GO";
/// How the function fails at its start.
pub(crate) const START: &str = "TEST_START";

#[test]
fn bootstrap() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    match std::env::var(START).as_deref() {
        Ok("exit") => std::process::exit(7),
        Ok("abort") => std::process::abort(),
        _ => {}
    }
    stagegate_gate::main(gate);
    // The harness would print a report and exit with 0.
    std::process::exit(1);
}

async fn gate(job: Job, _context: JobContext) -> Result<Success, Failure> {
    let parameters = UserParameters::parse(job.user_parameters()).expect("the tests give a gate");
    while std::env::var_os(GO).is_some_and(|file| !std::path::Path::new(&file).exists()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    match parameters.gate.as_deref().unwrap_or_default() {
        "pass" => Ok(Success::new("all is well")),
        "fail" => Err(Failure::job_failed("3 tests failed")),
        "panic" => panic!("the gate panics"),
        "block" => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        "await" => std::future::pending().await,
        "exit" => std::process::exit(7),
        "abort" => std::process::abort(),
        "kill" => signal("-KILL").await,
        "stop" => signal("-STOP").await,
        "overflow" => Err(Failure::job_failed(format!("{}", deeper(0)))),
        "memory" => {
            let mut all = Vec::new();
            loop {
                // Touched, because the system only counts what was.
                all.push(vec![1_u8; 8 << 20]);
                std::hint::black_box(&mut all);
                if all.len() > 256 {
                    return Err(Failure::job_failed("2 GB were there"));
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        unknown => panic!("the test asks for {unknown}"),
    }
}

/// Has this process get a signal, and waits for it.
async fn signal(name: &str) -> Result<Success, Failure> {
    let pid = std::process::id().to_string();
    Command::new("/bin/kill").args([name, &pid]).status().expect("kill is there");
    tokio::time::sleep(Duration::from_secs(600)).await;
    Err(Failure::job_failed("the signal did not come"))
}

#[expect(unconditional_recursion, reason = "it is there to overflow the stack")]
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 128]);
    deeper(depth + 1) + room[0]
}
