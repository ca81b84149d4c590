//! The life of an action execution: its start, what providers report, its end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::model::{ActionExecution, ActionRef, ErrorDetails, ExecutionRef, Part, Work, Worker};
use super::status::ActionStatus;
use super::variables::resolve;
use super::{Effect, Engine, Execution, JobState};
use crate::declaration::{ActionDeclaration, ActionTypeId, InputArtifact};
use crate::events::{ActionChange, ActionProgress, ActionResult, Change, RuleChange, State};
use crate::provider::{ActionFailure, ActionRequest, ActionSuccess, Artifact, ProgressUpdate};

/// The longest texts of the AWS model, in characters.
const SUMMARY: usize = 2048;
const ERROR_MESSAGE: usize = 5000;
/// How much of names goes into the key of an artifact. AWS documents that it cuts them, and not where.
const PIPELINE_IN_KEY: usize = 20;
const ARTIFACT_IN_KEY: usize = 10;

impl Engine {
    /// Starts an action of the stage that an execution is in. An action that cannot start has failed afterwards.
    pub(super) fn start_action(&mut self, now: Timestamp, at: &ExecutionRef, stage: usize, action: usize) {
        let id = self.ids.uuid();
        let sequence = self.next_sequence();
        let execution = self.execution(at);
        let declared = execution.declaration.stages[stage].actions[action].clone();
        let inputs = input_artifacts(execution, &declared.input_artifacts);
        let resolved = resolve(execution, &declared.configuration, &declared.commands);
        let region = declared.region.clone().unwrap_or_else(|| self.settings.region.clone());
        let outputs = declared.output_artifacts.iter().map(|output| self.artifact_place(at, &region, &output.name));
        let outputs = outputs.collect::<Vec<_>>().into_iter().map(|place| self.with_random_key(place)).collect();
        let part = (Part::Action(action), declared.name.clone(), declared.action_type_id.clone());
        let mut started = new_action((id, sequence), stage, part, now, region);
        started.output_artifacts = outputs;
        let resolved = match unsupported(&declared) {
            Some(member) => Err(format!("the action declares {member}, which the local CodePipeline does not support")),
            None => resolved,
        };
        let problem = match (inputs, resolved) {
            (Ok(inputs), Ok(resolved)) => {
                started.input_artifacts = inputs;
                started.configuration = resolved.configuration;
                started.commands = resolved.commands;
                None
            }
            (Err(problem), _) | (_, Err(problem)) => Some(problem),
        };
        let action_at = self.add_action(at, started);
        self.emit_action(now, &action_at, State::Started);
        match problem {
            Some(problem) => self.fail_action(now, &action_at, ActionFailure::new("ConfigurationError", problem)),
            None => self.begin_work(now, &action_at, &declared),
        }
    }

    pub(super) fn add_action(&mut self, at: &ExecutionRef, started: ActionExecution) -> ActionRef {
        let id = started.id.clone();
        let (stage, part) = (started.stage, started.part);
        let execution = self.execution_mut(at);
        let index = execution.actions.len();
        execution.actions.push(started);
        let run = &mut execution.stages[stage];
        match part {
            Part::Action(action) => run.current[action] = Some(index),
            Part::Rule(moment, _) => run.condition_mut(moment).rules.push(index),
        }
        let action_at = ActionRef { execution: at.clone(), index };
        self.actions.insert(id, action_at.clone());
        action_at
    }

    /// The bucket of an artifact and the key up to its random part.
    fn artifact_place(&self, at: &ExecutionRef, region: &str, name: &str) -> Artifact {
        let store = self.execution(at).declaration.store(region);
        let any = || self.execution(at).declaration.artifact_stores.as_ref().and_then(|stores| stores.values().next());
        let bucket = store.or_else(any).map(|store| store.location.clone()).unwrap_or_default();
        let key = format!("{}/{}/", cut(&at.pipeline, PIPELINE_IN_KEY), cut(name, ARTIFACT_IN_KEY));
        Artifact { name: name.to_owned(), bucket, key, revision: None }
    }

    fn with_random_key(&mut self, mut place: Artifact) -> Artifact {
        place.key.push_str(&self.ids.alphanumeric(7));
        place
    }

    fn begin_work(&mut self, now: Timestamp, at: &ActionRef, declared: &ActionDeclaration) {
        let id = &declared.action_type_id;
        match (id.owner.as_str(), id.category.as_str(), id.provider.as_str()) {
            ("Custom", ..) => self.queue_job(now, at, id),
            (_, "Invoke", "Lambda") => {
                let function = self.action(at).configuration.get("FunctionName").cloned().unwrap_or_default();
                self.first_job(now, at, Worker::Function(function));
            }
            (_, "Approval", "Manual") => self.open_approval(now, at, declared),
            _ => self.start_provider(now, at, id),
        }
    }

    /// Hands an action or a rule to the provider of an action type.
    pub(super) fn start_provider(&mut self, now: Timestamp, at: &ActionRef, id: &ActionTypeId) {
        let deadline = later(now, provider_timeout(id));
        let execution = self.execution(&at.execution);
        let action = self.action(at);
        let request = ActionRequest {
            pipeline: at.execution.pipeline.clone(),
            pipeline_execution_id: execution.id.clone(),
            stage: execution.declaration.stages[action.stage].name.clone(),
            action: action.name.clone(),
            action_execution_id: action.id.clone(),
            provider: id.provider.clone(),
            region: action.region.clone(),
            configuration: action.configuration.clone(),
            commands: action.commands.clone(),
            input_artifacts: action.input_artifacts.clone(),
            output_artifacts: action.output_artifacts.clone(),
            requested_revision: execution.requested_revisions.get(&action.name).cloned(),
        };
        self.action_mut(at).work = Work::Provider { deadline };
        let category = id.category.clone();
        self.effects.push_back(Effect::StartAction { category, request });
    }

    /// Takes what a provider reports at the end of its action. A report for an action that has ended changes nothing.
    pub fn action_finished(
        &mut self,
        now: Timestamp,
        action_execution_id: &str,
        result: Result<ActionSuccess, ActionFailure>,
    ) {
        let Some(at) = self.actions.get(action_execution_id).cloned() else { return };
        if !matches!(self.action(&at).work, Work::Provider { .. }) {
            return;
        }
        // Who reports has ended by itself and needs no cancelling.
        self.action_mut(&at).work = Work::None;
        match result {
            Ok(success) => self.succeed_action(now, &at, success),
            Err(failure) => self.fail_action(now, &at, failure),
        }
        self.advance(now, &at.execution);
    }

    /// Takes what a provider reports while its action runs.
    pub fn action_progressed(&mut self, now: Timestamp, action_execution_id: &str, update: ProgressUpdate) {
        let Some(at) = self.actions.get(action_execution_id).cloned() else { return };
        if self.action(&at).is_running() {
            self.note_progress(now, &at, update);
        }
    }

    pub(super) fn note_progress(&mut self, now: Timestamp, at: &ActionRef, update: ProgressUpdate) {
        let action = self.action_mut(at);
        action.updated = now;
        action.percent_complete = update.percent_complete.map(|percent| percent.min(100)).or(action.percent_complete);
        keep(&mut action.external_execution_id, update.external_execution_id);
        keep(&mut action.external_execution_url, update.external_execution_url);
        keep(&mut action.summary, update.summary.map(|summary| cut(&summary, SUMMARY).to_owned()));
        let action = self.action(at);
        let (stage, name) = self.names(at);
        let progress = ActionProgress {
            stage,
            action: name,
            action_execution_id: action.id.clone(),
            external_execution_id: action.external_execution_id.clone(),
            external_execution_url: action.external_execution_url.clone(),
            summary: action.summary.clone(),
            percent_complete: action.percent_complete,
        };
        self.emit(now, &at.execution, Change::Progress(progress));
    }

    pub(super) fn provider_timed_out(&mut self, now: Timestamp, at: &ActionRef) {
        let Work::Provider { deadline } = self.action(at).work else { return };
        let action = self.action(at);
        let within = in_words(deadline.duration_since(action.started));
        let message = format!("{} did not end within {within}", action.type_id);
        self.fail_action(now, at, ActionFailure::new("JobFailed", message));
        self.advance(now, &at.execution);
    }

    pub(super) fn succeed_action(&mut self, now: Timestamp, at: &ActionRef, success: ActionSuccess) {
        self.release_work(at, JobState::Succeeded);
        let execution = self.execution_mut(&at.execution);
        let action = &mut execution.actions[at.index];
        action.status = ActionStatus::Succeeded;
        action.updated = now;
        keep(&mut action.external_execution_id, success.external_execution_id);
        keep(&mut action.external_execution_url, success.external_execution_url);
        keep(&mut action.summary, success.summary.map(|summary| cut(&summary, SUMMARY).to_owned()));
        action.output_variables = success.output_variables;
        action.revision = success.revision;
        let revision = action.revision.as_ref().map(|revision| revision.id.clone());
        for artifact in &mut action.output_artifacts {
            artifact.revision.clone_from(&revision);
            execution.artifacts.insert(artifact.name.clone(), artifact.clone());
        }
        // A rule has no namespace.
        let declared = &execution.declaration.stages[action.stage].actions;
        let declared = match action.part {
            Part::Action(index) => declared.get(index),
            Part::Rule(..) => None,
        };
        if let Some(namespace) = declared.and_then(|declared| declared.namespace.as_ref()) {
            execution.namespaces.insert(namespace.clone(), action.output_variables.clone());
        }
        self.emit_action(now, at, State::Succeeded);
    }

    pub(super) fn fail_action(&mut self, now: Timestamp, at: &ActionRef, failure: ActionFailure) {
        self.release_work(at, JobState::Failed);
        let action = self.action_mut(at);
        action.status = ActionStatus::Failed;
        action.updated = now;
        keep(&mut action.external_execution_id, failure.external_execution_id);
        keep(&mut action.external_execution_url, failure.external_execution_url);
        let message = cut(&failure.message, ERROR_MESSAGE).to_owned();
        action.error = Some(ErrorDetails { code: failure.code, message });
        self.emit_action(now, at, State::Failed);
    }

    /// Takes an action from whoever works on it. A provider that may still run is told to end.
    pub(super) fn release_work(&mut self, at: &ActionRef, job_state: JobState) {
        let action = self.action_mut(at);
        let id = action.id.clone();
        match std::mem::replace(&mut action.work, Work::None) {
            Work::Provider { .. } => self.effects.push_back(Effect::CancelAction { action_execution_id: id }),
            Work::Job { job_id, .. } => self.close_job(&job_id, job_state),
            Work::None | Work::Continuation { .. } | Work::Approval { .. } | Work::Window { .. } | Work::Alarm(_) => {}
        }
    }

    /// The names of stage and action.
    pub(super) fn names(&self, at: &ActionRef) -> (String, String) {
        let action = self.action(at);
        let stage = &self.execution(&at.execution).declaration.stages[action.stage];
        (stage.name.clone(), action.name.clone())
    }

    pub(super) fn emit_action(&mut self, now: Timestamp, at: &ActionRef, state: State) {
        let execution = self.execution(&at.execution);
        let action = self.action(at);
        let result = ActionResult {
            external_execution_id: action.external_execution_id.clone(),
            external_execution_url: action.external_execution_url.clone(),
            summary: action.error.as_ref().map(|error| error.message.clone()).or_else(|| action.summary.clone()),
            error_code: action.error.as_ref().map(|error| error.code.clone()),
        };
        let ended = matches!(state, State::Succeeded | State::Failed).then_some(result);
        let stage = execution.declaration.stages[action.stage].name.clone();
        if let Part::Rule(moment, _) = action.part {
            let change = RuleChange {
                stage,
                moment,
                rule: action.name.clone(),
                rule_execution_id: action.id.clone(),
                provider: action.type_id.provider.clone(),
                state,
                start_time: action.started,
                result: ended,
            };
            return self.emit(now, &at.execution, Change::Rule(change));
        }
        let change = ActionChange {
            stage,
            action: action.name.clone(),
            action_execution_id: action.id.clone(),
            action_type: action.type_id.clone(),
            state,
            start_time: action.started,
            region: action.region.clone(),
            input_artifacts: action.input_artifacts.clone(),
            output_artifacts: action.output_artifacts.clone(),
            result: ended,
        };
        self.emit(now, &at.execution, Change::Action(change));
    }
}

/// The places of input artifacts; the error is the message of a `ConfigurationError`.
pub(super) fn input_artifacts(execution: &Execution, declared: &[InputArtifact]) -> Result<Vec<Artifact>, String> {
    let found = declared.iter().map(|input| {
        let found = execution.artifacts.get(&input.name).cloned();
        found.ok_or_else(|| format!("the input artifact {} was not made by this execution", input.name))
    });
    found.collect()
}

pub(super) fn new_action(
    (id, sequence): (String, u64),
    stage: usize,
    (part, name, type_id): (Part, String, ActionTypeId),
    now: Timestamp,
    region: String,
) -> ActionExecution {
    ActionExecution {
        id,
        sequence,
        stage,
        part,
        name,
        type_id,
        status: ActionStatus::InProgress,
        started: now,
        updated: now,
        updated_by: None,
        region,
        configuration: BTreeMap::new(),
        commands: Vec::new(),
        input_artifacts: Vec::new(),
        output_artifacts: Vec::new(),
        external_execution_id: None,
        external_execution_url: None,
        summary: None,
        percent_complete: None,
        error: None,
        output_variables: BTreeMap::new(),
        revision: None,
        work: Work::None,
        approval_token: None,
    }
}

/// The member of a declaration that no provider is given. Running the action without it would be another action.
fn unsupported(declared: &ActionDeclaration) -> Option<&'static str> {
    if declared.environment_variables.is_some() {
        Some("environmentVariables")
    } else if !declared.output_variables.is_empty() {
        Some("outputVariables")
    } else {
        None
    }
}

/// How long a provider may take (AWS CodePipeline guide, quotas, "length of time before an action times out").
fn provider_timeout(id: &ActionTypeId) -> SignedDuration {
    let minutes = match (id.category.as_str(), id.provider.as_str()) {
        ("Build", "CodeBuild") => 36 * 60,
        ("Test", _) => 8 * 60,
        ("Deploy", "CodeDeploy" | "CodeDeployToECS") => 5 * 24 * 60,
        ("Deploy", "CloudFormation") => 3 * 24 * 60,
        ("Deploy", "S3") => 90,
        ("Invoke", "StepFunctions") => 7 * 24 * 60,
        ("Compute", "Commands") => 55,
        _ => 60,
    };
    SignedDuration::from_mins(minutes)
}

/// A duration of whole minutes as a person says it.
pub(super) fn in_words(duration: SignedDuration) -> String {
    match duration.as_mins() {
        minutes if minutes % (24 * 60) == 0 && minutes > 24 * 60 => format!("{} days", minutes / (24 * 60)),
        minutes if minutes % 60 == 0 && minutes > 60 => format!("{} hours", minutes / 60),
        minutes => format!("{minutes} minutes"),
    }
}

/// A time after `now`, or the end of time.
pub(super) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// The first `most` characters of a text.
pub(super) fn cut(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(end, _)| &text[..end])
}

/// Takes a new value where there is one; an empty text is none.
fn keep(value: &mut Option<String>, new: Option<String>) {
    if let Some(new) = new.filter(|new| !new.is_empty()) {
        *value = Some(new);
    }
}
