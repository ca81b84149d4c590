//! The engine: every rule of CodePipeline as a deterministic state machine without input or output.
//!
//! Each call takes the time. What must happen outside comes out of [`Engine::next_effect`]; results are fed back by
//! the methods that the effects name. Time alone acts through [`Engine::tick`], which is due at [`Engine::next_timer`].

mod action;
mod approval;
mod condition;
mod definition;
mod effect;
mod execution;
mod job;
mod model;
mod retry;
mod rollback;
mod rule;
mod stage;
mod status;
mod stop;
mod transition;
mod variables;
mod worker;

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::Timestamp;

pub use effect::Effect;
pub use job::ArtifactCredentials;
pub use status::{ConditionStatus, ExecutionStatus};

pub(crate) use approval::ApprovalAnswer;
pub(crate) use execution::StartRequest;
pub(crate) use job::{Job, JobState, JobSuccess};
pub(crate) use model::{ActionExecution, ActionRef, Execution, ExecutionRef, Pipeline, StageRun, Work};
pub(crate) use status::{ActionStatus, StageStatus};
pub(crate) use transition::Direction;

use crate::declaration::ActionTypes;
use crate::error::ApiError;
use crate::events::{Change, Event};
use crate::ids::IdSource;
use crate::settings::Settings;

/// The state of a local CodePipeline.
pub struct Engine {
    settings: Settings,
    types: ActionTypes,
    ids: Box<dyn IdSource>,
    pipelines: BTreeMap<String, Pipeline>,
    /// Every action execution by its id.
    actions: HashMap<String, ActionRef>,
    /// Every job by its id.
    jobs: HashMap<String, Job>,
    /// The jobs that no job worker has taken, the oldest first.
    queued_jobs: Vec<String>,
    /// The job of every access key id that is still good.
    access_keys: HashMap<String, String>,
    effects: VecDeque<Effect>,
    sequence: u64,
}

impl Engine {
    /// An engine without pipelines that can run actions of `types`.
    pub fn new(settings: Settings, types: ActionTypes, ids: Box<dyn IdSource>) -> Self {
        Self {
            settings,
            types,
            ids,
            pipelines: BTreeMap::new(),
            actions: HashMap::new(),
            jobs: HashMap::new(),
            queued_jobs: Vec::new(),
            access_keys: HashMap::new(),
            effects: VecDeque::new(),
            sequence: 0,
        }
    }

    /// The oldest effect that was not yet taken.
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The earliest time at which [`Self::tick`] has something to do.
    pub fn next_timer(&self) -> Option<Timestamp> {
        self.running().filter_map(|(_, action)| action.work.timer()).min()
    }

    /// Does everything that is due at `now`, the earliest first. Calling it too early or too often changes nothing.
    pub fn tick(&mut self, now: Timestamp) {
        while let Some(due) = self.earliest_due(now) {
            self.timer_fired(now, &due);
        }
    }

    fn earliest_due(&self, now: Timestamp) -> Option<ActionRef> {
        let timers = self.running().filter_map(|(at, action)| Some((action.work.timer()?, at)));
        timers.filter(|(time, _)| *time <= now).min_by_key(|(time, _)| *time).map(|(_, at)| at)
    }

    /// The action executions that are in progress.
    fn running(&self) -> impl Iterator<Item = (ActionRef, &ActionExecution)> {
        self.pipelines.iter().flat_map(|(name, pipeline)| {
            let active = pipeline.executions.iter().enumerate().filter(|(_, execution)| !execution.status.is_final());
            active.flat_map(move |(index, execution)| {
                let running = execution.actions.iter().enumerate().filter(|(_, action)| action.is_running());
                running.map(move |(place, action)| {
                    let at = ExecutionRef { pipeline: name.clone(), index };
                    (ActionRef { execution: at, index: place }, action)
                })
            })
        })
    }

    fn timer_fired(&mut self, now: Timestamp, at: &ActionRef) {
        match self.action(at).work.clone() {
            Work::None => {}
            Work::Provider { .. } => self.provider_timed_out(now, at),
            Work::Job { .. } => self.job_timed_out(now, at),
            Work::Continuation { .. } => self.continue_job(now, at),
            Work::Approval { .. } => self.approval_expired(now, at),
            Work::Window { .. } => self.window_timer(now, at),
            Work::Alarm(watch) => self.alarm_timer(now, at, watch),
        }
    }

    pub(crate) fn types(&self) -> &ActionTypes {
        &self.types
    }

    pub(crate) fn types_mut(&mut self) -> &mut ActionTypes {
        &mut self.types
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn pipelines(&self) -> &BTreeMap<String, Pipeline> {
        &self.pipelines
    }

    pub(crate) fn pipeline(&self, name: &str) -> Result<&Pipeline, ApiError> {
        self.pipelines.get(name).ok_or_else(|| ApiError::pipeline_not_found(&self.settings.account_id, name))
    }

    fn pipeline_mut(&mut self, name: &str) -> Result<&mut Pipeline, ApiError> {
        let account = &self.settings.account_id;
        self.pipelines.get_mut(name).ok_or_else(|| ApiError::pipeline_not_found(account, name))
    }

    pub(crate) fn execution(&self, at: &ExecutionRef) -> &Execution {
        let pipeline = self.pipelines.get(&at.pipeline);
        &pipeline.expect("references die with their pipeline").executions[at.index]
    }

    fn execution_mut(&mut self, at: &ExecutionRef) -> &mut Execution {
        let pipeline = self.pipelines.get_mut(&at.pipeline);
        &mut pipeline.expect("references die with their pipeline").executions[at.index]
    }

    pub(crate) fn action(&self, at: &ActionRef) -> &ActionExecution {
        &self.execution(&at.execution).actions[at.index]
    }

    fn action_mut(&mut self, at: &ActionRef) -> &mut ActionExecution {
        &mut self.execution_mut(&at.execution).actions[at.index]
    }

    pub(crate) fn action_of_id(&self, id: &str) -> Option<&ActionRef> {
        self.actions.get(id)
    }

    pub(crate) fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.get(id)
    }

    fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    fn emit(&mut self, now: Timestamp, at: &ExecutionRef, change: Change) {
        let id = self.ids.uuid();
        let execution = self.execution(at);
        let event = Event {
            id,
            time: now,
            account_id: self.settings.account_id.clone(),
            region: self.settings.region.clone(),
            pipeline: at.pipeline.clone(),
            pipeline_version: execution.version,
            pipeline_execution_id: execution.id.clone(),
            attempt: execution.attempt,
            change,
        };
        self.effects.push_back(Effect::Emit(event));
    }
}
