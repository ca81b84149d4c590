//! The local AWS with the functions of the template as this command plays them, and pipelines with a gate.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_aws::{Arrival, Bootstraps, LocalAws, Options, Sent};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_lambda::{FinishedAttempt, FunctionConfig, InvocationType, InvokeResult};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::evidence;
use crate::server::Server;
use crate::switch::Switch;

/// The machine is busy. What is waited for comes sooner, or never.
pub(crate) const LIMIT: Duration = Duration::from_secs(180);

/// Two of these tests at a time keep two cores busy; more would only be late.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Waits until this test may run.
pub(crate) async fn turn() -> SemaphorePermit<'static> {
    TURNS.acquire().await.unwrap()
}

/// From the event of a job to what the function gets.
pub(crate) type EventChange = fn(Value) -> Value;

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    pub(crate) switch: Arc<Switch>,
    /// Happens to the events of jobs on their way to functions.
    pub(crate) change: Arc<Mutex<EventChange>>,
    pub(crate) server: Server,
    folder: TempDir,
}

/// How the gate's action ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) status: ExecutionStatus,
    /// `errorDetails.code` and `.message`, or an empty code and the summary.
    pub(crate) code: String,
    pub(crate) message: String,
}

impl World {
    /// A world whose local AWS is changed before it starts.
    pub(crate) async fn new(clock: Clock, change: impl FnOnce(&mut Options)) -> Self {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start().await);
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for (path, text) in evidence::source(&server) {
            write(&format!("source/{path}"), &text);
        }
        write("infra/config/stagegate.yaml", &evidence::config(&server));
        write("infra/config/heavy.ics", &evidence::heavy_calendar());
        let template = std::fs::read_to_string(root().join("infra/template.yaml")).unwrap();
        write("infra/template.yaml", &template);
        let (switch, changes) = (Arc::new(Switch::default()), Arc::new(Mutex::new((|event| event) as EventChange)));
        let mut options = Options {
            source: Some(folder.path().join("source")),
            clock,
            parameters: BTreeMap::from([("CustomActions".to_owned(), "on".to_owned())]),
            ..Options::new(folder.path().join("data"), folder.path().join("infra/template.yaml"), bootstraps(&template))
        };
        options.delivery_fault = Some(Arc::new(|sent: &Sent<'_>| match is_bystander(sent.to) {
            true => Vec::new(),
            false => vec![Arrival::Now],
        }));
        options.call_faults = Some(switch.clone());
        options.invoke_faults = Some(switch.clone());
        options.attempt_observer = Some(Arc::new({
            let switch = switch.clone();
            move |attempt: &FinishedAttempt<'_>| switch.ended(attempt)
        }));
        options.event_change = Some(Arc::new({
            let (switch, changes) = (switch.clone(), changes.clone());
            move |_: &str, event: Value| {
                let job = event["CodePipeline.job"]["id"].as_str().unwrap().to_owned();
                switch.seen.lock().unwrap().jobs.insert(job, event.clone());
                let change = *changes.lock().unwrap();
                change(event)
            }
        }));
        change(&mut options);
        let aws = LocalAws::start(options).await.unwrap();
        let world = Self { aws, switch, change: changes, server, folder };
        world.alarm("green", "OK");
        world.alarm("red", "ALARM");
        world
    }

    pub(crate) fn alarm(&self, name: &str, state: &str) {
        let alarm = json!({
            "AlarmName": name, "Namespace": "Web", "MetricName": "5xx", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold",
        });
        let cloudwatch = self.aws.cloudwatch();
        cloudwatch.call("PutMetricAlarm", &alarm).unwrap();
        let state = json!({"AlarmName": name, "StateValue": state, "StateReason": "the test says so"});
        cloudwatch.call("SetAlarmState", &state).unwrap();
    }

    /// Changes the settings of a function, as a deployment would.
    pub(crate) fn configure(&self, function: &str, change: impl FnOnce(&mut FunctionConfig)) {
        let mut config = self.aws.lambda().function(function).unwrap();
        change(&mut config);
        self.aws.lambda().update_function(config).unwrap();
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Value {
        self.aws.codepipeline().call(operation, input).await.unwrap()
    }

    /// Starts an execution of a pipeline that is there; `job` is what its variable says.
    pub(crate) async fn start(&self, pipeline: &str, job: &str) -> String {
        let variables = json!([{"name": "job", "value": job}]);
        let started = self.call("StartPipelineExecution", json!({"name": pipeline, "variables": variables})).await;
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    /// Waits for the end of an execution; `None` where it does not end.
    pub(crate) async fn end(&self, pipeline: &str, execution: &str, limit: Duration) -> Option<Ended> {
        let waiting = self.aws.codepipeline().wait_for_execution(pipeline, execution);
        let status = tokio::time::timeout(limit, waiting).await.ok()?.unwrap();
        let gate = self.gate(pipeline, execution).await.unwrap_or_default();
        let result = &gate["output"]["executionResult"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (code, message) = match &result["errorDetails"] {
            Value::Null => (String::new(), text(&result["externalExecutionSummary"])),
            details => (text(&details["code"]), text(&details["message"])),
        };
        Some(Ended { status, code, message })
    }

    /// The action execution of the gate.
    pub(crate) async fn gate(&self, pipeline: &str, execution: &str) -> Option<Value> {
        let filter = json!({"pipelineExecutionId": execution});
        let list = self.call("ListActionExecutions", json!({"pipelineName": pipeline, "filter": filter})).await;
        list["actionExecutionDetails"].as_array().unwrap().iter().find(|action| action["stageName"] == "Gate").cloned()
    }

    pub(crate) async fn invoke(&self, function: &str, event: &Value) -> InvokeResult {
        self.aws.lambda().invoke(function, event.to_string(), InvocationType::RequestResponse).await.unwrap()
    }

    /// Hands a function an event and does not wait for it.
    pub(crate) async fn send(&self, function: &str, event: &Value) {
        self.aws.lambda().invoke(function, event.to_string(), InvocationType::Event).await.unwrap();
    }

    /// The leases in the state bucket, without those that only say that a gate has the job.
    pub(crate) fn leases(&self) -> Vec<PathBuf> {
        let buckets = std::fs::read_dir(self.aws.data().join("s3")).unwrap().flatten();
        let folders = buckets.flat_map(|bucket| ["jobs", "handovers", "kept"].map(|folder| bucket.path().join(folder)));
        let files = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
        let files = files.map(|file| file.path()).filter(|file| file.extension().is_some_and(|end| end == "json"));
        files.filter(|file| !is_handed_on(file)).collect()
    }

    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            assert!(started.elapsed() < LIMIT, "{what} never came; log:\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Everything that the functions logged.
    pub(crate) fn logs(&self) -> String {
        texts(&self.aws.data().join("logs"))
    }

    /// How often a function has begun with each job, by its log. An attempt that was throttled is none.
    pub(crate) fn begun(&self, function: &str) -> HashMap<String, u32> {
        let mut begun = HashMap::new();
        let log = texts(&self.aws.data().join("logs/lambda").join(function));
        for line in log.lines().filter(|line| line.contains("\"job started\"")) {
            let entry: Value = serde_json::from_str(&line[line.find('{').unwrap()..]).unwrap();
            *begun.entry(entry["job_id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
        begun
    }

    /// No credentials of any job stand in a log, in the state bucket or in this text.
    pub(crate) fn assert_no_secret(&self, text: &str) {
        let state = self.aws.data().join("s3").join(self.aws.bucket("State").unwrap());
        let kept = self.logs() + &texts(&state) + text;
        for event in self.switch.seen.lock().unwrap().jobs.values() {
            let credentials = &event["CodePipeline.job"]["data"]["artifactCredentials"];
            for name in ["secretAccessKey", "sessionToken"] {
                let Some(secret) = credentials[name].as_str() else { continue };
                assert!(!secret.is_empty() && !kept.contains(secret), "{name} is somewhere it must not be");
            }
        }
    }

    /// Ends everything.
    pub(crate) async fn shutdown(self) {
        self.aws.shutdown().await;
        drop(self.folder);
    }
}

/// Whether a function has no part in jobs: it would only keep the machine busy, with every event of hundreds of executions.
pub(crate) fn is_bystander(target: &str) -> bool {
    ["deploy-notify", "approval-request", "approval-watch"].iter().any(|name| target.contains(name))
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Whether a lease, which may be gone by now, says that a gate has the job.
fn is_handed_on(lease: &Path) -> bool {
    std::fs::read_to_string(lease).is_ok_and(|text| text.contains(r#""handover":"handed_on""#))
}

/// This command plays every function of the template.
pub(crate) fn bootstraps(template: &str) -> Bootstraps {
    let binaries = template.lines().filter_map(|line| line.trim().strip_prefix("Binary: "));
    Bootstraps::Program {
        program: PathBuf::from(env!("CARGO_BIN_EXE_stagegate")),
        arguments: vec!["bootstrap".to_owned()],
        functions: binaries.map(str::to_owned).collect(),
    }
}

fn texts(root: &Path) -> String {
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
