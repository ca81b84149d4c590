//! A pipeline in the local AWS with the real function in a process of its own: Source, then the gate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, EventChange, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_local_codepipeline::provider::ArtifactBucket;
use tempfile::TempDir;

pub(crate) const BUCKET: &str = "artifacts";

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    pub(crate) clock: Clock,
    folder: TempDir,
}

/// How the gate's action ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExecutionStatus,
    /// `errorDetails.code` and `.message`, or an empty code and the summary.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) variables: Value,
    /// The answers that reached CodePipeline.
    pub(crate) answers: u64,
}

impl World {
    /// A world whose source holds `files`, with the configuration `config` in the function's layer.
    pub(crate) async fn new(files: &[(&str, &str)], config: &str, change: Option<EventChange>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        for (path, text) in files.iter().chain([&("README", "a source is never empty")]) {
            let path = source.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let infra = folder.path().join("infra");
        std::fs::create_dir_all(infra.join("config")).unwrap();
        std::fs::write(infra.join("config/stagegate.yaml"), config).unwrap();
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
        std::fs::copy(template, infra.join("template.yaml")).unwrap();
        let clock = Clock::system();
        let functions = PathBuf::from(env!("CARGO_BIN_EXE_test-gate")).parent().unwrap().to_owned();
        let aws = LocalAws::start(Options {
            source: Some(source),
            event_change: change,
            clock: clock.clone(),
            ..Options::new(folder.path().join("data"), infra.join("template.yaml"), Bootstraps::Partial(functions))
        });
        Self { aws: aws.await.unwrap(), clock, folder }
    }

    /// Changes a file of the source.
    pub(crate) fn write(&self, path: &str, text: &str) {
        std::fs::write(self.folder.path().join("source").join(path), text).unwrap();
    }

    /// Everything that the state bucket holds, by key.
    pub(crate) fn state(&self) -> Vec<String> {
        let root = self.aws.data().join("s3");
        let mut keys = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => keys.push(path.strip_prefix(&root).unwrap().display().to_string()),
                }
            }
        }
        // A lease goes a moment after the answer.
        keys.retain(|key| !key.starts_with('.') && !key.starts_with(BUCKET) && !key.contains("/jobs/"));
        keys
    }

    /// Runs the pipeline to its end. Between source and gate, `tamper` may change the artifact.
    pub(crate) async fn run<F: AsyncFnOnce(&Self, &str)>(&self, parameters: Option<&str>, tamper: F) -> Ended {
        self.aws.put_pipeline(&self.pipeline(parameters)).await.unwrap();
        let gate = json!({"pipelineName": "p", "stageName": "Gate", "transitionType": "Inbound"});
        let mut hold = gate.clone();
        hold["reason"] = json!("the test changes the artifact");
        self.call("DisableStageTransition", hold).await;
        let started = self.call("StartPipelineExecution", json!({"name": "p"})).await;
        let id = started["pipelineExecutionId"].as_str().unwrap().to_owned();
        let source = self.action("Source", &id).await;
        let key = source["output"]["outputArtifacts"][0]["s3location"]["key"].as_str().unwrap().to_owned();
        tamper(self, &key).await;
        self.call("EnableStageTransition", gate).await;
        let status = self.aws.codepipeline().wait_for_execution("p", &id).await.unwrap();
        let action = self.action("Gate", &id).await;
        let result = &action["output"]["executionResult"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (code, message) = match &result["errorDetails"] {
            Value::Null => (String::new(), text(&result["externalExecutionSummary"])),
            details => (text(&details["code"]), text(&details["message"])),
        };
        let answers = self.aws.calls().into_iter().filter(|(call, _)| call.operation.starts_with("PutJob"));
        let answers = answers.map(|(_, count)| count).sum();
        Ended { status, code, message, variables: action["output"]["outputVariables"].clone(), answers }
    }

    /// The ended action of a stage. Waits for it.
    async fn action(&self, stage: &str, execution: &str) -> Value {
        loop {
            let filter = json!({"pipelineExecutionId": execution});
            let list = self.call("ListActionExecutions", json!({"pipelineName": "p", "filter": filter})).await;
            let actions = list["actionExecutionDetails"].as_array().unwrap();
            let ended = actions.iter().find(|action| action["stageName"] == stage && action["status"] != "InProgress");
            if let Some(action) = ended {
                return action.clone();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// The source is built where it has a buildspec.
    fn pipeline(&self, parameters: Option<&str>) -> Value {
        pipeline(parameters, self.folder.path().join("source/buildspec.yml").is_file())
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        self.aws.codepipeline().call(operation, input).await.unwrap()
    }

    /// The file in which the local S3 keeps an artifact.
    pub(crate) fn object(&self, key: &str) -> PathBuf {
        self.aws.data().join("s3").join(BUCKET).join(key)
    }

    pub(crate) async fn replace(&self, key: &str, body: Vec<u8>) {
        self.aws.s3().put(BUCKET, key, body).await.unwrap();
    }

    /// The log of the function once Lambda has reported on an invocation, which it does after the answer.
    pub(crate) async fn reported_logs(&self) -> String {
        loop {
            let logs = self.logs();
            if logs.contains("Max Memory Used: ") {
                return logs;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Everything that was logged by the function.
    pub(crate) fn logs(&self) -> String {
        let mut text = String::new();
        let mut folders = vec![self.folder.path().join("data/logs/lambda")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => text += &String::from_utf8_lossy(&std::fs::read(path).unwrap()),
                }
            }
        }
        text
    }
}

pub(crate) fn changing(change: impl Fn(Value) -> Value + Send + Sync + 'static) -> Option<EventChange> {
    Some(Arc::new(move |_: &str, event: Value| change(event)))
}

fn pipeline(parameters: Option<&str>, builds: bool) -> Value {
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
    gate["configuration"] = json!({"FunctionName": "stagegate-test-gate"});
    if let Some(parameters) = parameters {
        gate["configuration"]["UserParameters"] = json!(parameters);
    }
    gate["inputArtifacts"] = json!([{"name": "Reports"}]);
    gate["namespace"] = json!("TestGate");
    let mut stages = vec![json!({"name": "Source", "actions": [source]})];
    if builds {
        let mut build = action("Build", "Build", "CodeBuild");
        build["configuration"] = json!({"ProjectName": "web"});
        build["inputArtifacts"] = json!([{"name": "Reports"}]);
        build["namespace"] = json!("Build");
        stages.push(json!({"name": "Build", "actions": [build]}));
    }
    stages.push(json!({"name": "Gate", "actions": [gate]}));
    json!({
        "name": "p",
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "pipelineType": "V2",
        "stages": stages,
    })
}
