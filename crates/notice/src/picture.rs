//! What is known of one execution, put together from whatever arrives.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use stagegate_pipeline_event::{ActionChange, Change, Event, ExecutionChange, StageChange};
use stagegate_verdict::Outcome;

use crate::about::{About, Series, VerdictLine};
use crate::action::{APPROVAL, Action, Reason, ReasonSource};
use crate::register::{Moment, earlier, greater, kept};
use crate::states::{ActionState, ExecutionState, StageState};
use crate::subject::Subject;

/// What is known of one execution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// What is executed.
    #[serde(default)]
    pub subject: Subject,
    /// When it began.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// How it stands.
    #[serde(default)]
    pub state: Option<Moment<ExecutionState>>,
    /// When it was in each state for the first time.
    #[serde(default)]
    pub seen: BTreeMap<ExecutionState, Timestamp>,
    /// The stages that have begun, by name.
    #[serde(default)]
    pub stages: BTreeMap<String, Stage>,
    /// The executions of actions, by id.
    #[serde(default)]
    pub actions: BTreeMap<String, Action>,
    /// What it is about.
    #[serde(default)]
    pub about: About,
    /// The failures before it, where somebody has looked.
    #[serde(default)]
    pub series: Option<Series>,
    /// Whether its first failure is the first one since the pipeline was green, where somebody has looked.
    #[serde(default)]
    pub breaks: Option<bool>,
    /// By the time of the last progress, for how long there was none after it when somebody looked.
    #[serde(default)]
    pub stalls: BTreeMap<Timestamp, SignedDuration>,
    /// What providers have said of parts of it, by their own ids: of builds, for example.
    #[serde(default)]
    pub parts: BTreeMap<String, Part>,
    /// What gates have said, by gate.
    #[serde(default)]
    pub verdicts: BTreeMap<String, VerdictLine>,
    /// By gate, how its verdicts came out, each by its time: a gate that was asked again has given two.
    #[serde(default)]
    pub judgements: BTreeMap<String, BTreeMap<Timestamp, Outcome>>,
    /// The ends in failure at which somebody has looked and found no action that had failed: each by the last execution of
    /// an action before it.
    #[serde(default)]
    pub failures_without_action: BTreeSet<String>,
}

/// What a provider has said of what it did for an action.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Part {
    /// Why it failed.
    pub reason: Option<Reason>,
    /// Where its logs are.
    pub logs: Option<String>,
}

/// What is known of a stage beside its actions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// When it began.
    pub started: Option<Timestamp>,
    /// How it stands.
    pub state: Option<Moment<StageState>>,
    /// When it was heard to fail for the first time.
    #[serde(default)]
    pub failed: Option<Timestamp>,
}

impl Picture {
    /// What an event says. `at` stands in where the event has no time.
    pub fn of(event: &Event, at: Timestamp) -> Self {
        let at = event.time.unwrap_or(at);
        let mut picture = Self::default();
        picture.about.region = kept(event.region.as_deref());
        match &event.change {
            Change::Execution(change) => picture.execution_change(change, at),
            Change::Stage(change) => picture.stage_change(change, at),
            Change::Action(change) => picture.action_change(change, at),
            Change::Build(change) => picture.build_change(change, at),
            Change::Phase(_) => picture.subject = Subject::Build,
            Change::Deployment(change) => picture.deployment_change(change, at),
            Change::Instance(_) => picture.subject = Subject::Deployment,
        }
        picture
    }

    fn execution_change(&mut self, change: &ExecutionChange, at: Timestamp) {
        self.started = time(change.start_time.as_deref());
        if let Some(state) = change.state.as_deref().and_then(ExecutionState::read) {
            self.enter(state, at);
        }
        self.about.stop_comment = kept(change.stop_execution_comments.as_deref());
        let Some(trigger) = &change.execution_trigger else { return };
        self.about.author = kept(trigger.author_name.as_deref());
        self.about.author_email = kept(trigger.author_email.as_deref());
        // The one who started it by hand is the end of the ARN.
        let detail = trigger.trigger_detail.as_deref().map(|arn| arn.rsplit('/').next().unwrap_or(arn));
        self.about.trigger = kept(detail.or(trigger.trigger_type.as_deref()));
    }

    /// The execution was in a state at a time.
    pub fn enter(&mut self, state: ExecutionState, at: Timestamp) {
        greater(&mut self.state, &Some(Moment { at, state }));
        let first = self.seen.entry(state).or_insert(at);
        *first = at.min(*first);
    }

    fn stage_change(&mut self, change: &StageChange, at: Timestamp) {
        let Some(name) = kept(change.stage.as_deref()) else { return };
        let state = change.state.as_deref().and_then(StageState::read).map(|state| Moment { at, state });
        let started = time(change.start_time.as_deref());
        let failed = state.filter(|moment| moment.state == StageState::Failed).map(|moment| moment.at);
        self.stages.insert(name, Stage { started, state, failed });
    }

    fn action_change(&mut self, change: &ActionChange, at: Timestamp) {
        let Some(state) = change.state.as_deref().and_then(ActionState::read) else { return };
        // Events of older times have no id; then the whole action is looked up.
        let Some(id) = kept(change.action_execution_id.as_deref()) else { return };
        let result = change.execution_result.clone().unwrap_or_default();
        let has_failed = state == ActionState::Failed;
        let reason = kept(result.summary.as_deref()).filter(|_| has_failed).map(|text| Reason {
            source: ReasonSource::Event,
            text,
            code: kept(result.error_code.as_deref()),
        });
        let category = kept(change.action_type.as_ref().and_then(|kind| kind.category.as_deref()));
        let action = Action {
            stage: kept(change.stage.as_deref()),
            name: kept(change.action.as_deref()),
            provider: kept(change.action_type.as_ref().and_then(|kind| kind.provider.as_deref())),
            // That of an approval may be the token that answers it.
            external_id: kept(result.id.as_deref()).filter(|_| category.as_deref() != Some(APPROVAL)),
            category,
            started: time(change.start_time.as_deref()),
            ended: (state != ActionState::Started).then_some(at),
            state,
            reason,
            url: kept(result.url.as_deref()).filter(|url| url.starts_with("https://")),
            logs: None,
            is_looked_up: false,
        };
        self.actions.insert(id, action);
    }

    /// Puts two pictures together. The order does not matter, and neither does doing it twice.
    pub fn join(&mut self, other: &Self) {
        greater(&mut self.subject, &other.subject);
        earlier(&mut self.started, other.started);
        greater(&mut self.state, &other.state);
        for (state, at) in &other.seen {
            let first = self.seen.entry(*state).or_insert(*at);
            *first = (*first).min(*at);
        }
        for (name, stage) in &other.stages {
            let mine = self.stages.entry(name.clone()).or_default();
            earlier(&mut mine.started, stage.started);
            greater(&mut mine.state, &stage.state);
            earlier(&mut mine.failed, stage.failed);
        }
        for (id, action) in &other.actions {
            self.actions.entry(id.clone()).or_default().join(action);
        }
        self.about.join(&other.about);
        greater(&mut self.series, &other.series);
        greater(&mut self.breaks, &other.breaks);
        for (since, length) in &other.stalls {
            greater(self.stalls.entry(*since).or_default(), length);
        }
        for (id, part) in &other.parts {
            greater(self.parts.entry(id.clone()).or_default(), part);
        }
        for (gate, verdict) in &other.verdicts {
            greater(self.verdicts.entry(gate.clone()).or_insert_with(|| verdict.clone()), verdict);
        }
        for (gate, outcomes) in &other.judgements {
            let mine = self.judgements.entry(gate.clone()).or_default();
            for (at, outcome) in outcomes {
                greater(mine.entry(*at).or_insert(*outcome), outcome);
            }
        }
        self.failures_without_action.extend(other.failures_without_action.iter().cloned());
    }

    /// How the execution stands, as far as it is known.
    pub fn execution_state(&self) -> Option<ExecutionState> {
        self.state.map(|moment| moment.state)
    }

    /// When something was last seen to happen.
    pub fn last_progress(&self) -> Option<Timestamp> {
        let stages = self.stages.values().map(|stage| stage.started.max(stage.state.map(|moment| moment.at)));
        let actions = self.actions.values().map(|action| action.started.max(action.ended));
        let own = [self.started, self.state.map(|moment| moment.at)];
        own.into_iter().chain(stages).chain(actions).flatten().max()
    }

    /// The names of the stages in their order: that of the pipeline where it is known, then by their beginning.
    pub(crate) fn stage_names(&self) -> Vec<&str> {
        let mut others: BTreeMap<&str, Option<Timestamp>> = BTreeMap::new();
        for (name, stage) in &self.stages {
            others.insert(name, stage.started);
        }
        for action in self.actions.values() {
            if let Some(stage) = &action.stage {
                earlier(others.entry(stage).or_default(), action.started);
            }
        }
        let known: Vec<_> = self.about.stages.iter().map(String::as_str).collect();
        let mut rest: Vec<_> = others.into_iter().filter(|(name, _)| !known.contains(name)).collect();
        rest.sort_by_key(|(name, started)| (started.is_none(), *started, *name));
        known.into_iter().chain(rest.into_iter().map(|(name, _)| name)).collect()
    }
}

fn time(text: Option<&str>) -> Option<Timestamp> {
    text?.parse().ok()
}
