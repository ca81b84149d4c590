//! Random pipelines under random operations: what must hold after each of them.

use std::collections::{HashMap, HashSet};

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_local_codepipeline::InvokeError;
use stagegate_local_codepipeline::events::{Change, State};
use stagegate_local_codepipeline::provider::ActionFailure;

use crate::harness::{NAME, World, pipeline};

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
    Advance(i64),
    Update,
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
        2 => (0..3_000_i64).prop_map(Operation::Advance),
        1 => prop::bool::weighted(0.2).prop_map(|update| if update { Operation::Update } else { Operation::Start }),
    ]
}

/// Up to three stages after the source, each with up to four actions of any kind and order.
fn notation() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["build", "deploy", "lambda", "manual"]);
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
    executions: Vec<String>,
    /// Jobs for which an answer was accepted.
    answered: HashSet<String>,
    seen_events: usize,
    /// The running execution of each action, by pipeline execution, stage and action.
    running: HashMap<(String, String, String), String>,
    ended: HashSet<String>,
    /// The pipeline executions in each stage.
    inside: HashMap<String, HashSet<String>>,
}

impl Model {
    fn new(notation: &str) -> Self {
        let mode = notation.split(' ').next().unwrap().to_owned();
        Self {
            world: World::of(&pipeline(notation)),
            mode,
            executions: Vec::new(),
            answered: HashSet::new(),
            seen_events: 0,
            running: HashMap::new(),
            ended: HashSet::new(),
            inside: HashMap::new(),
        }
    }

    fn apply(&mut self, operation: &Operation) {
        match *operation {
            Operation::Start => {
                if let Ok(output) = self.world.call("StartPipelineExecution", json!({"name": NAME})) {
                    self.executions.push(output["pipelineExecutionId"].as_str().unwrap().to_owned());
                }
            }
            Operation::Finish(number, well) => self.finish(number, well),
            Operation::Answer(number, answer) => self.answer(number, answer),
            Operation::Decide(number, approve) => self.decide(number, approve),
            Operation::Stop(number, abandon) => {
                let Some(id) = pick(&self.executions, number) else { return };
                let input = json!({"pipelineName": NAME, "pipelineExecutionId": id, "abandon": abandon});
                let _ = self.world.call("StopPipelineExecution", input);
            }
            Operation::Retry(number, stage, all) => {
                let Some(id) = pick(&self.executions, number) else { return };
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
            Operation::Advance(seconds) => self.world.advance(SignedDuration::from_secs(seconds)),
            Operation::Update => self.world.run("update"),
        }
    }

    fn finish(&mut self, number: usize, well: bool) {
        let mut ids: Vec<_> = self.world.requests.keys().cloned().collect();
        ids.sort();
        let Some(id) = pick(&ids, number) else { return };
        let result = if well { Ok(Default::default()) } else { Err(ActionFailure::new("JobFailed", "it broke")) };
        self.world.engine.action_finished(self.world.now, &id, result);
        self.world.drain();
    }

    fn answer(&mut self, number: usize, answer: Answer) {
        let ids: Vec<_> = self.world.jobs.keys().cloned().collect();
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
        let mut all = Vec::new();
        let mut input = json!({"pipelineName": NAME});
        loop {
            let mut page = self.world.call("ListActionExecutions", input.clone()).unwrap();
            all.append(page["actionExecutionDetails"].as_array_mut().unwrap());
            match page.get("nextToken") {
                Some(token) => input["nextToken"] = token.clone(),
                None => return all,
            }
        }
    }

    /// Follows the events: no action runs twice at once or ends twice, a stage holds one execution.
    fn check_events(&mut self) {
        for event in &self.world.events[self.seen_events..] {
            let execution = event.pipeline_execution_id.clone();
            match &event.change {
                Change::Action(change) => {
                    let key = (execution, change.stage.clone(), change.action.clone());
                    if change.state == State::Started {
                        let former = self.running.insert(key, change.action_execution_id.clone());
                        assert_eq!(former, None, "{} runs twice at once", change.action);
                        continue;
                    }
                    assert_eq!(self.running.remove(&key).as_ref(), Some(&change.action_execution_id));
                    assert!(self.ended.insert(change.action_execution_id.clone()), "{} ended twice", change.action);
                }
                Change::Stage(change) => {
                    let inside = self.inside.entry(change.stage.clone()).or_default();
                    match change.state {
                        State::Started | State::Resumed => assert!(inside.insert(execution), "entered twice"),
                        State::Stopping => {}
                        _ => assert!(inside.remove(&execution), "left without being in"),
                    }
                    assert!(self.mode == "PARALLEL" || inside.len() <= 1, "{} holds {inside:?}", change.stage);
                }
                _ => {}
            }
        }
        self.seen_events = self.world.events.len();
    }

    /// Answers whatever waits, until nothing does any more.
    fn settle(&mut self) {
        for stage in 0..4 {
            self.apply(&Operation::Transition(stage, true, true));
            self.apply(&Operation::Transition(stage, false, true));
        }
        for _ in 0..10_000 {
            let running = self.action_executions().into_iter().find(|detail| detail["status"] == "InProgress");
            let Some(detail) = running else { return };
            let id = detail["actionExecutionId"].as_str().unwrap().to_owned();
            if detail["input"]["actionTypeId"]["provider"] == "Manual" {
                self.decide(0, true);
            } else if self.world.requests.contains_key(&id) {
                self.world.engine.action_finished(self.world.now, &id, Ok(Default::default()));
                self.world.drain();
            } else {
                // A job, or the pause before the next one: one after the other is answered.
                self.world.advance(SignedDuration::from_secs(31));
                for job in self.world.jobs.keys().cloned().collect::<Vec<_>>() {
                    let _ = self.world.call("PutJobSuccessResult", json!({"jobId": job}));
                }
            }
            self.check_events();
        }
        panic!("the pipeline did not come to rest");
    }
}

fn pick<T: Clone>(list: &[T], number: usize) -> Option<T> {
    (!list.is_empty()).then(|| list[number % list.len()].clone())
}

fn check(notation: &str, operations: &[Operation]) {
    let mut model = Model::new(notation);
    for operation in operations {
        model.apply(operation);
        model.check_events();
        let due = model.world.engine.next_timer();
        assert!(due.is_none_or(|due| due > model.world.now), "a timer that is due was left");
    }
    model.settle();
    model.check_events();
    assert!(model.running.is_empty(), "{:?}", model.running);
    for id in &model.executions {
        let input = json!({"pipelineName": NAME, "pipelineExecutionId": id});
        let status = model.world.call("GetPipelineExecution", input).unwrap()["pipelineExecution"]["status"].take();
        let ends = ["Succeeded", "Failed", "Stopped", "Superseded", "Cancelled"];
        assert!(ends.contains(&status.as_str().unwrap()), "execution {id} is {status} when nothing is left to do");
    }
    assert_eq!(model.world.engine.next_timer(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(120) })]

    #[test]
    fn the_invariants_hold(notation in notation(), operations in prop::collection::vec(operation(), 0..80)) {
        check(&notation, &operations);
    }
}
