//! Executions that really happened: their events in order, and what CodePipeline says when it is asked.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_config::{Config, DeliveryRule};
use stagegate_delivery::{Measurement, Observed, Production, measure, take_due};
use stagegate_notice::{Action, ActionState, ExecutionState, Picture, Thread};
use stagegate_pipeline_event::Event;
use stagegate_verdict::Outcome;

pub(crate) const PIPELINE: &str = "web";
pub(crate) const STAGES: [&str; 4] = ["Source", "Test", "Approve", "Production"];

/// How an execution ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// A gate stops it in front of production.
    StoppedByTheGate,
    /// Somebody rejects it.
    Rejected,
    /// It is deployed.
    Deployed,
    /// Production fails and stays so.
    FailsInProduction,
    /// Production fails, and succeeds when it is retried.
    FailsAndIsRetried,
    /// It rolls production back.
    RollsBack,
}

pub(crate) struct Told {
    pub(crate) execution: String,
    pub(crate) end: End,
    pub(crate) events: Vec<Event>,
    /// What CodePipeline and the state bucket say at the end.
    pub(crate) answers: Picture,
}

/// Executions one after the other, `pace` seconds from event to event.
pub(crate) fn tell(ends: &[End], pace: i64) -> Vec<Told> {
    let mut now: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    let told = ends.iter().enumerate().map(|(number, end)| {
        let mut teller = Teller::new(number, *end, now, pace);
        teller.tell();
        now = teller.now + SignedDuration::from_hours(20);
        Told { execution: teller.execution, end: *end, events: teller.events, answers: teller.answers }
    });
    told.collect()
}

pub(crate) fn stories() -> impl Strategy<Value = (Vec<End>, i64)> {
    let ends = vec![
        End::StoppedByTheGate,
        End::Rejected,
        End::Deployed,
        End::FailsInProduction,
        End::FailsAndIsRetried,
        End::RollsBack,
    ];
    (prop::collection::vec(prop::sample::select(ends), 1..6), 1i64..90)
}

struct Teller {
    execution: String,
    end: End,
    started: Timestamp,
    now: Timestamp,
    pace: i64,
    ids: usize,
    events: Vec<Event>,
    answers: Picture,
}

impl Teller {
    fn new(number: usize, end: End, started: Timestamp, pace: i64) -> Self {
        let mut answers = Picture { started: Some(started), ..Picture::default() };
        answers.about.is_looked_up = true;
        answers.about.are_sources_looked_up = true;
        answers.about.stages = STAGES.map(str::to_owned).to_vec();
        answers.about.rollback_to = (end == End::RollsBack).then(|| "execution-before".to_owned());
        let execution = format!("execution-{number:02}");
        Self { execution, end, started, now: started, pace, ids: 0, events: Vec::new(), answers }
    }

    fn event(&mut self, kind: &str, state: &str, started: Timestamp, more: &Value) {
        self.now += SignedDuration::from_secs(self.pace);
        let mut detail = json!({
            "pipeline": PIPELINE, "execution-id": self.execution, "start-time": started.to_string(), "state": state,
        });
        detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let event = json!({
            "id": format!("event-{}", self.events.len()), "account": "111122223333", "region": "eu-west-1",
            "source": "aws.codepipeline", "time": self.now.to_string(), "resources": [], "detail": detail,
            "detail-type": format!("CodePipeline {kind} Execution State Change"),
        });
        self.events.push(Event::read(&event).unwrap());
    }

    fn action(&mut self, stage: &str, name: &str, category: &str, end: &str) {
        self.ids += 1;
        let id = format!("{}-action-{}", self.execution, self.ids);
        let started = self.now + SignedDuration::from_secs(self.pace);
        let more = json!({
            "stage": stage, "action": name, "action-execution-id": id,
            "type": {"owner": "AWS", "provider": "x", "category": category, "version": "1"},
        });
        self.event("Action", "STARTED", started, &more);
        self.event("Action", end, started, &more);
        let action = Action {
            stage: Some(stage.to_owned()),
            name: Some(name.to_owned()),
            category: Some(category.to_owned()),
            started: Some(started),
            ended: Some(self.now),
            state: ActionState::read(end).unwrap(),
            ..Action::default()
        };
        self.answers.actions.insert(id, action);
    }

    fn stage(&mut self, name: &str, actions: &[(&str, &str, &str)]) -> bool {
        let entered = self.now + SignedDuration::from_secs(self.pace);
        let of_stage = json!({"stage": name});
        self.event("Stage", "STARTED", entered, &of_stage);
        self.finish(name, entered, actions)
    }

    fn finish(&mut self, name: &str, entered: Timestamp, actions: &[(&str, &str, &str)]) -> bool {
        for (action, category, end) in actions {
            self.action(name, action, category, end);
        }
        let has_succeeded = actions.iter().all(|(_, _, end)| *end == "SUCCEEDED");
        let state = if has_succeeded { "SUCCEEDED" } else { "FAILED" };
        self.event("Stage", state, entered, &json!({"stage": name}));
        has_succeeded
    }

    fn tell(&mut self) {
        self.event("Pipeline", "STARTED", self.started, &json!({}));
        let has_succeeded = self.stages();
        let state = if has_succeeded { ExecutionState::Succeeded } else { ExecutionState::Failed };
        self.event("Pipeline", if has_succeeded { "SUCCEEDED" } else { "FAILED" }, self.started, &json!({}));
        self.answers.enter(state, self.now);
    }

    fn stages(&mut self) -> bool {
        let deploy = |end: &'static str| [("Deploy", "Deploy", end)];
        if self.end == End::RollsBack {
            return self.stage("Production", &deploy("SUCCEEDED"));
        }
        self.stage("Source", &[("Source", "Source", "SUCCEEDED")]);
        let is_stopped = self.end == End::StoppedByTheGate;
        let outcome = if is_stopped { Outcome::Failed } else { Outcome::Passed };
        self.answers.judgements.entry("web-tests".to_owned()).or_default().insert(self.now, outcome);
        if !self.stage("Test", &[("Gate", "Invoke", if is_stopped { "FAILED" } else { "SUCCEEDED" })]) {
            return false;
        }
        let answer = if self.end == End::Rejected { "FAILED" } else { "SUCCEEDED" };
        if !self.stage("Approve", &[("Approve", "Approval", answer)]) {
            return false;
        }
        let entered = self.now;
        if self.end == End::Deployed || self.stage("Production", &deploy("FAILED")) {
            return self.stage("Production", &deploy("SUCCEEDED"));
        }
        if self.end == End::FailsInProduction {
            return false;
        }
        self.event("Pipeline", "FAILED", self.started, &json!({}));
        self.event("Pipeline", "RESUMED", self.started, &json!({}));
        self.event("Stage", "RESUMED", entered, &json!({"stage": "Production"}));
        self.finish("Production", entered, &deploy("SUCCEEDED"))
    }
}

pub(crate) fn rule() -> DeliveryRule {
    DeliveryRule::default()
}

pub(crate) fn rule_of(text: &str) -> DeliveryRule {
    Config::parse("stagegate.yaml", text).unwrap().delivery(PIPELINE).unwrap()
}

/// What is known after these events, and after asking where that is done.
pub(crate) fn picture<'a>(events: impl IntoIterator<Item = &'a Event>, answers: Option<&Picture>) -> Picture {
    let mut picture = Picture::default();
    for event in events {
        picture.join(&Picture::of(event, Timestamp::UNIX_EPOCH));
    }
    if let Some(answers) = answers {
        picture.join(answers);
    }
    picture
}

pub(crate) fn observed(told: &[Told]) -> Vec<Observed> {
    let known = told.iter().map(|told| Observed {
        pipeline: PIPELINE.to_owned(),
        execution: told.execution.clone(),
        picture: picture(&told.events, Some(&told.answers)),
    });
    known.collect()
}

/// The documents of the state bucket, and what is logged along the way.
#[derive(Default)]
pub(crate) struct Function {
    threads: BTreeMap<String, Thread>,
    production: Production,
    pub(crate) logged: Vec<Measurement>,
}

impl Function {
    /// Notes more about an execution, as the function does at each event.
    pub(crate) fn hear(&mut self, execution: &str, more: &Picture) {
        let thread = self.threads.entry(execution.to_owned()).or_insert_with(|| Thread::new(PIPELINE, execution));
        thread.picture.join(more);
        self.logged.extend(take_due(thread, Some(&rule())));
        self.production.note(execution, &thread.picture, &rule());
        self.logged.extend(self.production.take_due(PIPELINE));
    }

    /// Everything that follows from what is known in the end.
    pub(crate) fn known(&self) -> Vec<Measurement> {
        let mut known = self.production.measure(PIPELINE);
        for (execution, thread) in &self.threads {
            known.extend(measure(PIPELINE, execution, &thread.picture, Some(&rule())));
        }
        known
    }
}
