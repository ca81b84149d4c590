//! Ten weeks of a pipeline, as the functions would have kept them: the same at each run.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use stagegate_notice::{Action, ActionState, ExecutionState, Moment, Picture, Stage, StageState, Thread};
use stagegate_verdict::Outcome;

const STAGES: [&str; 7] = ["Source", "Build", "TestGate", "Staging", "SmokeTest", "Approve", "Production"];

/// How many executions there are.
pub(crate) const EXECUTIONS: usize = 90;

/// Numbers that look like chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn seconds(&mut self, least: u64, more: u64) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(least + self.below(more)).unwrap())
    }
}

/// Writes the documents as they lie in the state bucket.
pub(crate) fn write(folder: &Path) {
    std::fs::create_dir_all(folder.join("threads")).unwrap();
    let mut dice = Dice(7);
    let mut now: Timestamp = "2026-01-05T08:12:00Z".parse().unwrap();
    let mut previous = String::new();
    let mut is_broken = false;
    for number in 0..EXECUTIONS {
        let execution = format!("{:08x}-0000-4000-8000-{number:012x}", 0x3f2a_0c9e_u64 ^ (number as u64 * 0x0012_d687));
        // Where production is broken, somebody rolls back or repairs it soon.
        let is_rollback = is_broken && dice.below(2) == 0;
        let mut teller = Teller { dice: &mut dice, now, picture: Picture::default(), ids: 0, execution: &execution };
        let end = if is_rollback { teller.roll_back(&previous) } else { teller.release() };
        let Teller { now: ended, picture, .. } = teller;
        match end {
            Some(true) => (previous, is_broken) = (execution.clone(), false),
            Some(false) => is_broken = true,
            None => {}
        }
        let mut thread = Thread::new("web", &execution);
        thread.picture = picture;
        let stored = json!({"kind": "thread", "version": 1, "write": "w", "document": thread});
        std::fs::write(folder.join(format!("threads/{execution}.json")), stored.to_string()).unwrap();
        now = ended + if is_broken { dice.seconds(900, 14_400) } else { dice.seconds(3600, 120_000) };
    }
}

struct Teller<'a> {
    dice: &'a mut Dice,
    now: Timestamp,
    picture: Picture,
    ids: usize,
    execution: &'a str,
}

impl Teller<'_> {
    fn begin(&mut self) {
        self.picture.started = Some(self.now);
        self.picture.about.is_looked_up = true;
        self.picture.about.are_sources_looked_up = true;
        self.picture.about.stages = STAGES.map(str::to_owned).to_vec();
    }

    fn stage(&mut self, name: &str, category: &str, takes: SignedDuration, succeeds: bool) -> bool {
        let started = self.now;
        self.now += takes;
        self.ids += 1;
        let state = if succeeds { ActionState::Succeeded } else { ActionState::Failed };
        let action = Action {
            stage: Some(name.to_owned()),
            name: Some(name.to_owned()),
            category: Some(category.to_owned()),
            started: Some(started),
            ended: Some(self.now),
            state,
            ..Action::default()
        };
        self.picture.actions.insert(format!("{}-{}", self.execution, self.ids), action);
        let state = if succeeds { StageState::Succeeded } else { StageState::Failed };
        let moment = Moment { at: self.now, state };
        let failed = Some(self.now).filter(|_| !succeeds);
        let stage = Stage { started: Some(started), state: Some(moment), failed };
        self.picture.stages.insert(name.to_owned(), stage);
        succeeds
    }

    fn gate(&mut self, name: &str, one_in: u64) -> bool {
        let outcome = match self.dice.below(one_in) {
            0 => Outcome::Failed,
            1 if one_in > 12 => Outcome::Inconclusive,
            _ => Outcome::Passed,
        };
        self.picture.judgements.entry(name.to_owned()).or_default().insert(self.now, outcome);
        outcome != Outcome::Failed
    }

    fn release(&mut self) -> Option<bool> {
        self.begin();
        let age = self.dice.seconds(120, 20_000);
        self.picture.about.created = Some(self.now - age);
        let end = self.stages();
        let state = if end == Some(true) { ExecutionState::Succeeded } else { ExecutionState::Failed };
        self.picture.enter(state, self.now);
        end
    }

    /// Whether production has succeeded; nothing where it was not reached.
    fn stages(&mut self) -> Option<bool> {
        let takes = self.dice.seconds(4, 20);
        self.stage("Source", "Source", takes, true);
        let takes = self.dice.seconds(180, 240);
        self.stage("Build", "Build", takes, true);
        let passes = self.gate("web-tests", 9);
        let takes = self.dice.seconds(2, 9);
        if !self.stage("TestGate", "Invoke", takes, passes) {
            return None;
        }
        let takes = self.dice.seconds(60, 90);
        self.stage("Staging", "Deploy", takes, true);
        let passes = self.gate("web-smoke", 16);
        let takes = self.dice.seconds(45, 200);
        if !self.stage("SmokeTest", "Invoke", takes, passes) {
            return None;
        }
        let (takes, approved) = (self.dice.seconds(60, 5400), self.dice.below(20) > 0);
        if !self.stage("Approve", "Approval", takes, approved) {
            return None;
        }
        let (takes, succeeds) = (self.dice.seconds(100, 120), self.dice.below(8) > 0);
        Some(self.stage("Production", "Deploy", takes, succeeds))
    }

    fn roll_back(&mut self, to: &str) -> Option<bool> {
        self.begin();
        self.picture.about.rollback_to = Some(to.to_owned());
        let takes = self.dice.seconds(100, 120);
        self.stage("Production", "Deploy", takes, true);
        self.picture.enter(ExecutionState::Succeeded, self.now);
        Some(true)
    }
}
