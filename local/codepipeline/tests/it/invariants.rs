//! Random pipelines under random operations: what must hold after each of them.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_local_codepipeline::declaration::Moment;
use stagegate_local_codepipeline::engine::ConditionStatus;
use stagegate_local_codepipeline::events::{Change, ExecutionChange, StageChange, State};
use stagegate_local_codepipeline::provider::{ActionFailure, ActionSuccess};
use stagegate_local_codepipeline::{AlarmState, InvokeError};

use crate::harness::{NAME, World, pipeline, with_condition};

#[derive(Clone, Debug)]
enum Operation {
    Start,
    /// Ends the provider action of this number, modulo those that were started; well or badly.
    Finish(usize, bool),
    /// Answers the job of this number.
    Answer(usize, Answer),
    /// Answers the open approval of this number.
    Decide(usize, bool),
    Stop(usize, bool),
    Retry(usize, usize, bool),
    Transition(usize, bool, bool),
    /// A worker polls, takes the job of this number and tries to take it once more.
    Take(usize),
    /// Tells the state of an alarm to the rule of this number that waits for one.
    Alarm(usize, AlarmState),
    Override(usize, usize, bool),
    Rollback(usize, usize),
    Advance(i64),
    Update,
}

/// The conditions of a stage: result and rules before entry and on success; on failure a result, and rules if any.
#[derive(Clone, Debug, Default)]
struct Conditions {
    before_entry: Option<(&'static str, Vec<&'static str>)>,
    on_success: Option<(&'static str, Vec<&'static str>)>,
    on_failure: Option<(&'static str, Vec<&'static str>)>,
}

fn conditions() -> impl Strategy<Value = Vec<Conditions>> {
    let rules = |kinds: &[&'static str]| prop::collection::vec(prop::sample::select(kinds.to_vec()), 1..4);
    let any = ["lambda", "variable", "window", "alarm", "commands"];
    let of = |results: &[&'static str]| prop::sample::select(results.to_vec());
    let entry = prop_oneof![(of(&["FAIL"]), rules(&any)), (of(&["SKIP"]), rules(&["lambda", "variable"]))];
    let success = (of(&["FAIL", "ROLLBACK"]), rules(&any));
    let failure =
        prop_oneof![(of(&["FAIL", "ROLLBACK", "RETRY"]), rules(&any)), (of(&["ROLLBACK", "RETRY"]), Just(Vec::new())),];
    let stage = (prop::option::of(entry), prop::option::of(success), prop::option::of(failure));
    let stage =
        stage.prop_map(|(before_entry, on_success, on_failure)| Conditions { before_entry, on_success, on_failure });
    prop::collection::vec(prop_oneof![2 => Just(Conditions::default()), 1 => stage], 3)
}

/// The pipeline of a notation with conditions at its stages after the source.
fn declared(notation: &str, conditions: &[Conditions]) -> Value {
    let mut declaration = pipeline(notation);
    let parallel = notation.starts_with("PARALLEL");
    let stages = declaration["stages"].as_array().unwrap().len();
    for (stage, of_stage) in (1..stages).zip(conditions) {
        let all = [
            ("beforeEntry", &of_stage.before_entry),
            ("onSuccess", &of_stage.on_success),
            ("onFailure", &of_stage.on_failure),
        ];
        for (member, condition) in all {
            let Some((result, rules)) = condition else { continue };
            // There is no rollback in the PARALLEL mode.
            let result = if parallel && *result == "ROLLBACK" { "FAIL" } else { result };
            if rules.is_empty() {
                declaration["stages"][stage][member] = json!({"result": result});
                continue;
            }
            let rules: Vec<_> = rules.iter().enumerate().map(|(index, kind)| format!("R{index}*{kind}")).collect();
            declaration = with_condition(declaration, stage, member, result, &rules.join(" "));
        }
    }
    declaration
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Success,
    Continue,
    Failure,
    Refused,
}

fn operation() -> impl Strategy<Value = Operation> {
    let answer = prop_oneof![
        3 => Just(Answer::Success),
        2 => Just(Answer::Continue),
        1 => Just(Answer::Failure),
        1 => Just(Answer::Refused),
    ];
    prop_oneof![
        4 => Just(Operation::Start),
        10 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(number, well)| Operation::Finish(number, well)),
        5 => (any::<usize>(), answer).prop_map(|(number, answer)| Operation::Answer(number, answer)),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(number, approve)| Operation::Decide(number, approve)),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(number, abandon)| Operation::Stop(number, abandon)),
        2 => (any::<usize>(), 0..4_usize, any::<bool>()).prop_map(|(number, stage, all)| Operation::Retry(number, stage, all)),
        2 => (0..4_usize, any::<bool>(), any::<bool>()).prop_map(|(stage, inbound, enable)| Operation::Transition(stage, inbound, enable)),
        5 => any::<usize>().prop_map(Operation::Take),
        3 => (any::<usize>(), prop::sample::select(AlarmState::ALL.to_vec())).prop_map(|(number, state)| Operation::Alarm(number, state)),
        1 => (any::<usize>(), 0..4_usize, any::<bool>()).prop_map(|(number, stage, entry)| Operation::Override(number, stage, entry)),
        1 => (any::<usize>(), 0..4_usize).prop_map(|(number, stage)| Operation::Rollback(number, stage)),
        2 => (0..3_000_i64).prop_map(Operation::Advance),
        1 => prop::bool::weighted(0.2).prop_map(|update| if update { Operation::Update } else { Operation::Start }),
    ]
}

/// Up to three stages after the source, each with up to four actions of any kind and order.
fn notation() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["build", "deploy", "lambda", "manual", "worker"]);
    let actions = prop::collection::vec((kind, 1..4_u32), 1..5);
    let stages = prop::collection::vec(actions, 1..4);
    let mode = prop::sample::select(vec!["SUPERSEDED", "QUEUED", "PARALLEL"]);
    (mode, stages).prop_map(|(mode, stages)| {
        let mut text = format!("{mode} S0: Source");
        for (stage, actions) in stages.iter().enumerate() {
            text.push_str(&format!(" | S{}:", stage + 1));
            for (action, (kind, order)) in actions.iter().enumerate() {
                text.push_str(&format!(" A{stage}-{action}*{kind}@{order}"));
            }
        }
        text
    })
}

/// A world with the executions that were started in it.
struct Model {
    world: World,
    mode: String,
    /// Jobs for which an answer was accepted.
    answered: HashSet<String>,
    /// The running execution of each action, by pipeline execution, stage and action.
    running: HashMap<(String, String, String), String>,
    ended: HashSet<String>,
    /// The pipeline executions in each stage.
    inside: HashMap<String, HashSet<String>>,
    /// Jobs that a worker has taken, the oldest first.
    taken: Vec<String>,
    /// The last status of each condition, by pipeline execution, stage and moment.
    conditions: HashMap<(String, String, Moment), ConditionStatus>,
    /// The stages that executions were passed by, and those that they entered, in the order of their entry.
    skipped: HashSet<(String, String)>,
    entered: HashMap<String, Vec<String>>,
    /// Every execution in the order of its start, and whether it rolls a stage back.
    started: Vec<String>,
    rollbacks: HashSet<String>,
}

impl Model {
    fn new(notation: &str, conditions: &[Conditions]) -> Self {
        let mode = notation.split(' ').next().unwrap().to_owned();
        Self {
            world: World::of(&declared(notation, conditions)),
            mode,
            answered: HashSet::new(),
            running: HashMap::new(),
            ended: HashSet::new(),
            inside: HashMap::new(),
            taken: Vec::new(),
            conditions: HashMap::new(),
            skipped: HashSet::new(),
            entered: HashMap::new(),
            started: Vec::new(),
            rollbacks: HashSet::new(),
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::Start => {
                let _ = self.world.call("StartPipelineExecution", json!({"name": NAME}));
            }
            Operation::Finish(number, well) => self.finish(number, well),
            Operation::Answer(number, answer) => self.answer(number, answer),
            Operation::Decide(number, approve) => self.decide(number, approve),
            Operation::Stop(number, abandon) => {
                let Some(id) = pick(&self.started, number) else { return };
                let input = json!({"pipelineName": NAME, "pipelineExecutionId": id, "abandon": abandon});
                let _ = self.world.call("StopPipelineExecution", input);
            }
            Operation::Retry(number, stage, all) => {
                let Some(id) = pick(&self.started, number) else { return };
                let (stage, mode) = (format!("S{stage}"), if all { "ALL_ACTIONS" } else { "FAILED_ACTIONS" });
                let input =
                    json!({"pipelineName": NAME, "stageName": stage, "pipelineExecutionId": id, "retryMode": mode});
                let _ = self.world.call("RetryStageExecution", input);
            }
            Operation::Transition(stage, inbound, enable) => {
                let direction = if inbound { "Inbound" } else { "Outbound" };
                let mut input =
                    json!({"pipelineName": NAME, "stageName": format!("S{stage}"), "transitionType": direction});
                let operation = if enable { "EnableStageTransition" } else { "DisableStageTransition" };
                if !enable {
                    input["reason"] = json!("freeze");
                }
                let _ = self.world.call(operation, input);
            }
            Operation::Take(number) => self.take(number),
            Operation::Alarm(number, state) => self.tell_alarm(number, state),
            Operation::Override(number, stage, entry) => {
                let Some(id) = pick(&self.started, number) else { return };
                let kind = if entry { "BEFORE_ENTRY" } else { "ON_SUCCESS" };
                let input = json!({"pipelineName": NAME, "stageName": format!("S{stage}"), "pipelineExecutionId": id, "conditionType": kind});
                let _ = self.world.call("OverrideStageCondition", input);
            }
            Operation::Rollback(number, stage) => {
                let Some(id) = pick(&self.started, number) else { return };
                let input =
                    json!({"pipelineName": NAME, "stageName": format!("S{stage}"), "targetPipelineExecutionId": id});
                let _ = self.world.call("RollbackStage", input);
            }
            Operation::Advance(seconds) => self.world.advance(SignedDuration::from_secs(seconds)),
            Operation::Update => self.world.run("update"),
        }
    }

    fn finish(&mut self, number: usize, well: bool) {
        let mut ids: Vec<_> = self.world.requests.keys().cloned().collect();
        ids.sort();
        let Some(id) = pick(&ids, number) else { return };
        let result = if well { Ok(success()) } else { Err(ActionFailure::new("JobFailed", "it broke")) };
        self.world.engine.action_finished(self.world.now, &id, result);
        self.world.drain();
    }

    fn take(&mut self, number: usize) {
        let id = json!({"category": "Test", "owner": "Custom", "provider": "Bench", "version": "1"});
        let jobs = self.world.call("PollForJobs", json!({"actionTypeId": id, "queryParam": {"Project": "web"}}));
        let Some(job) = pick(jobs.unwrap()["jobs"].as_array().unwrap(), number) else { return };
        let input = json!({"jobId": job["id"], "nonce": job["nonce"]});
        self.world.call("AcknowledgeJob", input.clone()).unwrap();
        self.world.call("AcknowledgeJob", input).unwrap_err();
        let id = job["id"].as_str().unwrap().to_owned();
        assert!(!self.taken.contains(&id), "job {id} was taken twice");
        self.taken.push(id);
    }

    fn tell_alarm(&mut self, number: usize, state: AlarmState) {
        if self.world.alarms.is_empty() {
            return;
        }
        let rule = self.world.alarms.remove(number % self.world.alarms.len());
        self.world.engine.alarm_checked(self.world.now, &rule, Ok(state));
        self.world.drain();
    }

    fn answer(&mut self, number: usize, answer: Answer) {
        let ids: Vec<_> = self.world.jobs.keys().chain(&self.taken).cloned().collect();
        let Some(id) = pick(&ids, number) else { return };
        let failure = json!({"type": "JobFailed", "message": "no"});
        let result = match answer {
            Answer::Success => self.world.call("PutJobSuccessResult", json!({"jobId": id})),
            Answer::Continue => self.world.call("PutJobSuccessResult", json!({"jobId": id, "continuationToken": "t"})),
            Answer::Failure => self.world.call("PutJobFailureResult", json!({"jobId": id, "failureDetails": failure})),
            Answer::Refused => {
                self.world.engine.lambda_refused(self.world.now, &id, &InvokeError::Refused("full".into()));
                self.world.drain();
                // From now on the job must not take an answer.
                self.answered.insert(id);
                return;
            }
        };
        if result.is_ok() {
            assert!(self.answered.insert(id.clone()), "job {id} took a second answer");
        }
    }

    fn decide(&mut self, number: usize, approve: bool) {
        let open = self.action_executions().into_iter().filter(|detail| {
            detail["status"] == "InProgress" && detail["input"]["actionTypeId"]["provider"] == "Manual"
        });
        let Some(detail) = pick(&open.collect::<Vec<_>>(), number) else { return };
        let status = if approve { "Approved" } else { "Rejected" };
        let input = json!({
            "pipelineName": NAME,
            "stageName": detail["stageName"],
            "actionName": detail["actionName"],
            "result": {"status": status, "summary": ""},
            "token": detail["output"]["executionResult"]["externalExecutionId"],
        });
        self.world.call("PutApprovalResult", input.clone()).unwrap();
        self.world.call("PutApprovalResult", input).unwrap_err();
    }

    fn action_executions(&mut self) -> Vec<Value> {
        self.all("ListActionExecutions", "actionExecutionDetails")
    }

    fn all(&mut self, operation: &str, member: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut input = json!({"pipelineName": NAME});
        loop {
            let mut page = self.world.call(operation, input.clone()).unwrap();
            all.append(page[member].as_array_mut().unwrap());
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return all,
            }
        }
    }

    /// Follows the events: nothing runs twice at once or ends twice, a stage holds one execution, conditions are met
    /// before what they guard, queues keep their order.
    fn check_events(&mut self) {
        for event in self.world.events.split_off(0) {
            let execution = event.pipeline_execution_id.clone();
            match event.change {
                Change::Action(change) => {
                    if change.state == State::Started {
                        self.check_guarded(&execution, &change.stage);
                    }
                    let key = (execution, change.stage, change.action);
                    self.check_life(key, change.action_execution_id, change.state);
                }
                Change::Rule(change) => {
                    assert!(self.inside[&change.stage].contains(&execution), "a rule outside of its stage");
                    let key = (execution, change.stage, format!("{:?} {}", change.moment, change.rule));
                    self.check_life(key, change.rule_execution_id, change.state);
                }
                Change::Condition(change) => {
                    self.conditions.insert((execution, change.stage, change.moment), change.status);
                }
                Change::Stage(change) => self.check_stage(&execution, &change),
                Change::Execution(change) => self.check_execution(&execution, &change),
                _ => {}
            }
        }
    }

    fn check_life(&mut self, key: (String, String, String), id: String, state: State) {
        if state == State::Started {
            let former = self.running.insert(key.clone(), id);
            assert_eq!(former, None, "{key:?} runs twice at once");
            return;
        }
        assert_eq!(self.running.remove(&key).as_ref(), Some(&id));
        assert!(self.ended.insert(id), "{key:?} ended twice");
    }

    fn is_met(&self, execution: &str, stage: &str, moment: Moment) -> bool {
        let status = self.conditions.get(&(execution.to_owned(), stage.to_owned(), moment));
        matches!(status, None | Some(ConditionStatus::Succeeded | ConditionStatus::Overridden))
    }

    /// An action starts in a stage that its execution is in, which it was let into.
    fn check_guarded(&self, execution: &str, stage: &str) {
        assert!(self.inside[stage].contains(execution), "an action outside of its stage");
        assert!(!self.skipped.contains(&(execution.to_owned(), stage.to_owned())), "an action of a skipped stage");
        assert!(self.is_met(execution, stage, Moment::BeforeEntry), "an action before the entry condition is met");
    }

    fn check_stage(&mut self, execution: &str, change: &StageChange) {
        let stage = change.stage.clone();
        let inside = self.inside.entry(stage.clone()).or_default();
        match change.state {
            State::Started | State::Resumed => assert!(inside.insert(execution.to_owned()), "entered twice"),
            State::Stopping => {}
            _ => assert!(inside.remove(execution), "left without being in"),
        }
        assert!(self.mode == "PARALLEL" || inside.len() <= 1, "{stage} holds {inside:?}");
        match change.state {
            State::Started => self.check_entry(execution, &stage),
            State::Succeeded => {
                assert!(self.is_met(execution, &stage, Moment::OnSuccess), "{stage} succeeded too soon")
            }
            State::Skipped => {
                assert!(self.skipped.insert((execution.to_owned(), stage)), "skipped twice");
            }
            _ => {}
        }
    }

    /// Executions enter a stage once. A queue lets them in by their start; a rollback runs one stage.
    fn check_entry(&mut self, execution: &str, stage: &str) {
        let number = |id: &str| self.started.iter().position(|started| started == id);
        let of_stage = self.entered.get(stage);
        let rolls_back = self.rollbacks.contains(execution);
        let others = of_stage.into_iter().flatten().filter(|id| !self.rollbacks.contains(*id));
        if self.mode == "QUEUED" && !rolls_back {
            let later = others.filter(|id| number(id) >= number(execution)).count();
            assert_eq!(later, 0, "{execution} was overtaken on its way into {stage}");
        }
        let stages = self.entered.values().filter(|entered| entered.iter().any(|id| id == execution)).count();
        assert!(!rolls_back || stages == 0, "the rollback {execution} runs a second stage");
        self.entered.entry(stage.to_owned()).or_default().push(execution.to_owned());
    }

    fn check_execution(&mut self, execution: &str, change: &ExecutionChange) {
        let inside = self.inside.values().any(|inside| inside.contains(execution));
        match change.state {
            State::Started => {
                self.started.push(execution.to_owned());
                if change.trigger.0.ends_with("Rollback") {
                    assert_ne!(self.mode, "PARALLEL");
                    self.rollbacks.insert(execution.to_owned());
                }
            }
            State::Superseded => assert!(!inside, "{execution} was superseded within a stage"),
            State::Succeeded | State::Failed | State::Stopped | State::Canceled => {
                assert!(!inside, "{execution} has ended within a stage");
            }
            _ => {}
        }
    }

    /// Answers whatever waits, until nothing does any more.
    fn settle(&mut self) {
        for stage in 0..4 {
            self.apply(&Operation::Transition(stage, true, true));
            self.apply(&Operation::Transition(stage, false, true));
        }
        for _ in 0..10_000 {
            let running = self.running_executions();
            let Some(detail) = running.first() else { return };
            let id = detail["actionExecutionId"].as_str().or(detail["ruleExecutionId"].as_str()).unwrap().to_owned();
            let provider = detail["input"]["actionTypeId"]["provider"].as_str();
            if provider == Some("Manual") {
                self.decide(0, true);
            } else if self.world.requests.contains_key(&id) {
                self.world.engine.action_finished(self.world.now, &id, Ok(success()));
                self.world.drain();
            } else if !self.world.alarms.is_empty() {
                self.tell_alarm(0, AlarmState::Ok);
            } else {
                self.pass_time();
            }
            self.check_events();
        }
        panic!("the pipeline did not come to rest");
    }

    /// What is left are jobs, the pauses before the next ones, windows and alarms.
    fn pass_time(&mut self) {
        self.take(0);
        for job in self.world.jobs.keys().chain(&self.taken).cloned().collect::<Vec<_>>() {
            let _ = self.world.call("PutJobSuccessResult", json!({"jobId": job}));
        }
        if let Some(next) = self.world.engine.next_timer() {
            let pause = next.duration_since(self.world.now);
            self.world.advance(pause);
        }
    }

    fn running_executions(&mut self) -> Vec<Value> {
        let mut all = self.action_executions();
        all.append(&mut self.all("ListRuleExecutions", "ruleExecutionDetails"));
        all.retain(|detail| detail["status"] == "InProgress");
        all
    }
}

/// Sources put out the branch that rules look at.
fn success() -> ActionSuccess {
    let output_variables = [("Branch".to_owned(), "main".to_owned())].into();
    ActionSuccess { output_variables, ..ActionSuccess::default() }
}

fn pick<T: Clone>(list: &[T], number: usize) -> Option<T> {
    (!list.is_empty()).then(|| list[number % list.len()].clone())
}

fn check(notation: &str, conditions: &[Conditions], operations: &[Operation]) {
    let mut model = Model::new(notation, conditions);
    for operation in operations {
        model.apply(operation);
        model.check_events();
        let due = model.world.engine.next_timer();
        assert!(due.is_none_or(|due| due > model.world.now), "a timer that is due was left");
    }
    model.settle();
    // At rest every stage can be rolled back to whatever succeeded in it.
    let first = model.started.len().saturating_sub(4);
    for (number, stage) in (first..model.started.len()).flat_map(|number| (0..4).map(move |stage| (number, stage))) {
        model.apply(&Operation::Rollback(number, stage));
        model.settle();
    }
    model.check_events();
    assert!(model.running.is_empty(), "{:?}", model.running);
    for id in &model.started {
        let input = json!({"pipelineName": NAME, "pipelineExecutionId": id});
        let status = model.world.call("GetPipelineExecution", input).unwrap()["pipelineExecution"]["status"].take();
        let ends = ["Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"];
        assert!(ends.contains(&status.as_str().unwrap()), "execution {id} is {status} when nothing is left to do");
    }
    assert_eq!(model.world.engine.next_timer(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_invariants_hold(
        notation in notation(),
        conditions in conditions(),
        operations in prop::collection::vec(operation(), 0..120),
    ) {
        check(&notation, &conditions, &operations);
    }
}
