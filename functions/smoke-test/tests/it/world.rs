//! A pipeline in the local AWS with the real function in a process of its own: Source, then the smoke test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use tempfile::TempDir;

const BUCKET: &str = "artifacts";

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    folder: TempDir,
}

/// How the action ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExecutionStatus,
    /// `errorDetails.code` and `.message`, or an empty code and the summary.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) variables: Value,
    pub(crate) output: Value,
    pub(crate) execution: String,
}

impl World {
    /// A world whose source holds `files`, with the configuration `config` in the function's layer, and a clock that runs
    /// `speed` times as fast.
    pub(crate) async fn new(files: &[(&str, &str)], config: &str, speed: f64) -> Self {
        Self::with_template(files, config, speed, str::to_owned).await
    }

    /// The same, with a change to the template.
    pub(crate) async fn with_template(
        files: &[(&str, &str)],
        config: &str,
        speed: f64,
        change: impl FnOnce(&str) -> String,
    ) -> Self {
        Self::with_options(files, config, speed, change, |_| ()).await
    }

    /// The same, with a change to the options of the local AWS.
    pub(crate) async fn with_options(
        files: &[(&str, &str)],
        config: &str,
        speed: f64,
        change: impl FnOnce(&str) -> String,
        set: impl FnOnce(&mut Options),
    ) -> Self {
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
        let template = std::fs::read_to_string(template).unwrap();
        std::fs::write(infra.join("template.yaml"), change(&template)).unwrap();
        let functions = PathBuf::from(env!("CARGO_BIN_EXE_smoke-test")).parent().unwrap().to_owned();
        let mut options = Options {
            source: Some(source),
            clock: Clock::scaled(speed),
            parameters: [("HookGate", "web-smoke"), ("HurlBucket", "shared")]
                .map(|(n, v)| (n.to_owned(), v.to_owned()))
                .into(),
            ..Options::new(folder.path().join("data"), infra.join("template.yaml"), Bootstraps::Partial(functions))
        };
        set(&mut options);
        Self { aws: LocalAws::start(options).await.unwrap(), folder }
    }

    /// Starts the pipeline; gives the execution's id.
    pub(crate) async fn start(&self, parameters: &str, outputs: &[&str]) -> String {
        self.start_pipeline(&pipeline(parameters, outputs)).await
    }

    async fn start_pipeline(&self, pipeline: &Value) -> String {
        self.aws.put_pipeline(pipeline).await.unwrap();
        let started = self.call("StartPipelineExecution", json!({"name": "p"})).await;
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn end(&self, execution: String) -> Ended {
        let status = self.aws.codepipeline().wait_for_execution("p", &execution).await.unwrap();
        let action = self.action(&execution).await;
        let result = &action["output"]["executionResult"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (code, message) = match &result["errorDetails"] {
            Value::Null => (String::new(), text(&result["externalExecutionSummary"])),
            details => (text(&details["code"]), text(&details["message"])),
        };
        let variables = action["output"]["outputVariables"].clone();
        Ended { status, code, message, variables, output: action["output"].clone(), execution }
    }

    pub(crate) async fn run(&self, parameters: &str, outputs: &[&str]) -> Ended {
        let execution = self.start(parameters, outputs).await;
        self.end(execution).await
    }

    /// Runs the pipeline with the smoke test as a rule that the stage's entry asks, in front of its action.
    pub(crate) async fn run_with_rule(&self, parameters: &str) -> ExecutionStatus {
        let mut pipeline = pipeline(parameters, &[]);
        let rule = json!({
            "name": "Smoke",
            "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "LambdaInvoke", "version": "1"},
            "configuration": {"FunctionName": "stagegate-smoke-test", "UserParameters": parameters},
            "inputArtifacts": [{"name": "Code"}],
        });
        pipeline["stages"][1]["beforeEntry"] = json!({"conditions": [{"result": "FAIL", "rules": [rule]}]});
        let execution = self.start_pipeline(&pipeline).await;
        self.aws.codepipeline().wait_for_execution("p", &execution).await.unwrap()
    }

    async fn action(&self, execution: &str) -> Value {
        loop {
            let filter = json!({"pipelineExecutionId": execution});
            let list = self.call("ListActionExecutions", json!({"pipelineName": "p", "filter": filter})).await;
            let actions = list["actionExecutionDetails"].as_array().unwrap();
            let ended =
                actions.iter().find(|action| action["stageName"] == "Smoke" && action["status"] != "InProgress");
            if let Some(action) = ended {
                return action.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        self.aws.codepipeline().call(operation, input).await.unwrap()
    }

    /// Adds a file to the configuration layer.
    pub(crate) fn write_layer(&self, path: &str, text: &str) {
        let path = self.folder.path().join("infra/config").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// How often an operation was called.
    pub(crate) fn calls(&self, operation: &str) -> u64 {
        self.aws.calls().into_iter().filter(|(call, _)| call.operation == operation).map(|(_, count)| count).sum()
    }

    /// The folder of the configuration layer.
    pub(crate) fn layer(&self) -> PathBuf {
        self.folder.path().join("infra/config")
    }

    /// The file in which the local S3 keeps an artifact.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> PathBuf {
        self.aws.data().join("s3").join(bucket).join(key)
    }

    /// The verdict that was kept.
    pub(crate) fn verdict(&self, execution: &str, gate: &str) -> Value {
        let mut folders = vec![self.aws.data().join("s3")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.ends_with(format!("executions/{execution}/verdicts/{gate}.json")) {
                    return serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
                }
            }
        }
        Value::Null
    }

    /// The processes of the function that belong to this world.
    pub(crate) fn processes(&self) -> Vec<u32> {
        let endpoint = self.aws.endpoint_url();
        let program = std::fs::canonicalize(env!("CARGO_BIN_EXE_smoke-test")).unwrap();
        let numbers = std::fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let number: u32 = entry.file_name().to_str()?.parse().ok()?;
            let is_program = std::fs::read_link(entry.path().join("exe")).ok()? == program;
            let environment = std::fs::read(entry.path().join("environ")).ok()?;
            let is_ours = String::from_utf8_lossy(&environment).contains(&endpoint);
            (is_program && is_ours).then_some(number)
        });
        numbers.collect()
    }

    /// Everything that functions logged.
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

fn pipeline(parameters: &str, outputs: &[&str]) -> Value {
    let action = |name: &str, category: &str, provider: &str| {
        json!({
            "name": name,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        })
    };
    let mut source = action("Source", "Source", "S3");
    source["configuration"] = json!({"S3Bucket": "sources", "S3ObjectKey": "web.zip"});
    source["outputArtifacts"] = json!([{"name": "Code"}]);
    let mut smoke = action("Smoke", "Invoke", "Lambda");
    smoke["configuration"] = json!({"FunctionName": "stagegate-smoke-test", "UserParameters": parameters});
    smoke["inputArtifacts"] = json!([{"name": "Code"}]);
    smoke["outputArtifacts"] = outputs.iter().map(|name| json!({"name": name})).collect();
    smoke["namespace"] = json!("Smoke");
    json!({
        "name": "p",
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": BUCKET},
        "pipelineType": "V2",
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Smoke", "actions": [smoke]}],
    })
}
