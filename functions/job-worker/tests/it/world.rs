//! The local AWS with the custom actions of the template, and pipelines that use them.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stagegate_local_aws::faults::CallFaults;
use stagegate_local_aws::{Bootstraps, DeliveryFault, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::faults::Faults;
use stagegate_local_lambda::InvocationType;
use tempfile::TempDir;

use crate::function::{BOOTSTRAP, SEEN};

pub(crate) const WORKER: &str = "stagegate-job-worker";
/// The machine is busy. What is waited for comes sooner, or never.
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    folder: TempDir,
}

/// What is different in a world.
#[derive(Default)]
pub(crate) struct Setting {
    pub(crate) clock: Option<Clock>,
    pub(crate) faults: Option<Arc<dyn Faults>>,
    /// Faults of other services than CodePipeline.
    pub(crate) call_faults: Option<Arc<dyn CallFaults>>,
    pub(crate) deliveries: Option<DeliveryFault>,
}

impl World {
    pub(crate) async fn new(setting: Setting) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        std::fs::create_dir_all(&source).unwrap();
        std::fs::write(source.join("README"), "a source is never empty").unwrap();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
        let seen = folder.path().join("seen").to_str().unwrap().to_owned();
        let bootstraps = Bootstraps::Partial(programs(folder.path(), &template));
        let aws = LocalAws::start(Options {
            source: Some(source),
            clock: setting.clock.unwrap_or_else(Clock::system),
            parameters: BTreeMap::from([("CustomActions".to_owned(), "on".to_owned())]),
            environment: BTreeMap::from([(SEEN.to_owned(), seen)]),
            codepipeline_faults: setting.faults,
            call_faults: setting.call_faults,
            delivery_fault: setting.deliveries,
            ..Options::new(folder.path().join("data"), &template, bootstraps)
        });
        Self { aws: aws.await.unwrap(), folder }
    }

    /// Runs a pipeline with one custom action, and gives the action execution when it has ended.
    pub(crate) async fn run(&self, properties: Value) -> Value {
        let started = self.start(properties).await;
        self.ended(&started).await
    }

    pub(crate) async fn start(&self, properties: Value) -> String {
        self.aws.put_pipeline(&pipeline(properties)).await.unwrap();
        self.start_again().await
    }

    pub(crate) async fn start_again(&self) -> String {
        let started = self.call("StartPipelineExecution", json!({"name": "p"})).await;
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn ended(&self, execution: &str) -> Value {
        let waiting = self.aws.codepipeline().wait_for_execution("p", execution);
        tokio::time::timeout(LIMIT, waiting).await.expect("the execution ends");
        self.action(execution).await.unwrap()
    }

    /// The gate's action execution, once it has begun.
    pub(crate) async fn action(&self, execution: &str) -> Option<Value> {
        let filter = json!({"pipelineExecutionId": execution});
        let list = self.call("ListActionExecutions", json!({"pipelineName": "p", "filter": filter})).await;
        list["actionExecutionDetails"].as_array().unwrap().iter().find(|action| action["stageName"] == "Gate").cloned()
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Value {
        self.aws.codepipeline().call(operation, input).await.unwrap()
    }

    /// Has a worker look for jobs, and gives what it did.
    pub(crate) async fn work(&self) -> Value {
        let done = self.aws.lambda().invoke(WORKER, "{}", InvocationType::RequestResponse).await.unwrap();
        serde_json::from_slice(&done.payload).unwrap()
    }

    /// The ids of the jobs that the gate got, in order.
    pub(crate) fn seen(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join("seen")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The leases of jobs on their way in the state bucket, without those that only say that a gate has the job.
    pub(crate) fn handovers(&self) -> Vec<PathBuf> {
        let buckets = std::fs::read_dir(self.aws.data().join("s3")).unwrap().flatten();
        let folders = buckets.filter_map(|bucket| std::fs::read_dir(bucket.path().join("handovers")).ok());
        let files = folders.flat_map(|folder| folder.flatten().map(|entry| entry.path()));
        let files = files.filter(|file| file.extension().is_some_and(|extension| extension == "json"));
        let is_handed_on = |text: String| text.contains(r#""handover":"handed_on""#);
        files.filter(|file| !std::fs::read_to_string(file).is_ok_and(is_handed_on)).collect()
    }

    /// Everything that the functions logged.
    pub(crate) fn logs(&self) -> String {
        let (mut text, mut folders) = (String::new(), vec![self.aws.data().join("logs")]);
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

    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self).await {
            assert!(started.elapsed() < LIMIT, "{what} never came; log:\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The worker is itself, the test gate is the one of this test, and the other functions are not there.
fn programs(folder: &Path, template: &Path) -> PathBuf {
    let programs = folder.join("programs");
    std::fs::create_dir_all(&programs).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_job-worker"), programs.join("job-worker")).unwrap();
    assert!(std::fs::read_to_string(template).unwrap().contains("Binary: test-gate"));
    let test = std::env::current_exe().unwrap();
    let program = programs.join("test-gate");
    std::fs::write(&program, format!("#!/bin/sh\nexec {} --exact {BOOTSTRAP} --nocapture\n", test.display())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    programs
}

fn pipeline(properties: Value) -> Value {
    let id = |category: &str, owner: &str, provider: &str| json!({"category": category, "owner": owner, "provider": provider, "version": "1"});
    json!({
        "name": "p",
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "pipelineType": "V2",
        "executionMode": "PARALLEL",
        "stages": [
            {"name": "Source", "actions": [{
                "name": "Source",
                "actionTypeId": id("Source", "AWS", "S3"),
                "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"},
                "outputArtifacts": [{"name": "Reports"}],
            }]},
            {"name": "Gate", "actions": [{
                "name": "Gate",
                "actionTypeId": id("Test", "Custom", "Stagegate-TestGate"),
                "configuration": properties,
                "inputArtifacts": [{"name": "Reports"}],
                "namespace": "TestGate",
            }]},
        ],
    })
}
