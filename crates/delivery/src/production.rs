//! What happened to production, over the executions of a pipeline.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stagegate_config::DeliveryRule;
use stagegate_notice::Picture;

use crate::ends;
use crate::measurement::{Measurement, Metric, Subject, seconds};

/// How many executions are remembered: the latest.
const REMEMBERED: usize = 200;

/// What the executions of a pipeline have done to production: the document `delivery/<pipeline>.json`.
///
/// As a picture, it does not depend on the order and the number of what is noted. What is older than the executions that
/// are remembered changes nothing any more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Production {
    /// By execution, what it has done.
    #[serde(default)]
    changes: BTreeMap<String, Change>,
    /// The keys of the measurements that were logged.
    #[serde(default)]
    measured: BTreeSet<String>,
}

/// What an execution has done to production.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When it has failed there first.
    #[serde(default)]
    pub failed: Option<Timestamp>,
    /// When it has succeeded there.
    #[serde(default)]
    pub succeeded: Option<Timestamp>,
    /// For a rollback, when it began: by then, what it takes back has failed.
    #[serde(default)]
    pub rolls_back: Option<Timestamp>,
}

/// Production was broken, and then it was not.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Restoration {
    /// The execution that has restored it: a later change, a retry of the same one, or a rollback.
    pub execution: String,
    /// Since when it was broken.
    pub failed: Timestamp,
    /// Until when.
    pub restored: Timestamp,
    /// Whether by a rollback.
    pub by_rollback: bool,
}

impl Restoration {
    /// How long it was broken.
    pub fn seconds(&self) -> f64 {
        seconds(self.failed, self.restored)
    }
}

/// What follows from all changes in their order.
#[derive(Default)]
struct Story {
    /// The changes that have failed, and when.
    failures: BTreeMap<String, Timestamp>,
    restorations: Vec<Restoration>,
    broken_since: Option<Timestamp>,
}

/// In this order at the same time: what failed and succeeded within one second has been restored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    RollbackBegan,
    Failed,
    Succeeded,
}

impl Change {
    fn join(&mut self, other: &Self) {
        let earlier = |mine: &mut Option<Timestamp>, other: Option<Timestamp>| {
            *mine = mine.iter().copied().chain(other).min();
        };
        earlier(&mut self.failed, other.failed);
        earlier(&mut self.rolls_back, other.rolls_back);
        self.succeeded = self.succeeded.max(other.succeeded);
    }

    fn latest(&self) -> Option<Timestamp> {
        self.failed.max(self.succeeded).max(self.rolls_back)
    }

    /// Whether production was touched at all.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Production {
    /// Notes what is known of an execution, once CodePipeline was asked what it is about: a rollback is no change, and no
    /// event says that it is one.
    pub fn note(&mut self, execution: &str, picture: &Picture, rule: &DeliveryRule) {
        if !picture.about.is_looked_up {
            return;
        }
        let is_rollback = picture.about.rollback_to.is_some();
        // A rollback is one of a single stage, and may be that of another one.
        let began = ends::began(picture, &rule.production).filter(|_| is_rollback);
        let change = Change {
            failed: ends::failed(picture, &rule.production, rule),
            succeeded: ends::succeeded(picture, &rule.production),
            rolls_back: began,
        };
        if change.is_empty() {
            return;
        }
        self.changes.entry(execution.to_owned()).or_default().join(&change);
        if self.changes.len() > REMEMBERED {
            let oldest = self.changes.iter().min_by_key(|(id, change)| (change.latest(), (*id).clone()));
            if let Some(oldest) = oldest.map(|(id, _)| id.clone()) {
                self.changes.remove(&oldest);
                self.measured.retain(|key| !key.ends_with(&format!("/{oldest}")));
            }
        }
    }

    /// What was known at a time.
    #[must_use]
    pub fn until(mut self, end: Timestamp) -> Self {
        for change in self.changes.values_mut() {
            for moment in [&mut change.failed, &mut change.succeeded, &mut change.rolls_back] {
                *moment = moment.filter(|at| *at <= end);
            }
        }
        self.changes.retain(|_, change| !change.is_empty());
        self
    }

    /// The changes, by execution.
    pub fn changes(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.changes.iter().map(|(execution, change)| (execution.as_str(), change))
    }

    /// The changes that have failed in production or were rolled back, and when.
    pub fn failures(&self) -> Vec<(String, Timestamp)> {
        self.story().failures.into_iter().collect()
    }

    /// Each time that production was broken and restored, in order.
    pub fn restorations(&self) -> Vec<Restoration> {
        self.story().restorations
    }

    /// Since when production is broken, where it is.
    pub fn broken_since(&self) -> Option<Timestamp> {
        self.story().broken_since
    }

    fn story(&self) -> Story {
        let mut steps: Vec<(Timestamp, Step, &String)> = Vec::new();
        for (execution, change) in &self.changes {
            let all = [
                (change.rolls_back, Step::RollbackBegan),
                (change.failed, Step::Failed),
                (change.succeeded, Step::Succeeded),
            ];
            steps.extend(all.into_iter().filter_map(|(at, step)| Some((at?, step, execution))));
        }
        steps.sort_unstable();
        let mut story = Story::default();
        let mut running: Option<&String> = None;
        for (at, step, execution) in steps {
            let by_rollback = self.changes[execution].rolls_back.is_some();
            match step {
                // What runs in production has failed, though its stage had succeeded; unless it is known to be broken.
                Step::RollbackBegan if story.broken_since.is_none() => {
                    if let Some(running) = running.take() {
                        story.failures.entry(running.clone()).or_insert(at);
                    }
                    story.broken_since = Some(at);
                }
                Step::RollbackBegan => {}
                Step::Failed => {
                    if !by_rollback {
                        story.failures.entry(execution.clone()).or_insert(at);
                    }
                    story.broken_since = story.broken_since.or(Some(at));
                }
                Step::Succeeded => {
                    if let Some(failed) = story.broken_since.take() {
                        let execution = execution.clone();
                        story.restorations.push(Restoration { execution, failed, restored: at, by_rollback });
                    }
                    running = Some(execution).filter(|_| !by_rollback);
                }
            }
        }
        story
    }

    /// What is measured over several executions, so far.
    pub fn measure(&self, pipeline: &str) -> Vec<Measurement> {
        let story = self.story();
        let subject = |execution: &str| Subject {
            pipeline: pipeline.to_owned(),
            execution: execution.to_owned(),
            ..Subject::default()
        };
        let failures = story.failures.iter().map(|(execution, at)| Measurement {
            key: format!("failed-change/{execution}"),
            metric: Metric::FailedChanges,
            value: 1.0,
            at: *at,
            subject: subject(execution),
            origin: None,
        });
        let restorations = story.restorations.iter().map(|restoration| Measurement {
            key: format!("restoration/{}", restoration.execution),
            metric: Metric::RestoreTime,
            value: restoration.seconds(),
            at: restoration.restored,
            subject: subject(&restoration.execution),
            origin: None,
        });
        failures.chain(restorations).collect()
    }

    /// What is to be logged: each measurement once. Their keys are remembered here, so that this is stored before they are
    /// logged: where the writer dies in between, a measurement is lost, and none is there twice.
    pub fn take_due(&mut self, pipeline: &str) -> Vec<Measurement> {
        let mut due = self.measure(pipeline);
        due.retain(|measurement| self.measured.insert(measurement.key.clone()));
        due
    }
}
