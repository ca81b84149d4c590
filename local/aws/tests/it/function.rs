//! The function of the tests. The local AWS starts this binary again with only this test, which then is no test but the
//! bootstrap: it writes each event into a file of `RECORD_DIR` and answers as the event asks for.

use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};
use stagegate_local_aws::Bootstraps;

const BOOTSTRAP: &str = "function::bootstrap";
const FUNCTION: &str = "recorder";

static WRITTEN: AtomicU32 = AtomicU32::new(0);

/// How the local AWS starts the function.
pub(crate) fn bootstraps() -> Bootstraps {
    Bootstraps::Program {
        program: std::env::current_exe().unwrap(),
        arguments: ["--nocapture", "--exact", BOOTSTRAP].map(str::to_owned).to_vec(),
        functions: vec![FUNCTION.to_owned()],
    }
}

#[test]
fn bootstrap() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = || runtime.block_on(lambda_runtime::run(service_fn(handle)));
    // `lambda_runtime` panics when its Runtime API ends.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    std::process::exit(0);
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let folder = std::env::var("RECORD_DIR")?;
    let name = std::env::var("AWS_LAMBDA_FUNCTION_NAME")?;
    let now = event.context.client_context.as_ref().and_then(|context| context.custom.get("now").cloned());
    let record = json!({"function": name, "event": event.payload, "now": now, "pid": std::process::id()});
    let number = WRITTEN.fetch_add(1, Ordering::SeqCst);
    let file = format!("{folder}/{}-{}-{number}.json", event.context.request_id, std::process::id());
    // A reader never sees half a file.
    std::fs::write(format!("{file}.part"), record.to_string())?;
    std::fs::rename(format!("{file}.part"), file)?;
    if std::env::var("MODE").as_deref() == Ok("abort") {
        std::process::abort();
    }
    if [&event.payload["text"], &event.payload["body"]].contains(&&json!("please fail")) {
        return Err("the event asks for it".into());
    }
    if event.payload["text"] == "please wait" {
        std::future::pending::<()>().await;
    }
    match &event.payload["rawPath"] {
        Value::String(path) if path == "/environment" => Ok(json!(std::env::vars().collect::<Vec<_>>())),
        Value::String(path) if path == "/stated" => Ok(json!({
            "statusCode": 201, "headers": {"content-type": "text/plain", "x-own": "1"},
            "body": "aGVsbG8=", "isBase64Encoded": true, "cookies": ["a=1", "b=2"],
        })),
        Value::String(path) if path == "/broken" => Ok(json!({"statusCode": 42})),
        _ => Ok(json!({"got": event.payload["body"], "is_base64": event.payload["isBase64Encoded"]})),
    }
}
