//! What the engine remembers: pipelines, their executions, and what runs in them.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::status::{ActionStatus, ConditionStatus, ExecutionStatus, StageStatus};
use crate::declaration::{
    ActionDeclaration, ActionTypeId, ExecutionMode, Moment, PipelineDeclaration, RuleDeclaration,
};
use crate::provider::{Artifact, SourceRevision};
use crate::secret::Secret;

pub(crate) struct Pipeline {
    pub(crate) version: u32,
    /// Every version there was, for GetPipeline.
    pub(crate) versions: BTreeMap<u32, Arc<PipelineDeclaration>>,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) tags: BTreeMap<String, String>,
    /// Disabled transitions by the stage's name.
    pub(crate) transitions: BTreeMap<String, Transitions>,
    /// In the order of their start.
    pub(crate) executions: Vec<Execution>,
    /// The index of the execution that entered a stage last, by the stage's name. PARALLEL executions leave no trace.
    pub(crate) latest: BTreeMap<String, usize>,
    /// The execution that a clientRequestToken started.
    pub(crate) request_tokens: HashMap<String, String>,
}

impl Pipeline {
    pub(crate) fn declaration(&self) -> &Arc<PipelineDeclaration> {
        self.versions.get(&self.version).expect("the current version is kept with the others")
    }

    pub(crate) fn execution(&self, id: &str) -> Option<(usize, &Execution)> {
        self.executions.iter().enumerate().find(|(_, execution)| execution.id == id)
    }
}

#[derive(Clone, Default)]
pub(crate) struct Transitions {
    pub(crate) inbound: Transition,
    pub(crate) outbound: Transition,
}

/// One direction of a stage's transitions.
#[derive(Clone, Default)]
pub(crate) struct Transition {
    pub(crate) disabled_reason: Option<String>,
    pub(crate) changed: Option<(Timestamp, String)>,
}

pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) declaration: Arc<PipelineDeclaration>,
    pub(crate) mode: ExecutionMode,
    pub(crate) status: ExecutionStatus,
    pub(crate) status_summary: Option<String>,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    /// Type and detail.
    pub(crate) trigger: (String, String),
    /// 1, and one more for every retry of a stage.
    pub(crate) attempt: u32,
    pub(crate) attempt_started: Timestamp,
    pub(crate) stop: Option<Stop>,
    pub(crate) place: Place,
    /// For an execution that rolls a stage back: the id of the execution that it goes back to.
    pub(crate) rollback_to: Option<String>,
    pub(crate) variables: BTreeMap<String, String>,
    /// Revisions asked for, by the name of the source action.
    pub(crate) requested_revisions: BTreeMap<String, String>,
    /// One for each stage of the declaration.
    pub(crate) stages: Vec<StageRun>,
    /// Every execution of an action or a rule there was, in the order of their start.
    pub(crate) actions: Vec<ActionExecution>,
    /// The artifacts made so far, by name.
    pub(crate) artifacts: BTreeMap<String, Artifact>,
    /// The output variables so far, by namespace.
    pub(crate) namespaces: BTreeMap<String, BTreeMap<String, String>>,
}

/// A request to stop an execution.
#[derive(Clone)]
pub(crate) struct Stop {
    pub(crate) reason: Option<String>,
    pub(crate) abandon: bool,
}

/// Where an execution is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In front of the stage of this index; who arrived first has the lower ticket.
    Waiting { stage: usize, ticket: u64 },
    /// In the stage of this index.
    In(usize),
    /// It has ended.
    Ended,
}

/// A stage in one execution.
#[derive(Clone)]
pub(crate) struct StageRun {
    /// Nothing until the stage is entered.
    pub(crate) status: Option<StageStatus>,
    pub(crate) started: Timestamp,
    pub(crate) last_retry: Option<Timestamp>,
    pub(crate) manual_retries: u32,
    pub(crate) automatic_retries: u32,
    /// Whether the last retry was automatic.
    pub(crate) last_retry_automatic: bool,
    pub(crate) phase: Phase,
    /// For each action of the declaration the index of its execution in this attempt.
    pub(crate) current: Vec<Option<usize>>,
    before_entry: ConditionRun,
    on_success: ConditionRun,
    on_failure: ConditionRun,
}

/// How far a stage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its entry condition is looked at.
    Entry,
    /// Its actions run.
    Actions,
    /// All actions have succeeded; the condition on success is looked at.
    Success,
    /// An action has failed; the condition on failure is looked at.
    Failure,
}

/// A condition of a stage in one execution.
#[derive(Clone, Default)]
pub(crate) struct ConditionRun {
    /// Nothing until it is looked at.
    pub(crate) status: Option<ConditionStatus>,
    pub(crate) summary: Option<String>,
    pub(crate) changed: Option<Timestamp>,
    /// The indices of its rules' executions, in the order of the declaration.
    pub(crate) rules: Vec<usize>,
}

impl StageRun {
    pub(crate) fn new(actions: usize, now: Timestamp) -> Self {
        Self {
            status: None,
            started: now,
            last_retry: None,
            manual_retries: 0,
            automatic_retries: 0,
            last_retry_automatic: false,
            phase: Phase::Entry,
            current: vec![None; actions],
            before_entry: ConditionRun::default(),
            on_success: ConditionRun::default(),
            on_failure: ConditionRun::default(),
        }
    }

    pub(crate) fn condition(&self, moment: Moment) -> &ConditionRun {
        match moment {
            Moment::BeforeEntry => &self.before_entry,
            Moment::OnSuccess => &self.on_success,
            Moment::OnFailure => &self.on_failure,
        }
    }

    pub(crate) fn condition_mut(&mut self, moment: Moment) -> &mut ConditionRun {
        match moment {
            Moment::BeforeEntry => &mut self.before_entry,
            Moment::OnSuccess => &mut self.on_success,
            Moment::OnFailure => &mut self.on_failure,
        }
    }
}

/// What of a stage an execution runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The action of this index.
    Action(usize),
    /// The rule of this index in the condition of a moment.
    Rule(Moment, usize),
}

/// An execution of an action, or of a rule, which runs as an action does.
pub(crate) struct ActionExecution {
    pub(crate) id: String,
    /// Orders the action executions of a pipeline by their start.
    pub(crate) sequence: u64,
    pub(crate) stage: usize,
    pub(crate) part: Part,
    /// The name of the action or the rule.
    pub(crate) name: String,
    /// Its type; the category of a rule is `Rule`.
    pub(crate) type_id: ActionTypeId,
    pub(crate) status: ActionStatus,
    pub(crate) started: Timestamp,
    pub(crate) updated: Timestamp,
    pub(crate) updated_by: Option<String>,
    pub(crate) region: String,
    /// Empty where a variable could not be resolved.
    pub(crate) configuration: BTreeMap<String, String>,
    pub(crate) commands: Vec<String>,
    pub(crate) input_artifacts: Vec<Artifact>,
    pub(crate) output_artifacts: Vec<Artifact>,
    pub(crate) external_execution_id: Option<String>,
    pub(crate) external_execution_url: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) percent_complete: Option<u8>,
    pub(crate) error: Option<ErrorDetails>,
    pub(crate) output_variables: BTreeMap<String, String>,
    pub(crate) revision: Option<SourceRevision>,
    pub(crate) work: Work,
    /// The token of a manual approval; of no use once it is answered.
    pub(crate) approval_token: Option<Secret>,
}

impl ActionExecution {
    pub(crate) fn is_running(&self) -> bool {
        self.status == ActionStatus::InProgress
    }
}

#[derive(Clone)]
pub(crate) struct ErrorDetails {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// What an action execution waits for.
#[derive(Clone)]
pub(crate) enum Work {
    /// Nothing: it has ended.
    None,
    /// A provider outside; it is cancelled at the deadline.
    Provider { deadline: Timestamp },
    /// The answer to a job.
    Job { job_id: String, worker: Worker, answer_by: Timestamp, give_up: Timestamp },
    /// The time of the next invocation of a function, after an answer with a continuation token.
    Continuation { token: String, worker: Worker, due: Timestamp, give_up: Timestamp },
    /// A person.
    Approval { expires: Timestamp },
    /// The opening of a deployment window.
    Window { opens: Option<Timestamp>, deadline: Timestamp },
    /// The state of an alarm, which is looked at again and again.
    Alarm(AlarmWatch),
}

/// How far the watching of an alarm is.
#[derive(Clone, Copy)]
pub(crate) struct AlarmWatch {
    /// When the watching ends.
    pub(crate) until: Timestamp,
    /// When the alarm is looked at next; while somebody looks, when an answer must have come.
    pub(crate) due: Timestamp,
    /// Whether somebody looks at it now.
    pub(crate) asked: bool,
}

/// Who carries out a job.
#[derive(Clone)]
pub(crate) enum Worker {
    /// A Lambda function, which the job is sent to.
    Function(String),
    /// A job worker, which polls for jobs of this type.
    Custom(ActionTypeId),
}

impl fmt::Display for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(name) => write!(f, "the Lambda function {name}"),
            Self::Custom(id) => write!(f, "the job worker of {id}"),
        }
    }
}

impl Work {
    /// When time alone makes something happen.
    pub(crate) fn timer(&self) -> Option<Timestamp> {
        match self {
            Self::None => None,
            Self::Provider { deadline } => Some(*deadline),
            Self::Job { answer_by, give_up, .. } => Some(*answer_by.min(give_up)),
            Self::Continuation { due, give_up, .. } => Some(*due.min(give_up)),
            Self::Approval { expires } => Some(*expires),
            Self::Window { opens, deadline } => Some(opens.unwrap_or(*deadline).min(*deadline)),
            Self::Alarm(watch) => Some(watch.due),
        }
    }
}

/// Finds an execution; stays valid for the life of its pipeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ExecutionRef {
    pub(crate) pipeline: String,
    pub(crate) index: usize,
}

/// Finds an action execution.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ActionRef {
    pub(crate) execution: ExecutionRef,
    pub(crate) index: usize,
}

impl Execution {
    /// The declaration of an action execution; a rule has another.
    pub(crate) fn declared(&self, action: &ActionExecution) -> Option<&ActionDeclaration> {
        match action.part {
            Part::Action(index) => self.declaration.stages[action.stage].actions.get(index),
            Part::Rule(..) => None,
        }
    }

    /// The declaration of a rule execution.
    pub(crate) fn declared_rule(&self, action: &ActionExecution) -> Option<&RuleDeclaration> {
        match action.part {
            Part::Action(_) => None,
            Part::Rule(moment, index) => self.declaration.stages[action.stage].condition(moment)?.rules.get(index),
        }
    }

    /// The executions of actions, without those of rules.
    pub(crate) fn action_executions(&self) -> impl Iterator<Item = &ActionExecution> {
        self.actions.iter().filter(|action| matches!(action.part, Part::Action(_)))
    }

    /// The executions of rules.
    pub(crate) fn rule_executions(&self) -> impl Iterator<Item = &ActionExecution> {
        self.actions.iter().filter(|action| matches!(action.part, Part::Rule(..)))
    }
}
