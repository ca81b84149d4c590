//! A function that says how many events its program has had.

use std::io::Write as _;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::{Error, LambdaEvent};
use serde_json::{Value, json};

pub(crate) const BOOTSTRAP: &str = "function::bootstrap";
/// After how many events its program is started anew.
pub(crate) const EVENTS: &str = "TEST_EVENTS";

#[test]
fn bootstrap() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let events = std::env::var(EVENTS).unwrap().parse::<NonZeroU32>().unwrap();
    stagegate_process::run(stagegate_process::serve_renewed(events, handle));
    // The harness would print a report and exit with 0.
    std::process::exit(1);
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    static HAD: AtomicU32 = AtomicU32::new(0);
    let had = HAD.fetch_add(1, Ordering::Relaxed) + 1;
    match event.payload.as_str() {
        Some("fail") => Err("it fails as the test wants it".into()),
        Some("pipe") => Ok(json!(write_to_nobody().to_string())),
        Some("panic") => panic!("it panics as the test wants it"),
        _ => Ok(json!({"pid": std::process::id(), "had": had, "trace": std::env::var("_X_AMZN_TRACE_ID").ok()})),
    }
}

/// What comes of writing into a pipe that nobody reads.
fn write_to_nobody() -> std::io::Error {
    let (reader, mut writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.write_all(b"is anybody there?").unwrap_err()
}
