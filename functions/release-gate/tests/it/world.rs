//! A pipeline in the local AWS: Source, Staging (an approval, which the test gives), then the gate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagegate_local_aws::{Bootstraps, EventChange, LOCAL_ACCESS_KEY, LocalAws, Options};
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_release::Override;
use stagegate_state_store::{Decision, Document, Key, StateStore};
use stagegate_verdict::{Execution, Finding, Outcome, Verdict, VerdictBuilder};
use tempfile::TempDir;

/// A Wednesday at noon.
pub(crate) const BEGIN: &str = "2026-11-25T12:00:00Z";

/// How many times faster than the wall's the clock is.
const SPEED: f64 = 60.0;

pub(crate) struct World {
    pub(crate) aws: LocalAws,
    pub(crate) clock: Clock,
    _folder: TempDir,
}

/// How the gate's action or rule ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExecutionStatus,
    pub(crate) id: String,
    /// The error's code, or nothing.
    pub(crate) code: String,
    /// The error's message, or the summary.
    pub(crate) message: String,
    pub(crate) verdict: Option<Verdict>,
}

impl World {
    /// A world whose stagegate.yaml has the gate `web` of these keys, and other files beside it.
    pub(crate) async fn new(keys: &str, files: &[(&str, &str)], change: Option<EventChange>) -> Self {
        let indented: String = keys.lines().map(|line| format!("    {line}\n")).collect();
        let folder = tempfile::tempdir().unwrap();
        let (infra, source) = (folder.path().join("infra"), folder.path().join("source"));
        std::fs::create_dir_all(infra.join("config")).unwrap();
        std::fs::create_dir_all(&source).unwrap();
        std::fs::write(infra.join("template.yaml"), template()).unwrap();
        std::fs::write(infra.join("config/stagegate.yaml"), format!("gates:\n  web:\n{indented}")).unwrap();
        std::fs::write(source.join("README"), "a source is never empty").unwrap();
        for (file, text) in files {
            let place =
                if file.starts_with("source/") { folder.path().join(file) } else { infra.join("config").join(file) };
            std::fs::write(place, text).unwrap();
        }
        let clock = Clock::starting_at(BEGIN.parse().unwrap(), SPEED);
        let functions = PathBuf::from(env!("CARGO_BIN_EXE_release-gate")).parent().unwrap().to_owned();
        let bootstraps = Bootstraps::Partial(functions);
        let aws = LocalAws::start(Options {
            source: Some(source),
            event_change: change,
            clock: clock.clone(),
            ..Options::new(folder.path().join("data"), infra.join("template.yaml"), bootstraps)
        });
        Self { aws: aws.await.unwrap(), clock, _folder: folder }
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

    /// Starts the pipeline, whose gate is an action.
    pub(crate) async fn start(&self, parameters: &Value) -> String {
        self.start_pipeline(&pipeline(parameters, false)).await
    }

    /// Starts the pipeline, whose gate is a rule for the entry into a stage.
    pub(crate) async fn start_with_rule(&self, parameters: &Value) -> String {
        self.start_pipeline(&pipeline(parameters, true)).await
    }

    async fn start_pipeline(&self, definition: &Value) -> String {
        self.aws.put_pipeline(definition).await.unwrap();
        let started = self.call("StartPipelineExecution", json!({"name": "web"})).await;
        started["pipelineExecutionId"].as_str().unwrap().to_owned()
    }

    /// Waits for the end of an execution.
    pub(crate) async fn end(&self, id: &str) -> Ended {
        let status = self.aws.codepipeline().wait_for_execution("web", id).await.unwrap();
        let filter = json!({"pipelineExecutionId": id});
        let list = self.call("ListActionExecutions", json!({"pipelineName": "web", "filter": filter})).await;
        let actions = list["actionExecutionDetails"].as_array().unwrap();
        let gate = actions.iter().find(|action| action["actionName"] == "Gate");
        let result = gate.map_or(Value::Null, |gate| gate["output"]["executionResult"].clone());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (code, message) = match &result["errorDetails"] {
            Value::Null => (String::new(), text(&result["externalExecutionSummary"])),
            details => (text(&details["code"]), text(&details["message"])),
        };
        let verdict = self.store().get(&Key::verdict(id, "web")).await.unwrap().map(|stored| stored.document);
        Ended { status, id: id.to_owned(), code, message, verdict }
    }

    pub(crate) async fn run(&self, parameters: &Value) -> Ended {
        let id = self.start(parameters).await;
        self.end(&id).await
    }

    /// Waits until the gate's action says something in which `part` stands.
    pub(crate) async fn says(&self, id: &str, part: &str) {
        loop {
            let filter = json!({"pipelineExecutionId": id});
            let list = self.call("ListActionExecutions", json!({"pipelineName": "web", "filter": filter})).await;
            let actions = list["actionExecutionDetails"].as_array().unwrap();
            let gate = actions.iter().find(|action| action["actionName"] == "Gate");
            let summary = gate.and_then(|gate| gate["output"]["executionResult"]["externalExecutionSummary"].as_str());
            assert!(gate.is_none_or(|gate| gate["status"] == "InProgress"), "{gate:?}");
            if summary.is_some_and(|summary| summary.contains(part)) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    pub(crate) async fn call(&self, operation: &str, input: Value) -> Value {
        self.aws.codepipeline().call(operation, input).await.unwrap()
    }

    /// The documents that the function sees.
    pub(crate) fn store(&self) -> StateStore {
        let credentials = aws_sdk_s3::config::Credentials::new(LOCAL_ACCESS_KEY, LOCAL_ACCESS_KEY, None, None, "test");
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new(self.aws.region().to_owned()))
            .endpoint_url(self.aws.endpoint_url())
            .credentials_provider(credentials);
        StateStore::new(config, self.aws.bucket("State").unwrap(), None)
    }

    pub(crate) async fn write<D: Document + Clone>(&self, key: &Key<D>, document: D) {
        self.store().update(key, |_| Decision::Write(document.clone())).await.unwrap();
    }

    /// Another gate's verdict about an execution, given now.
    pub(crate) async fn verdict(&self, gate: &str, execution: &str, outcome: Outcome) {
        let whose = Execution { execution: Some(execution.to_owned()), ..Execution::default() };
        let mut builder = VerdictBuilder::new(gate, whose);
        builder.finding(Finding::new("tests", outcome, "3 of 9 tests"));
        self.write(&Key::verdict(execution, gate), builder.build(self.clock.now())).await;
    }

    pub(crate) async fn give_override(&self, execution: &str, gate: &str, length: SignedDuration) {
        let now: Timestamp = self.clock.now();
        let given = Override {
            pipeline: "web".to_owned(),
            execution: execution.to_owned(),
            gate: gate.to_owned(),
            who: "erin".to_owned(),
            why: "the fix for the outage".to_owned(),
            at: now,
            until: now + length,
        };
        self.write(&Override::key(execution, gate), given).await;
    }

    /// How often the function has asked a service.
    pub(crate) fn calls(&self, service: &str, operation: &str) -> u64 {
        let calls = self.aws.calls().into_iter();
        let of = calls.filter(|(call, _)| call.service == service && call.operation == operation);
        of.map(|(_, count)| count).sum()
    }
}

/// The parts of the deployed template that make up the release gate: every resource as it stands there.
fn template() -> String {
    const KEPT: [&str; 9] = [
        "Configuration",
        "State",
        "ReleaseGate",
        "ReleaseGateLogs",
        "ReleaseGateRole",
        "JobGuard",
        "JobGuardLogs",
        "JobGuardRole",
        "DeadLetters",
    ];
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let whole = std::fs::read_to_string(file).unwrap();
    let (head, resources) = whole.split_once("\nResources:\n").unwrap();
    let resources = resources.split("\nOutputs:\n").next().unwrap();
    let mut kept = String::new();
    let mut keeps = false;
    // A schedule by a clock that is 60 times as fast would start a process each second.
    let mut is_schedule = false;
    for line in resources.lines() {
        is_schedule = line == "      Events:" || is_schedule && line.starts_with("       ");
        let name = line.strip_prefix("  ").filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()));
        if let Some(name) = name.and_then(|name| name.split(':').next()) {
            keeps = KEPT.contains(&name);
        }
        if keeps && !is_schedule {
            kept += &format!("{line}\n");
        }
    }
    format!("{head}\nResources:\n{kept}")
}

pub(crate) fn changing(change: impl Fn(Value) -> Value + Send + Sync + 'static) -> Option<EventChange> {
    Some(Arc::new(move |_: &str, event: Value| change(event)))
}

/// The parameters of an action that tell the gate everything.
pub(crate) fn parameters() -> Value {
    json!({"gate": "web", "pipeline": "web", "stage": "Production", "execution": "#{codepipeline.PipelineExecutionId}"})
}

fn pipeline(parameters: &Value, is_rule: bool) -> Value {
    let action = |name: &str, category: &str, provider: &str, configuration: Value| {
        json!({
            "name": name,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
            "configuration": configuration,
        })
    };
    let mut source = action("Source", "Source", "S3", json!({"S3Bucket": "sources", "S3ObjectKey": "web.zip"}));
    source["outputArtifacts"] = json!([{"name": "Source"}]);
    let called = json!({"FunctionName": "stagegate-release-gate", "UserParameters": parameters.to_string()});
    let mut deploy = action("Deploy", "Compute", "Commands", json!({}));
    deploy["commands"] = json!(["true"]);
    deploy["inputArtifacts"] = json!([{"name": "Source"}]);
    let mut production = json!({"name": "Production", "actions": [deploy]});
    let mut stages = vec![json!({"name": "Source", "actions": [source]})];
    if is_rule {
        let rule = json!({
            "name": "Gate",
            "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "LambdaInvoke", "version": "1"},
            "configuration": called,
        });
        production["beforeEntry"] = json!({"conditions": [{"result": "FAIL", "rules": [rule]}]});
    } else {
        let mut gate = action("Gate", "Invoke", "Lambda", called);
        gate["namespace"] = json!("ReleaseGate");
        gate["inputArtifacts"] = json!([{"name": "Source"}]);
        stages.push(json!({"name": "Gate", "actions": [gate]}));
    }
    stages.push(production);
    json!({
        "name": "web",
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "pipelineType": "V2",
        "variables": [{"name": "kind", "defaultValue": "hotfix"}],
        "stages": stages,
    })
}
