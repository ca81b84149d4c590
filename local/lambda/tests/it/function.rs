//! The function under test. `support::config` starts this binary again with only this test, which then is no test but
//! the bootstrap.

use std::io::Write;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

pub(crate) const BOOTSTRAP: &str = "function::bootstrap";
pub(crate) const START_MODE: &str = "TEST_START_MODE";

#[test]
fn bootstrap() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    match std::env::var(START_MODE).as_deref() {
        Ok("exit") => std::process::exit(7),
        Ok("hang") => std::thread::sleep(Duration::from_secs(600)),
        Ok("panic") => panic!("panicked at start"),
        Ok("raw") => crate::raw_runtime::bootstrap(),
        Ok("init-error") => crate::raw_runtime::fail_at_start(),
        Ok("exit-once") => {
            let marker = std::path::PathBuf::from(std::env::var_os("TEST_MARKER").unwrap());
            if !marker.exists() {
                std::fs::write(marker, "").unwrap();
                std::process::exit(8);
            }
            std::thread::sleep(Duration::from_millis(700));
        }
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = || runtime.block_on(lambda_runtime::run(service_fn(handle)));
    // `lambda_runtime` panics when its Runtime API answers with an error.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    if std::env::var(START_MODE).as_deref() == Ok("linger") {
        std::thread::sleep(Duration::from_secs(600));
    }
    // The harness would print a report and exit with 101; a function's main returns its error.
    std::process::exit(i32::from(!matches!(ended, Ok(Ok(())))));
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let payload = &event.payload;
    let number = |key: &str| payload[key].as_u64().unwrap_or_default();
    match payload["mode"].as_str().unwrap_or("echo") {
        "echo" => Ok(payload.clone()),
        "error" => Err("the handler says no".into()),
        "panic" => panic!("the handler panics"),
        "exit" => std::process::exit(i32::try_from(number("code"))?),
        "abort" => std::process::abort(),
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            Ok(payload.clone())
        }
        "block" => {
            std::thread::sleep(Duration::from_secs(600));
            Ok(Value::Null)
        }
        "allocate" => {
            let memory = vec![1_u8; usize::try_from(number("mb"))? << 20];
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            Ok(json!({"length": memory.len()}))
        }
        "garbage" => garbage(number("bytes")),
        "large" => Ok("x".repeat(usize::try_from(number("bytes"))?).into()),
        "child" => {
            let child = std::process::Command::new("/bin/sleep").arg("600").spawn()?;
            Ok(json!({"pid": std::process::id(), "child": child.id()}))
        }
        "describe" => Ok(describe(&event)),
        mode => Err(format!("unknown mode {mode}").into()),
    }
}

/// Bytes that are no text, and one line that is far too long.
fn garbage(bytes: u64) -> Result<Value, Error> {
    let mut out = std::io::stdout().lock();
    out.write_all(b"\xFF\xFE broken \xC3\n")?;
    out.write_all(&vec![b'x'; usize::try_from(bytes)?])?;
    out.write_all(b"\nthe last line, without an end")?;
    out.flush()?;
    Ok(json!("printed"))
}

fn describe(event: &LambdaEvent<Value>) -> Value {
    let context = &event.context;
    let mut names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
    names.sort_unstable();
    json!({
        "pid": std::process::id(),
        "names": names,
        "variables": std::env::vars().collect::<std::collections::BTreeMap<_, _>>(),
        "request_id": context.request_id,
        "deadline": context.deadline,
        "arn": context.invoked_function_arn,
        "trace": context.xray_trace_id,
        "client": context.client_context,
    })
}
