//! A pipeline in the local AWS: a source, and a gate that breaks as `function` does, guarded as the template says.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_aws::faults::{ApiCall, CallFault, CallFaults};
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_codepipeline::faults::Faults;
use stagegate_local_lambda::{FunctionConfig, InvocationType};
use tempfile::TempDir;

use crate::function::{BOOTSTRAP, GO};

pub(crate) const GATE: &str = "stagegate-test-gate";
pub(crate) const GUARD: &str = "stagegate-job-guard";
/// The machine is busy. What is waited for comes sooner, or never.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    folder: TempDir,
    /// The job events that went to the gate.
    events: Arc<Mutex<Vec<Value>>>,
    /// The executions of hooks that were answered.
    pub(crate) hook_executions: Arc<Mutex<Vec<String>>>,
}

/// Spoils nothing, and keeps which executions of hooks were answered.
#[derive(Default)]
struct WatchHooks(Arc<Mutex<Vec<String>>>);

impl CallFaults for WatchHooks {
    fn call(&self, call: &ApiCall<'_>) -> CallFault {
        if call.operation == "PutLifecycleEventHookExecutionStatus" {
            let input: Value = serde_json::from_slice(call.input).unwrap();
            let id = input["lifecycleEventHookExecutionId"].as_str().unwrap().to_owned();
            self.0.lock().unwrap().push(id);
        }
        CallFault::None
    }
}

/// How the gate's action ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExecutionStatus,
    /// `errorDetails.code` and `.message`, or an empty code and the summary.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl World {
    pub(crate) async fn new(clock: Clock, faults: Option<Arc<dyn Faults>>) -> Self {
        Self::with(clock, faults, |event| event).await
    }

    /// A world whose local AWS is changed before it starts.
    pub(crate) async fn changed(clock: Clock, change: impl FnOnce(&mut Options)) -> Self {
        Self::start_with(clock, None, |event| event, change).await
    }

    /// A world in which `change` happens to the events of jobs.
    pub(crate) async fn with(clock: Clock, faults: Option<Arc<dyn Faults>>, change: fn(Value) -> Value) -> Self {
        Self::start_with(clock, faults, change, |_| ()).await
    }

    async fn start_with(
        clock: Clock,
        faults: Option<Arc<dyn Faults>>,
        change: fn(Value) -> Value,
        set: impl FnOnce(&mut Options),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        std::fs::create_dir_all(&source).unwrap();
        std::fs::write(source.join("README"), "a source is never empty").unwrap();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
        let events: Arc<Mutex<Vec<Value>>> = Arc::default();
        let seen = Arc::clone(&events);
        let watch = Arc::new(WatchHooks::default());
        let hook_executions = Arc::clone(&watch.0);
        let mut options = Options {
            source: Some(source),
            clock,
            codepipeline_faults: faults,
            event_change: Some(Arc::new(move |_: &str, event: Value| {
                seen.lock().unwrap().push(event.clone());
                change(event)
            })),
            ..Options::new(
                folder.path().join("data"),
                &template,
                Bootstraps::Folder(programs(folder.path(), &template)),
            )
        };
        options.call_faults = Some(watch);
        set(&mut options);
        let aws = LocalAws::start(options).await.unwrap();
        let world = Self { aws, folder, events, hook_executions };
        let go = world.go().to_str().unwrap().to_owned();
        world.change(GATE, |gate| drop(gate.environment.insert(GO.to_owned(), go)));
        world
    }

    fn go(&self) -> PathBuf {
        self.folder.path().join("go")
    }

    /// Changes the settings of a function, as a deployment would.
    pub(crate) fn change(&self, function: &str, change: impl FnOnce(&mut FunctionConfig)) {
        let mut config = self.aws.lambda().function(function).unwrap();
        change(&mut config);
        self.aws.lambda().update_function(config).unwrap();
    }

    /// Starts the pipeline with a gate that breaks in this way, as soon as it may.
    pub(crate) async fn start(&self, how: &str) -> String {
        self.aws.put_pipeline(&pipeline(how)).await.unwrap();
        let started = self.call("StartPipelineExecution", json!({"name": "p"})).await;
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    /// Lets the gate break.
    pub(crate) fn let_go(&self) {
        std::fs::write(self.go(), "").unwrap();
    }

    /// Waits for the end of an execution.
    pub(crate) async fn ended(&self, execution: &str) -> Ended {
        let waiting = self.aws.codepipeline().wait_for_execution("p", execution);
        let status = tokio::time::timeout(LIMIT, waiting).await.expect("the execution ends").unwrap();
        let filter = json!({"pipelineExecutionId": execution});
        let list = self.call("ListActionExecutions", json!({"pipelineName": "p", "filter": filter})).await;
        let actions = list["actionExecutionDetails"].as_array().unwrap();
        let gate = actions.iter().find(|action| action["stageName"] == "Gate").unwrap();
        let result = &gate["output"]["executionResult"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (code, message) = match &result["errorDetails"] {
            Value::Null => (String::new(), text(&result["externalExecutionSummary"])),
            details => (text(&details["code"]), text(&details["message"])),
        };
        Ended { status, code, message }
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Value {
        self.aws.codepipeline().call(operation, input).await.unwrap()
    }

    /// The job that the gate got.
    pub(crate) fn job(&self) -> Value {
        self.events.lock().unwrap().last().unwrap().clone()
    }

    /// Has the guard take an event, and gives its response.
    pub(crate) async fn guard(&self, event: &Value) -> Value {
        let done = self.aws.lambda().invoke(GUARD, event.to_string(), InvocationType::RequestResponse).await.unwrap();
        serde_json::from_slice(&done.payload).unwrap()
    }

    /// How often a function called `PutJob*Result`.
    pub(crate) fn answers(&self, function: &str) -> u64 {
        self.calls(function, "PutJob")
    }

    /// How often a function called operations whose names begin so.
    pub(crate) fn calls(&self, function: &str, operation: &str) -> u64 {
        let calls = self.aws.calls();
        let of = calls.iter().filter(|(call, _)| call.operation.starts_with(operation));
        of.filter(|(call, _)| call.function.as_deref() == Some(function)).map(|(_, count)| count).sum()
    }

    /// The leases in the state bucket.
    pub(crate) fn leases(&self) -> Vec<PathBuf> {
        let buckets = std::fs::read_dir(self.aws.data().join("s3")).unwrap().flatten();
        let folders = buckets.filter_map(|bucket| std::fs::read_dir(bucket.path().join("jobs")).ok());
        let files = folders.flat_map(|folder| folder.flatten().map(|entry| entry.path()));
        files.filter(|file| file.extension().is_some_and(|extension| extension == "json")).collect()
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < LIMIT, "{what} never came; log:\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Everything that the functions logged.
    pub(crate) fn logs(&self) -> String {
        self.texts(&self.aws.data().join("logs"))
    }

    fn texts(&self, root: &Path) -> String {
        let (mut text, mut folders) = (String::new(), vec![root.to_owned()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => text += &String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()),
                }
            }
        }
        text
    }

    /// No credentials of any job stand in a log, in a bucket or in this text.
    pub(crate) fn assert_no_secret(&self, text: &str) {
        let kept = self.logs() + &self.texts(&self.aws.data().join("s3")) + text;
        let events = self.events.lock().unwrap();
        assert!(!events.is_empty());
        for event in events.iter() {
            let credentials = &event["CodePipeline.job"]["data"]["artifactCredentials"];
            for name in ["secretAccessKey", "sessionToken"] {
                let secret = credentials[name].as_str().unwrap();
                assert!(!secret.is_empty() && !kept.contains(secret), "{name} is somewhere it must not be");
            }
        }
    }
}

/// A folder with a program for each function of the template: the guard is itself, and everything else is a gate of
/// this test.
fn programs(folder: &Path, template: &Path) -> PathBuf {
    let programs = folder.join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    let test = std::env::current_exe().unwrap();
    let script = format!("#!/bin/sh\nexec {} --exact {BOOTSTRAP} --nocapture\n", test.display());
    let text = std::fs::read_to_string(template).unwrap();
    for binary in text.lines().filter_map(|line| line.trim().strip_prefix("Binary: ")) {
        let program = programs.join(binary);
        if binary == "job-guard" {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_job-guard"), program).unwrap();
            continue;
        }
        std::fs::write(&program, &script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    programs
}

fn pipeline(how: &str) -> Value {
    let action = |name: &str, category: &str, provider: &str| {
        json!({
            "name": name,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        })
    };
    let mut source = action("Source", "Source", "S3");
    source["configuration"] = json!({"S3Bucket": "sources", "S3ObjectKey": "web.zip"});
    source["outputArtifacts"] = json!([{"name": "Reports"}]);
    let mut gate = action("Gate", "Invoke", "Lambda");
    let parameters = json!({"gate": how, "pipeline": "p", "execution": "#{codepipeline.PipelineExecutionId}"});
    gate["configuration"] = json!({"FunctionName": GATE, "UserParameters": parameters.to_string()});
    gate["inputArtifacts"] = json!([{"name": "Reports"}]);
    json!({
        "name": "p",
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "pipelineType": "V2",
        "executionMode": "PARALLEL",
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Gate", "actions": [gate]}],
    })
}
