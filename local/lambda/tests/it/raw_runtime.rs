//! A runtime that speaks the Runtime API by itself and does what `lambda_runtime` never does.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use stagegate_local_clock::Clock;

use crate::function::START_MODE;
use crate::support::{config, host_with, invoke, json};

/// Sends one request; the status and the head of the answer.
fn call(method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap();
    let length = body.len();
    let request = format!(
        "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\
         Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}

/// Breaks the rules, then answers with the statuses that it got for it, and ends without asking for another event.
pub(crate) fn bootstrap() {
    let mut statuses = vec![call("POST", "invocation/none/response", "", "1").0];
    let (status, head) = call("GET", "invocation/next", "", "");
    statuses.push(status);
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value.to_owned()).unwrap()
    };
    let path = format!("invocation/{}/response", header("lambda-runtime-aws-request-id"));
    statuses.push(call("GET", "invocation/next", "", "").0);
    statuses.push(call("POST", "invocation/other/response", "", "1").0);
    statuses.push(call("POST", &path, "Lambda-Runtime-Invocation-Id: other\r\n", "1").0);
    let own = format!("Lambda-Runtime-Invocation-Id: {}\r\n", header("lambda-runtime-invocation-id"));
    let last = call("POST", &path, &own, &json!(statuses).to_string()).0;
    std::process::exit(if last == 202 { 9 } else { 1 });
}

/// Reports that it can not start, as a runtime should.
pub(crate) fn fail_at_start() {
    let error = json!({"errorType": "Config.Missing", "errorMessage": "no policy file", "stackTrace": []});
    let (status, _) = call("POST", "init/error", "", &error.to_string());
    std::process::exit(if status == 202 { 1 } else { 2 });
}

async fn run(mode: &str) -> (stagegate_local_lambda::InvokeResult, Vec<String>) {
    let (host, recorder) = host_with(Clock::system());
    let mut config = config("web");
    config.environment.insert(START_MODE.into(), mode.into());
    host.create_function(config).unwrap();
    let result = invoke(&host, "web", json!({})).await;
    host.shutdown().await;
    (result, recorder.platform_lines("REPORT"))
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_rules_are_refused_and_an_answer_stands_when_the_process_ends_after_it() {
    let (result, reports) = run("raw").await;
    assert_eq!(json(&result), json!([403, 200, 403, 400, 400]));
    assert_eq!(result.function_error, None);
    assert!(reports[0].contains("Status: error"), "{reports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_error_of_a_failed_start_reaches_the_caller() {
    let (result, _) = run("init-error").await;
    let error = result.function_error.clone().unwrap();
    assert_eq!((error.error_type.as_str(), error.message.as_str()), ("Config.Missing", "no policy file"));
    assert_eq!(json(&result)["stackTrace"], Value::Array(Vec::new()));
}
