//! An engine without a shell: pipelines in a short notation, and scripts of operations and clock advances.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stagegate_local_codepipeline::declaration::ActionTypes;
use stagegate_local_codepipeline::engine::{Effect, Engine};
use stagegate_local_codepipeline::events::{Change, Event};
use stagegate_local_codepipeline::provider::{ActionFailure, ActionRequest, ActionSuccess, SourceRevision};
use stagegate_local_codepipeline::{AlarmState, ApiError, SequentialIds, Settings};

/// The action types that the tests use besides the built-in ones.
pub(crate) const PROVIDERS: [(&str, &str); 5] = [
    ("Source", "S3"),
    ("Build", "CodeBuild"),
    ("Test", "CodeBuild"),
    ("Deploy", "CodeDeploy"),
    ("Compute", "Commands"),
];

/// The name of the pipeline in every script.
pub(crate) const NAME: &str = "web";

/// Reads a pipeline such as `QUEUED Source: Source | Build: Compile Lint Pack@2 | Gate: Check*lambda Ask*manual@2`.
/// Actions build where they are not marked; those of the first stage are sources.
pub(crate) fn pipeline(notation: &str) -> Value {
    let (mode, stages) = notation.split_once(' ').unwrap();
    let mut sources = 0;
    let stages = stages.split('|').enumerate().map(|(index, stage)| {
        let (name, actions) = stage.split_once(':').unwrap();
        let actions = actions.split_whitespace().map(|action| {
            let (action, order) = action.split_once('@').unwrap_or((action, "1"));
            let (name, kind) = action.split_once('*').unwrap_or((action, if index == 0 { "source" } else { "build" }));
            sources += usize::from(index == 0);
            declare(name, kind, order.parse().unwrap(), sources)
        });
        json!({"name": name.trim(), "actions": actions.collect::<Vec<_>>()})
    });
    let stages: Vec<_> = stages.collect();
    json!({
        "name": NAME,
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "pipelineType": "V2",
        "executionMode": mode,
        "stages": stages,
    })
}

fn declare(name: &str, kind: &str, order: u32, source: usize) -> Value {
    let (category, provider, configuration) = match kind {
        "source" => ("Source", "S3", json!({"S3Bucket": "sources", "S3ObjectKey": "web.zip"})),
        "build" => ("Build", "CodeBuild", json!({"ProjectName": "web"})),
        "deploy" => ("Deploy", "CodeDeploy", json!({"ApplicationName": "web"})),
        "lambda" => ("Invoke", "Lambda", json!({"FunctionName": "gate", "UserParameters": "{\"gate\":\"web\"}"})),
        "manual" => ("Approval", "Manual", json!({})),
        "worker" => ("Test", "Bench", json!({"Project": "web", "Password": "hunter2"})),
        other => panic!("no kind of action {other}"),
    };
    let owner = if kind == "worker" { "Custom" } else { "AWS" };
    let inputs = if kind == "build" || kind == "deploy" { json!([{"name": "Source1"}]) } else { json!([]) };
    let outputs = if kind == "source" { json!([{"name": format!("Source{source}")}]) } else { json!([]) };
    json!({
        "name": name,
        "actionTypeId": {"category": category, "owner": owner, "provider": provider, "version": "1"},
        "runOrder": order,
        "configuration": configuration,
        "inputArtifacts": inputs,
        "outputArtifacts": outputs,
        "namespace": format!("{name}Vars"),
    })
}

/// Gives a stage of a pipeline a condition, with rules in a notation such as `Gate*lambda Env*variable`.
pub(crate) fn with_condition(mut pipeline: Value, stage: usize, member: &str, result: &str, rules: &str) -> Value {
    let rules: Vec<_> = rules.split_whitespace().map(|rule| declare_rule(rule.split_once('*').unwrap())).collect();
    pipeline["stages"][stage][member] = json!({"conditions": [{"result": result, "rules": rules}]});
    pipeline
}

fn declare_rule((name, kind): (&str, &str)) -> Value {
    let (provider, configuration) = match kind {
        "lambda" => ("LambdaInvoke", json!({"FunctionName": "gate", "UserParameters": "{}"})),
        "variable" => ("VariableCheck", json!({"Variable": "#{SourceVars.Branch}", "Operator": "EQ", "Value": "main"})),
        "window" => ("DeploymentWindow", json!({"Cron": "* * 12-13 ? * MON-FRI", "TimeZone": "UTC"})),
        "alarm" => ("CloudWatchAlarm", json!({"AlarmName": "web-5xx", "WaitTime": "10"})),
        "commands" => ("Commands", json!({})),
        other => panic!("no kind of rule {other}"),
    };
    let mut rule = json!({
        "name": name,
        "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": provider, "version": "1"},
        "configuration": configuration,
        "inputArtifacts": [],
    });
    if kind == "commands" {
        rule["commands"] = json!(["make smoke"]);
        rule["inputArtifacts"] = json!([{"name": "Source1"}]);
    }
    rule
}

/// The custom action type of the kind `worker`.
pub(crate) fn bench() -> Value {
    let property = |name: &str, secret: bool, queryable: bool| json!({"name": name, "required": queryable, "key": true, "secret": secret, "queryable": queryable});
    json!({
        "category": "Test",
        "provider": "Bench",
        "version": "1",
        "settings": {
            "entityUrlTemplate": "https://bench.example.com/{Config:Project}/",
            "executionUrlTemplate": "https://bench.example.com/{Config:Project}/runs/{ExternalExecutionId}",
        },
        "configurationProperties": [property("Project", false, true), property("Password", true, false)],
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 1},
    })
}

/// An engine, its time, and what it has put out.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<Event>,
    /// Provider actions that were started, by action execution id.
    pub(crate) requests: HashMap<String, ActionRequest>,
    pub(crate) cancelled: Vec<String>,
    /// The rule executions that wait for the state of an alarm.
    pub(crate) alarms: Vec<String>,
    /// The events of every job, by the id of the job.
    pub(crate) jobs: BTreeMap<String, Value>,
    /// Topic, subject and message of every notification.
    pub(crate) notifications: Vec<(String, String, Value)>,
    /// Pipeline execution ids by the names that the script gives them.
    pub(crate) names: HashMap<String, String>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let engine = Engine::new(settings, ActionTypes::with_providers(PROVIDERS), Box::new(SequentialIds::default()));
        let mut world = Self {
            engine,
            now: "2026-11-23T10:00:00Z".parse().unwrap(),
            events: Vec::new(),
            requests: HashMap::new(),
            cancelled: Vec::new(),
            alarms: Vec::new(),
            jobs: BTreeMap::new(),
            notifications: Vec::new(),
            names: HashMap::new(),
        };
        world.call("CreateCustomActionType", bench()).unwrap();
        world
    }

    /// A world with one pipeline.
    pub(crate) fn of(pipeline: &Value) -> Self {
        let mut world = Self::new();
        world.call("CreatePipeline", json!({"pipeline": pipeline})).unwrap();
        world
    }

    pub(crate) fn call(&mut self, operation: &str, input: Value) -> Result<Value, ApiError> {
        let output = self.engine.call(self.now, operation, input);
        self.drain();
        output
    }

    pub(crate) fn advance(&mut self, by: SignedDuration) {
        self.now += by;
        self.engine.tick(self.now);
        self.drain();
    }

    pub(crate) fn drain(&mut self) {
        while let Some(effect) = self.engine.next_effect() {
            match effect {
                Effect::StartAction { request, .. } => {
                    let former = self.requests.insert(request.action_execution_id.clone(), request);
                    assert!(former.is_none(), "an action execution is started once");
                }
                Effect::CancelAction { action_execution_id } => self.cancelled.push(action_execution_id),
                Effect::InvokeLambda { job_id, payload, .. } => {
                    assert!(self.jobs.insert(job_id, payload).is_none(), "a job is invoked once");
                }
                Effect::PublishApproval { topic_arn, subject, message, .. } => {
                    self.notifications.push((topic_arn, subject, serde_json::from_str(&message).unwrap()));
                }
                Effect::CheckAlarm { rule_execution_id, alarm_name } => {
                    assert_eq!(alarm_name, "web-5xx");
                    self.alarms.push(rule_execution_id);
                }
                Effect::Emit(event) => self.events.push(event),
            }
        }
    }

    pub(crate) fn start(&mut self, name: &str) -> Result<String, ApiError> {
        let output = self.call("StartPipelineExecution", json!({"name": NAME}))?;
        let id = output["pipelineExecutionId"].as_str().unwrap().to_owned();
        self.names.insert(name.to_owned(), id.clone());
        Ok(id)
    }

    /// The latest execution of an action as ListActionExecutions shows it.
    pub(crate) fn action(&mut self, execution: &str, action: &str) -> Option<Value> {
        let filter = json!({"pipelineExecutionId": self.names[execution]});
        let output = self.call("ListActionExecutions", json!({"pipelineName": NAME, "filter": filter})).unwrap();
        let list = output["actionExecutionDetails"].as_array().unwrap();
        list.iter().find(|detail| detail["actionName"] == action).cloned()
    }

    /// The id of the running execution of an action.
    pub(crate) fn running(&mut self, execution: &str, action: &str) -> String {
        let detail =
            self.action(execution, action).unwrap_or_else(|| panic!("{action} of {execution} was not started"));
        assert_eq!(detail["status"], "InProgress", "{action} of {execution}");
        detail["actionExecutionId"].as_str().unwrap().to_owned()
    }

    /// The id of the job that waits for an answer, or the last one.
    pub(crate) fn job(&mut self, execution: &str, action: &str) -> String {
        let action = self.action(execution, action).unwrap()["actionExecutionId"].clone();
        self.job_of(action.as_str().unwrap())
    }

    fn job_of(&mut self, action: &str) -> String {
        let ids: Vec<_> = self.jobs.keys().cloned().collect();
        let of_action = ids.into_iter().rev().find(|id| {
            let details = self.engine.call(self.now, "GetJobDetails", json!({"jobId": id}));
            details.is_ok_and(|details| {
                details["jobDetails"]["data"]["pipelineContext"]["action"]["actionExecutionId"] == action
            })
        });
        of_action.expect("the action has a job")
    }

    /// The latest execution of a rule as ListRuleExecutions shows it.
    pub(crate) fn rule(&mut self, execution: &str, rule: &str) -> Option<Value> {
        let filter = json!({"pipelineExecutionId": self.names[execution]});
        let output = self.call("ListRuleExecutions", json!({"pipelineName": NAME, "filter": filter})).unwrap();
        let list = output["ruleExecutionDetails"].as_array().unwrap();
        list.iter().find(|detail| detail["ruleName"] == rule).cloned()
    }

    /// The status of a stage's condition (`Prod.beforeEntry`).
    fn condition(&mut self, stage: &str, member: &str) -> Option<String> {
        let state = self.call("GetPipelineState", json!({"name": NAME})).unwrap();
        let stages = state["stageStates"].as_array().unwrap();
        let stage = stages.iter().find(|state| state["stageName"] == stage)?;
        Some(stage[format!("{member}ConditionState")]["latestExecution"]["status"].as_str()?.to_owned())
    }

    /// Ends a rule that somebody outside works on.
    fn end_rule(&mut self, execution: &str, rule: &str, well: bool) {
        let detail = self.rule(execution, rule).unwrap_or_else(|| panic!("rule {rule} of {execution} was not started"));
        let id = detail["ruleExecutionId"].as_str().unwrap().to_owned();
        if self.requests.contains_key(&id) {
            let failure = ActionFailure::new("JobFailed", "it broke");
            let result = if well { Ok(ActionSuccess::default()) } else { Err(failure) };
            self.engine.action_finished(self.now, &id, result);
            self.drain();
            return;
        }
        let job = self.job_of(&id);
        let failure = json!({"type": "JobFailed", "message": "it broke"});
        let result = match well {
            true => self.call("PutJobSuccessResult", json!({"jobId": job})),
            false => self.call("PutJobFailureResult", json!({"jobId": job, "failureDetails": failure})),
        };
        result.unwrap();
    }

    /// Tells the state of the alarm that was asked for last.
    pub(crate) fn tell_alarm(&mut self, state: AlarmState) {
        let rule = self.alarms.pop().expect("somebody has asked for the alarm");
        self.engine.alarm_checked(self.now, &rule, Ok(state));
        self.drain();
    }

    pub(crate) fn execution(&mut self, name: &str) -> Value {
        let input = json!({"pipelineName": NAME, "pipelineExecutionId": self.names[name]});
        self.call("GetPipelineExecution", input).unwrap()["pipelineExecution"].take()
    }

    fn finish(&mut self, execution: &str, action: &str, variables: &[&str]) {
        let detail =
            self.action(execution, action).unwrap_or_else(|| panic!("{action} of {execution} was not started"));
        let variables = variables.iter().map(|pair| pair.split_once('=').unwrap());
        let variables: BTreeMap<_, _> = variables.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        if detail["input"]["actionTypeId"]["provider"] == "Lambda" {
            let job = self.job(execution, action);
            let input = json!({"jobId": job, "outputVariables": variables});
            self.call("PutJobSuccessResult", input).unwrap();
            return;
        }
        let id = self.running(execution, action);
        let source = detail["input"]["actionTypeId"]["category"] == "Source";
        let revision = source.then(|| SourceRevision { id: "abc123".into(), summary: "a change".into(), url: None });
        let success = ActionSuccess { output_variables: variables, revision, ..ActionSuccess::default() };
        self.engine.action_finished(self.now, &id, Ok(success));
        self.drain();
    }

    pub(crate) fn fail(&mut self, execution: &str, action: &str) {
        let id = self.running(execution, action);
        self.engine.action_finished(self.now, &id, Err(ActionFailure::new("JobFailed", "it broke")));
        self.drain();
    }

    pub(crate) fn token(&mut self, stage: &str, action: &str) -> Option<String> {
        let state = self.call("GetPipelineState", json!({"name": NAME})).unwrap();
        let stages = state["stageStates"].as_array().unwrap();
        let stage = stages.iter().find(|state| state["stageName"] == stage)?;
        let action = stage["actionStates"].as_array().unwrap().iter().find(|state| state["actionName"] == action)?;
        Some(action["latestExecution"]["token"].as_str()?.to_owned())
    }

    fn approve(&mut self, execution: &str, action: &str, status: &str) -> Result<Value, ApiError> {
        let detail = self.action(execution, action).unwrap();
        let token = &detail["output"]["executionResult"]["externalExecutionId"];
        let result = json!({"summary": "by a test", "status": status});
        let (stage, action) = (&detail["stageName"], &detail["actionName"]);
        self.call(
            "PutApprovalResult",
            json!({"pipelineName": NAME, "stageName": stage, "actionName": action, "result": result, "token": token}),
        )
    }

    /// Runs one line of a script. `! Code` at its end expects an error.
    pub(crate) fn run(&mut self, line: &str) {
        let (command, error) =
            line.split_once('!').map_or((line, None), |(command, code)| (command, Some(code.trim())));
        let words: Vec<_> = command.split_whitespace().collect();
        let result = self.command(&words);
        assert_eq!(result.as_ref().err().map(|error| error.code), error, "{line}: {result:?}");
    }

    fn command(&mut self, words: &[&str]) -> Result<Value, ApiError> {
        match words {
            ["start", name] => self.start(name).map(Value::from),
            ["done", execution, action, variables @ ..] => {
                self.finish(execution, action, variables);
                Ok(Value::Null)
            }
            ["fail", execution, action] => {
                self.fail(execution, action);
                Ok(Value::Null)
            }
            ["continue", execution, action, token] => {
                let job = self.job(execution, action);
                self.call("PutJobSuccessResult", json!({"jobId": job, "continuationToken": token}))
            }
            ["approve", execution, action] => self.approve(execution, action, "Approved"),
            ["reject", execution, action] => self.approve(execution, action, "Rejected"),
            ["stop", execution, how] => {
                let (id, abandon) = (&self.names[*execution], *how == "abandon");
                let input = json!({"pipelineName": NAME, "pipelineExecutionId": id, "abandon": abandon});
                self.call("StopPipelineExecution", input)
            }
            ["retry", execution, stage, mode] => {
                let id = &self.names[*execution];
                let input =
                    json!({"pipelineName": NAME, "stageName": stage, "pipelineExecutionId": id, "retryMode": mode});
                self.call("RetryStageExecution", input)
            }
            ["disable", stage, direction] => {
                let input =
                    json!({"pipelineName": NAME, "stageName": stage, "transitionType": direction, "reason": "freeze"});
                self.call("DisableStageTransition", input)
            }
            ["enable", stage, direction] => {
                let input = json!({"pipelineName": NAME, "stageName": stage, "transitionType": direction});
                self.call("EnableStageTransition", input)
            }
            ["rule-done", execution, rule] => {
                self.end_rule(execution, rule, true);
                Ok(Value::Null)
            }
            ["rule-fail", execution, rule] => {
                self.end_rule(execution, rule, false);
                Ok(Value::Null)
            }
            ["alarm", state] => {
                let found = AlarmState::ALL.into_iter().find(|known| known.as_str() == *state);
                self.tell_alarm(found.unwrap());
                Ok(Value::Null)
            }
            ["override", execution, stage, kind] => {
                let id = &self.names[*execution];
                let input =
                    json!({"pipelineName": NAME, "stageName": stage, "pipelineExecutionId": id, "conditionType": kind});
                self.call("OverrideStageCondition", input)
            }
            ["rollback", name, stage, target] => {
                let id = &self.names[*target];
                let input = json!({"pipelineName": NAME, "stageName": stage, "targetPipelineExecutionId": id});
                let output = self.call("RollbackStage", input)?;
                self.names.insert((*name).to_owned(), output["pipelineExecutionId"].as_str().unwrap().to_owned());
                Ok(output)
            }
            // Gives a name to the execution that was started last, whoever has started it.
            ["name", name] => {
                let list = self.call("ListPipelineExecutions", json!({"pipelineName": NAME})).unwrap();
                let id = list["pipelineExecutionSummaries"][0]["pipelineExecutionId"].as_str().unwrap();
                self.names.insert((*name).to_owned(), id.to_owned());
                Ok(Value::Null)
            }
            ["update"] => {
                let pipeline = self.call("GetPipeline", json!({"name": NAME})).unwrap()["pipeline"].take();
                self.call("UpdatePipeline", json!({"pipeline": pipeline}))
            }
            ["delete"] => self.call("DeletePipeline", json!({"name": NAME})),
            ["advance", time] => {
                self.advance(time.parse().unwrap());
                Ok(Value::Null)
            }
            ["expect", execution, status, rest @ ..] => {
                self.expect(execution, status, rest);
                Ok(Value::Null)
            }
            other => panic!("no command {other:?}"),
        }
    }

    /// Checks the status of an execution, the last event of its stages (`Stage=STARTED`) and the status of its actions
    /// (`.Action=Failed`), of its rules (`?Rule=Failed`) and of the conditions (`Stage:beforeEntry=Failed`); `-` is for
    /// what was not reached.
    fn expect(&mut self, name: &str, status: &str, rest: &[&str]) {
        assert_eq!(self.execution(name)["status"], status, "execution {name}");
        for word in rest {
            let (place, expected) = word.split_once('=').unwrap();
            let status = |detail: Value| detail["status"].as_str().unwrap().to_owned();
            let found = match (place.strip_prefix('.'), place.strip_prefix('?'), place.split_once(':')) {
                (Some(action), ..) => self.action(name, action).map(status),
                (_, Some(rule), _) => self.rule(name, rule).map(status),
                (.., Some((stage, member))) => self.condition(stage, member),
                _ => self.stage_event(name, place),
            };
            assert_eq!(found.as_deref().unwrap_or("-"), expected, "{place} of {name}");
        }
    }

    fn stage_event(&self, name: &str, stage: &str) -> Option<String> {
        let of_execution = self.events.iter().filter(|event| event.pipeline_execution_id == self.names[name]);
        let mut states = of_execution.filter_map(|event| match &event.change {
            Change::Stage(change) if change.stage == stage => Some(change.state.as_str().to_owned()),
            _ => None,
        });
        states.next_back()
    }
}

/// Creates a pipeline and runs a script on it, one command a line.
pub(crate) fn check(notation: &str, script: &str) {
    check_pipeline(&pipeline(notation), script);
}

/// As [`check`], for a pipeline that the notation cannot tell.
pub(crate) fn check_pipeline(pipeline: &Value, script: &str) {
    let mut world = World::of(pipeline);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        world.run(line);
    }
}
