//! An execution that really happened: its events in their order, and what CodePipeline says when it is asked.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_notice::{Action, ActionState, ExecutionState, Picture, Reason, ReasonSource, Revision, Series, Thread};
use stagegate_pipeline_event::Event;

pub(crate) const PIPELINE: &str = "web";
pub(crate) const EXECUTION: &str = "01234567-0123-0123-0123-012345678901";

/// What happens to an execution.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    /// The number of actions in each stage.
    pub(crate) stages: Vec<usize>,
    /// At which stage each try fails; the last try goes on after these.
    pub(crate) failures: Vec<usize>,
    pub(crate) end: End,
    /// Seconds between two events: with 0, all have the same time.
    pub(crate) pace: i64,
    /// Failed executions before this one.
    pub(crate) failed_before: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Succeeds,
    FailsInTheLastStage,
    IsSuperseded,
    IsStopped,
}

pub(crate) struct World {
    pub(crate) events: Vec<Event>,
    /// What CodePipeline says at the end.
    pub(crate) answers: Picture,
}

pub(crate) fn stories() -> impl Strategy<Value = Story> {
    let end = prop::sample::select(vec![End::Succeeds, End::FailsInTheLastStage, End::IsSuperseded, End::IsStopped]);
    (prop::collection::vec(1usize..3, 2..4), prop::collection::vec(0usize..3, 0..3), end, 1i64..90, 0u32..3).prop_map(
        |(stages, mut failures, end, pace, failed_before)| {
            failures.iter_mut().for_each(|stage| *stage %= stages.len());
            failures.sort_unstable();
            Story { stages, failures, end, pace, failed_before }
        },
    )
}

struct Teller {
    now: Timestamp,
    pace: i64,
    attempt: u32,
    ids: u32,
    events: Vec<Event>,
    answers: Picture,
}

impl Teller {
    fn event(&mut self, kind: &str, state: &str, more: Value) {
        self.now += SignedDuration::from_secs(self.pace);
        let mut detail = json!({
            "pipeline": PIPELINE, "execution-id": EXECUTION, "start-time": "2026-01-05T09:00:00.123Z",
            "state": state, "version": 3.0, "pipeline-execution-attempt": f64::from(self.attempt),
        });
        detail.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let event = json!({
            "version": "0", "id": format!("event-{}", self.events.len()), "account": "111122223333",
            "region": "eu-west-1", "source": "aws.codepipeline", "time": self.now.to_string(),
            "detail-type": format!("CodePipeline {kind} Execution State Change"), "resources": [], "detail": detail,
        });
        self.events.push(Event::read(&event).unwrap());
    }

    fn action(&mut self, stage: usize, number: usize, end: Option<&str>) {
        self.ids += 1;
        let id = format!("action-{:03}", self.ids);
        let (stage, name) = (format!("S{stage}"), format!("A{number}"));
        let started = self.now + SignedDuration::from_secs(self.pace) + SignedDuration::from_millis(250);
        let more = json!({
            "stage": stage, "action": name, "action-execution-id": id, "start-time": started.to_string(),
            "type": {"owner": "AWS", "provider": "CodeBuild", "category": "Build", "version": "1"},
        });
        self.event("Action", "STARTED", more.clone());
        let mut action = Action {
            stage: Some(stage),
            name: Some(name),
            category: Some("Build".to_owned()),
            started: Some(started),
            ..Action::default()
        };
        if let Some(end) = end {
            let mut ended = more;
            if end == "FAILED" {
                ended["execution-result"] =
                    json!({"external-execution-summary": "Build failed", "error-code": "JobFailed"});
                let text = format!("{id} failed: 3 tests");
                action.reason =
                    Some(Reason { source: ReasonSource::CodePipeline, text, code: Some("JobFailed".to_owned()) });
            }
            self.event("Action", end, ended);
            action.state = ActionState::read(end).unwrap();
            action.ended = Some(self.now + SignedDuration::from_millis(300));
        }
        self.answers.actions.insert(id, action);
    }
}

impl Story {
    pub(crate) fn tell(&self) -> World {
        let start: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
        let mut teller =
            Teller { now: start, pace: self.pace, attempt: 1, ids: 0, events: Vec::new(), answers: Picture::default() };
        let trigger = json!({"execution-trigger": {"trigger-type": "StartPipelineExecution", "trigger-detail": "arn:aws:sts::111122223333:assumed-role/Admin/mary"}});
        teller.event("Pipeline", "STARTED", trigger);
        let mut failures = self.failures.iter().copied();
        let mut fails = failures.next();
        let last = self.stages.len() - 1;
        let mut over = ExecutionState::Succeeded;
        let mut stage = 0;
        let mut has_entered = false;
        while stage <= last {
            let of_stage = json!({"stage": format!("S{stage}")});
            if !has_entered {
                teller.event("Stage", "STARTED", of_stage.clone());
            }
            let is_last_try = fails.is_none();
            let is_end = is_last_try && stage == last && self.end != End::Succeeds;
            let actions = self.stages[stage];
            for number in 0..actions {
                let is_it = number + 1 == actions;
                let end = match (is_it && fails == Some(stage), is_it && is_end) {
                    (true, _) => Some("FAILED"),
                    (_, true) if self.end == End::FailsInTheLastStage => Some("FAILED"),
                    (_, true) => None,
                    _ => Some("SUCCEEDED"),
                };
                teller.action(stage, number, end);
            }
            if fails == Some(stage) || is_end && self.end == End::FailsInTheLastStage {
                teller.event("Stage", "FAILED", of_stage.clone());
                teller.event("Pipeline", "FAILED", json!({}));
                over = ExecutionState::Failed;
                if is_end {
                    break;
                }
                fails = failures.next();
                teller.attempt += 1;
                teller.event("Pipeline", "RESUMED", json!({}));
                teller.event("Stage", "RESUMED", of_stage);
                has_entered = true;
                continue;
            }
            if is_end {
                over = if self.end == End::IsStopped { ExecutionState::Stopped } else { ExecutionState::Superseded };
                let state = if self.end == End::IsStopped { "STOPPED" } else { "SUPERSEDED" };
                teller.event("Pipeline", state, json!({}));
                break;
            }
            teller.event("Stage", "SUCCEEDED", of_stage);
            has_entered = false;
            stage += 1;
            over = ExecutionState::Succeeded;
        }
        if over == ExecutionState::Succeeded {
            teller.event("Pipeline", "SUCCEEDED", json!({}));
        }
        let Teller { now, events, mut answers, .. } = teller;
        answers.started = Some("2026-01-05T09:00:00.123Z".parse().unwrap());
        answers.enter(over, now + SignedDuration::from_secs(1));
        answers.about.is_looked_up = true;
        answers.about.are_sources_looked_up = true;
        answers.actions.values_mut().for_each(|action| action.is_looked_up = true);
        answers.about.region = Some("eu-west-1".to_owned());
        answers.about.trigger = Some("mary".to_owned());
        answers.about.stages = (0..=last).map(|number| format!("S{number}")).collect();
        answers.about.revision =
            Some(Revision { id: "0123456789abcdef".to_owned(), summary: Some("Say hello".to_owned()), url: None });
        answers.series =
            Some(Series { failed: self.failed_before, since: Some(start - SignedDuration::from_hours(3)) });
        World { events, answers }
    }
}

/// What is known after these events, and after asking where that is done.
pub(crate) fn thread<'a>(events: impl IntoIterator<Item = &'a Event>, answers: Option<&Picture>) -> Thread {
    let mut thread = Thread::new(PIPELINE, EXECUTION);
    for event in events {
        thread.picture.join(&Picture::of(event, Timestamp::UNIX_EPOCH));
    }
    if let Some(answers) = answers {
        thread.picture.join(answers);
    }
    thread
}
