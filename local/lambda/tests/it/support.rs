//! A host with functions of this binary, and what it tells.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use stagegate_local_clock::Clock;
use stagegate_local_lambda::{
    DestinationRecord, DestinationSink, FunctionCommand, FunctionConfig, HostOptions, InvocationType, InvokeResult,
    LambdaHost, LogEvent, LogSink, LogSource,
};

use crate::function::BOOTSTRAP;

/// Long enough for a busy machine, short enough for a person; and shorter than the minute after which the test harness
/// in a function's process writes to a pipe that may be closed, and ends the process by that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) lines: Mutex<Vec<(LogSource, Option<String>, String)>>,
    pub(crate) records: Mutex<Vec<(String, Value)>>,
}

impl LogSink for Recorder {
    fn write(&self, event: &LogEvent<'_>) {
        let request = event.request_id.map(str::to_owned);
        self.lines.lock().unwrap().push((event.source, request, event.message.to_owned()));
    }
}

impl DestinationSink for Recorder {
    fn deliver(&self, destination_arn: &str, record: &DestinationRecord) {
        let record = serde_json::to_value(record).unwrap();
        self.records.lock().unwrap().push((destination_arn.to_owned(), record));
    }
}

impl Recorder {
    pub(crate) fn platform_lines(&self, start: &str) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let of_platform = lines.iter().filter(|(source, ..)| *source == LogSource::Platform);
        of_platform.map(|(.., line)| line.clone()).filter(|line| line.starts_with(start)).collect()
    }
}

pub(crate) fn host_with(clock: Clock) -> (LambdaHost, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::default());
    let options = HostOptions { logs: recorder.clone(), destinations: recorder.clone(), ..HostOptions::default() };
    (LambdaHost::new(clock, options), recorder)
}

pub(crate) fn arn(name: &str) -> String {
    format!("arn:aws:lambda:eu-west-1:111122223333:function:{name}")
}

pub(crate) fn config(name: &str) -> FunctionConfig {
    let program = std::env::current_exe().unwrap();
    let command = FunctionCommand::new(program).args(["--exact", BOOTSTRAP, "--nocapture"]);
    FunctionConfig { timeout: Duration::from_secs(30), ..FunctionConfig::new(name, arn(name), command) }
}

pub(crate) async fn invoke(host: &LambdaHost, name: &str, event: Value) -> InvokeResult {
    host.invoke(name, event.to_string(), InvocationType::RequestResponse).await.unwrap()
}

pub(crate) fn json(result: &InvokeResult) -> Value {
    serde_json::from_slice(&result.payload).unwrap()
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "in vain waited until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether a process of this number exists and is no zombie.
pub(crate) fn is_alive(pid: u64) -> bool {
    let out = std::process::Command::new("ps").args(["-o", "stat=", "-p", &pid.to_string()]).output().unwrap();
    let state = String::from_utf8_lossy(&out.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}
