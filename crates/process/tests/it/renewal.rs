use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{
    FunctionCommand, FunctionConfig, HostOptions, InvocationType, LambdaHost, LogEvent, LogSink,
};

use crate::function::{BOOTSTRAP, EVENTS};

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl LogSink for Lines {
    fn write(&self, event: &LogEvent<'_>) {
        self.0.lock().unwrap().push(event.message.to_owned());
    }
}

impl Lines {
    fn count(&self, part: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

fn host(program: &Path, events: u32) -> (LambdaHost, Arc<Lines>) {
    let lines = Arc::new(Lines::default());
    let host = LambdaHost::new(Clock::system(), HostOptions { logs: lines.clone(), ..HostOptions::default() });
    let command = FunctionCommand::new(program).args(["--exact", BOOTSTRAP, "--nocapture"]);
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:counts";
    let mut config = FunctionConfig { timeout: Duration::from_secs(30), ..FunctionConfig::new("counts", arn, command) };
    config.environment.insert(EVENTS.to_owned(), events.to_string());
    host.create_function(config).unwrap();
    (host, lines)
}

fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// What the function answers, or `None` where it failed.
async fn invoke(host: &LambdaHost, event: &Value) -> Option<Value> {
    let result = host.invoke("counts", event.to_string(), InvocationType::RequestResponse).await.unwrap();
    result.function_error.is_none().then(|| serde_json::from_slice(&result.payload).unwrap())
}

/// Invokes the function once for each number, and holds how many events its program says it had against the numbers.
async fn check(host: &LambdaHost, expected: &[u64]) -> Vec<Value> {
    let mut answers = Vec::new();
    for _ in expected {
        answers.push(invoke(host, &json!("count")).await.expect("it answers"));
    }
    let had = answers.iter().map(|answer| answer["had"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(had, expected);
    assert!(answers.iter().all(|answer| answer["pid"] == answers[0]["pid"]), "it is one process: {answers:?}");
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_starts_anew_after_its_number_of_events() {
    let (host, lines) = host(&this_program(), 3);
    let answers = check(&host, &[1, 2, 3, 1, 2, 3, 1]).await;
    let mut traces = answers.iter().map(|answer| answer["trace"].as_str().unwrap()).collect::<Vec<_>>();
    traces.sort_unstable();
    traces.dedup();
    assert_eq!(traces.len(), answers.len(), "each event has its own trace");
    assert_eq!(lines.count("Init Duration"), 1, "for Lambda it is one environment: {:?}", lines.0.lock().unwrap());
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_fail_count_as_others_do() {
    let (host, lines) = host(&this_program(), 3);
    check(&host, &[1]).await;
    assert_eq!(invoke(&host, &json!("fail")).await, None);
    assert_eq!(invoke(&host, &json!("panic")).await, None);
    check(&host, &[1]).await;
    assert_eq!(lines.count("Init Duration"), 1, "for Lambda it is one environment: {:?}", lines.0.lock().unwrap());
    host.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_cannot_start_anew_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("function");
    std::fs::copy(this_program(), &copy).unwrap();
    let (host, lines) = host(&copy, 2);
    check(&host, &[1]).await;
    std::fs::remove_file(&copy).unwrap();
    check(&host, &[2, 3, 4, 5]).await;
    // What a start changes in a process before it fails does not harm it.
    assert_eq!(invoke(&host, &json!("pipe")).await, Some(json!("Broken pipe (os error 32)")));
    assert_eq!(lines.count("it could not be started anew"), 1, "{:?}", lines.0.lock().unwrap());
    host.shutdown().await;
}
