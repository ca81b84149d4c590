//! The rules of a declaration that no single member shows (AWS CodePipeline guide, pipeline and action structure).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ActionDeclaration, ActionTypes, ExecutionMode, Moment, Piece, PipelineDeclaration, PipelineType, RuleDeclaration,
    StageDeclaration, pieces,
};
use crate::error::ApiError;

const STAGES: std::ops::RangeInclusive<usize> = 2..=50;
const ACTIONS_IN_PIPELINE: usize = 1000;
const ACTIONS_IN_STAGE: usize = 100;

pub(super) type Checked = Result<(), ApiError>;

impl PipelineDeclaration {
    /// Checks the structure: stages, sources, names, artifacts, namespaces, references, action types.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, with the exception that CreatePipeline names for its kind.
    pub fn check_structure(&self, types: &ActionTypes) -> Checked {
        self.check_type()?;
        self.check_stores()?;
        self.check_stages()?;
        let mut earlier = Earlier::new(self);
        for stage in &self.stages {
            check_stage(stage)?;
            self.check_condition(stage, Moment::BeforeEntry, types, &earlier)?;
            // A later group may use what an earlier one made; actions of one group run at the same time and may not.
            let mut in_order: Vec<_> = stage.actions.iter().collect();
            in_order.sort_by_key(|action| action.run_order);
            for group in in_order.chunk_by(|a, b| a.run_order == b.run_order) {
                for action in group {
                    self.check_action(stage, action, types, &earlier)?;
                }
                for action in group {
                    earlier.add(stage, action)?;
                }
            }
            for moment in [Moment::OnSuccess, Moment::OnFailure] {
                self.check_condition(stage, moment, types, &earlier)?;
            }
        }
        earlier.check_names()
    }

    fn check_type(&self) -> Checked {
        let needs_v2 = match () {
            () if self.execution_mode != ExecutionMode::Superseded => "an execution mode other than SUPERSEDED",
            () if !self.variables.is_empty() => "variables",
            () if self.triggers.is_some() => "triggers",
            () if self.stages.iter().any(StageDeclaration::has_conditions) => "stage conditions",
            () => "",
        };
        if self.pipeline_type == PipelineType::V1 && !needs_v2.is_empty() {
            return structure(format!("a V1 pipeline cannot have {needs_v2}; set pipelineType to V2"));
        }
        match duplicate(self.variables.iter().map(|variable| variable.name.as_str())) {
            Some(name) => structure(format!("the pipeline variable {name} is declared twice")),
            None => Ok(()),
        }
    }

    fn check_stores(&self) -> Checked {
        match (&self.artifact_store, &self.artifact_stores) {
            (Some(_), None) => Ok(()),
            (None, Some(stores)) if !stores.is_empty() => Ok(()),
            (Some(_), Some(_)) => structure("artifactStore and artifactStores are both given; keep one".to_owned()),
            (None, _) => structure("there is no artifactStore; name the bucket of the artifacts".to_owned()),
        }
    }

    fn check_stages(&self) -> Checked {
        let count = self.stages.len();
        if !STAGES.contains(&count) {
            return structure(format!("a pipeline has 2 to 50 stages, this one has {count}"));
        }
        if let Some(name) = duplicate(self.stages.iter().map(|stage| stage.name.as_str())) {
            return structure(format!("two stages are named {name}; stage names are unique within a pipeline"));
        }
        let is_source = |action: &&ActionDeclaration| action.action_type_id.category == "Source";
        let (first, others) = (&self.stages[0], &self.stages[1..]);
        if first.actions.is_empty() || !first.actions.iter().all(|action| is_source(&action)) {
            let name = &first.name;
            return structure(format!(
                "the first stage ({name}) must hold source actions, at least one, and no others"
            ));
        }
        for stage in others {
            if let Some(action) = stage.actions.iter().find(is_source) {
                let (name, stage) = (&action.name, &stage.name);
                return structure(format!(
                    "the source action {name} is in stage {stage}; source actions are allowed in the first stage only"
                ));
            }
        }
        if others.iter().all(|stage| stage.actions.is_empty()) {
            return structure("the pipeline has only source actions; at least one other action is needed".to_owned());
        }
        match self.stages.iter().map(|stage| stage.actions.len()).sum::<usize>() {
            total if total > ACTIONS_IN_PIPELINE => Err(ApiError::new(
                "LimitExceededException",
                format!("a pipeline has at most 1000 actions, not {total}"),
            )),
            _ => Ok(()),
        }
    }

    fn check_action(
        &self,
        stage: &StageDeclaration,
        action: &ActionDeclaration,
        types: &ActionTypes,
        earlier: &Earlier<'_>,
    ) -> Checked {
        let place = format!("action {} in stage {}", action.name, stage.name);
        check_action_type(action, types, &place)?;
        check_counts(action, types, &place)?;
        check_members(action, types, &place)?;
        let region_store = action.region.as_deref().is_none_or(|region| self.store(region).is_some());
        if !region_store {
            let region = action.region.as_deref().unwrap_or_default();
            return invalid(format!("{place} runs in {region}, for which artifactStores has no bucket"));
        }
        if let Some(name) = duplicate(action.input_artifacts.iter().map(|artifact| artifact.name.as_str())) {
            return invalid(format!("{place} takes the artifact {name} twice"));
        }
        for artifact in &action.input_artifacts {
            if !earlier.artifacts.contains_key(artifact.name.as_str()) {
                let name = &artifact.name;
                return invalid(format!("{place} takes the artifact {name}, which no earlier action makes"));
            }
        }
        earlier.check_references(stage, action)
    }
}

fn check_stage(stage: &StageDeclaration) -> Checked {
    let name = &stage.name;
    let wrong = |message: String| Err(ApiError::new("InvalidStageDeclarationException", message));
    if stage.actions.is_empty() {
        return wrong(format!("stage {name} has no action"));
    }
    if stage.actions.len() > ACTIONS_IN_STAGE {
        return wrong(format!("stage {name} has {} actions; at most 100 are allowed", stage.actions.len()));
    }
    if let Some(action) = duplicate(stage.actions.iter().map(|action| action.name.as_str())) {
        return wrong(format!("two actions in stage {name} are named {action}"));
    }
    if stage.blockers.as_ref().and_then(|blockers| blockers.as_array()).is_some_and(|list| !list.is_empty()) {
        let message = format!("stage {name} declares blockers: a blocker is not supported by the local CodePipeline");
        return Err(ApiError::new("InvalidBlockerDeclarationException", message));
    }
    Ok(())
}

fn check_action_type(action: &ActionDeclaration, types: &ActionTypes, place: &str) -> Checked {
    let id = &action.action_type_id;
    if id.owner == "Custom" && !types.contains(id) {
        let known = types.custom_names();
        return invalid(format!(
            "{place} has the type {id}, which does not exist; create it with CreateCustomActionType (custom types: {known})"
        ));
    }
    if id.owner == "ThirdParty" {
        return Err(ApiError::validation(format!(
            "{place} has the type {id}: owner {} is not supported by the local CodePipeline",
            id.owner
        )));
    }
    if !types.contains(id) {
        return invalid(format!(
            "{place} has the type {id}, which the local CodePipeline cannot run; it has, at version 1: {}",
            types.names()
        ));
    }
    Ok(())
}

fn check_counts(action: &ActionDeclaration, types: &ActionTypes, place: &str) -> Checked {
    let counts = types.counts(&action.action_type_id);
    let both = [
        ("input", action.input_artifacts.len(), counts.input),
        ("output", action.output_artifacts.len(), counts.output),
    ];
    for (kind, count, allowed) in both {
        if !allowed.contains(&count) {
            let (least, most) = (allowed.start(), allowed.end());
            let range = if least == most { least.to_string() } else { format!("{least} to {most}") };
            let id = &action.action_type_id;
            return invalid(format!("{place} has {count} {kind} artifacts; {id} allows {range}"));
        }
    }
    Ok(())
}

fn check_members(action: &ActionDeclaration, types: &ActionTypes, place: &str) -> Checked {
    let custom = types.custom(&action.action_type_id);
    // A custom type may have the name of a provider of AWS.
    let provider = if custom.is_some() { "" } else { action.action_type_id.provider.as_str() };
    if action.timeout_in_minutes.is_some() && provider != "Manual" {
        return invalid(format!("{place} sets timeoutInMinutes, which only manual approvals have"));
    }
    if !action.commands.is_empty() && provider != "Commands" {
        return invalid(format!("{place} has commands, which only the Commands action has"));
    }
    if let Some(problem) = custom.and_then(|custom| custom.problem(&action.configuration)) {
        return invalid(format!("{place} {problem}"));
    }
    let (required, known): (&[&str], &[&str]) = match provider {
        "Lambda" => (&["FunctionName"], &["FunctionName", "UserParameters"]),
        "Manual" => (&[], &["NotificationArn", "ExternalEntityLink", "CustomData"]),
        _ => return Ok(()),
    };
    if let Some(key) = required.iter().find(|key| !action.configuration.contains_key(**key)) {
        return invalid(format!("{place} lacks the configuration key {key}"));
    }
    match action.configuration.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => invalid(format!("{place} has the unknown configuration key {key}; known: {}", known.join(", "))),
        None => Ok(()),
    }
}

impl StageDeclaration {
    fn has_conditions(&self) -> bool {
        self.before_entry.is_some() || self.on_success.is_some() || self.on_failure.is_some()
    }
}

/// What the actions before a place offer to it.
pub(super) struct Earlier<'a> {
    artifacts: BTreeMap<&'a str, String>,
    namespaces: BTreeMap<&'a str, String>,
    variables: BTreeSet<&'a str>,
}

impl<'a> Earlier<'a> {
    fn new(pipeline: &'a PipelineDeclaration) -> Self {
        let variables = pipeline.variables.iter().map(|variable| variable.name.as_str()).collect();
        Self { artifacts: BTreeMap::new(), namespaces: BTreeMap::new(), variables }
    }

    fn add(&mut self, stage: &'a StageDeclaration, action: &'a ActionDeclaration) -> Checked {
        let place = format!("action {} in stage {}", action.name, stage.name);
        for artifact in &action.output_artifacts {
            if let Some(other) = self.artifacts.insert(&artifact.name, place.clone()) {
                let name = &artifact.name;
                return invalid(format!("the artifact {name} is made by {other} and by {place}"));
            }
        }
        let Some(namespace) = &action.namespace else { return Ok(()) };
        if ["codepipeline", "variables"].contains(&namespace.as_str()) {
            return invalid(format!("{place} has the namespace {namespace}, which is reserved"));
        }
        match self.namespaces.insert(namespace, place.clone()) {
            Some(other) => invalid(format!("{other} and {place} have the same namespace, {namespace}")),
            None => Ok(()),
        }
    }

    fn check_names(&self) -> Checked {
        match self.namespaces.iter().find(|(namespace, _)| self.artifacts.contains_key(*namespace)) {
            Some((namespace, place)) => invalid(format!("the namespace {namespace} of {place} is an artifact's name")),
            None => Ok(()),
        }
    }

    /// Whether an action before the place makes the artifact.
    pub(super) fn makes(&self, artifact: &str) -> bool {
        self.artifacts.contains_key(artifact)
    }

    /// Checks the references of a rule, whose place is given.
    pub(super) fn check_rule_references(&self, rule: &RuleDeclaration, place: &str) -> Checked {
        let values = rule.configuration.iter().map(|(key, value)| (key.as_str(), value, true));
        let commands = rule.commands.iter().map(|command| ("commands", command, false));
        match self.wrong_reference(values.chain(commands), false) {
            Some((key, problem, reference)) => Err(ApiError::new(
                "InvalidStageDeclarationException",
                format!("{place} has the variable {reference} in {key}; such variables {problem}"),
            )),
            None => Ok(()),
        }
    }

    fn check_references(&self, stage: &StageDeclaration, action: &ActionDeclaration) -> Checked {
        let values = action.configuration.iter().map(|(key, value)| (key.as_str(), value, true));
        let commands = action.commands.iter().map(|command| ("commands", command, false));
        let source = action.action_type_id.category == "Source";
        match self.wrong_reference(values.chain(commands), source) {
            // The sentence and the bracketed places are those of the real service.
            Some((key, problem, reference)) => invalid(format!(
                "Valid format for a pipeline execution variable reference is a namespace and a key separated by a \
                 period (.). The following pipeline execution variables {problem}. StageName=[{}], \
                 ActionName=[{}], ActionConfigurationKey=[{key}], VariableReferenceText=[{reference}]",
                stage.name, action.name,
            )),
            None => Ok(()),
        }
    }

    /// The first reference that is wrong: its key, what is wrong, its text. The texts come with their key and with
    /// whether a malformed reference in them is wrong.
    fn wrong_reference<'t>(
        &self,
        texts: impl Iterator<Item = (&'t str, &'t String, bool)>,
        source: bool,
    ) -> Option<(&'t str, String, &'t str)> {
        for (key, text, malformed_is_wrong) in texts {
            for piece in pieces(text) {
                match piece {
                    Piece::Literal(_) => {}
                    Piece::Malformed(text) if malformed_is_wrong => {
                        return Some((key, "have another form".to_owned(), text));
                    }
                    // In a shell command such a text may mean something to the shell.
                    Piece::Malformed(_) => {}
                    Piece::Reference { namespace, key: variable, text } => {
                        if let Some(problem) = self.problem(source, namespace, variable) {
                            return Some((key, problem, text));
                        }
                    }
                }
            }
        }
        None
    }

    fn problem(&self, source: bool, namespace: &str, key: &str) -> Option<String> {
        match namespace {
            "codepipeline" if key == "PipelineExecutionId" => None,
            "codepipeline" => Some("do not exist: codepipeline has only PipelineExecutionId".to_owned()),
            "variables" if source => Some("cannot be used by a source action".to_owned()),
            "variables" if self.variables.contains(key) => None,
            "variables" => Some("are not declared in the variables of the pipeline".to_owned()),
            _ if self.namespaces.contains_key(namespace) => None,
            _ => Some("are referencing a namespace that does not exist".to_owned()),
        }
    }
}

pub(super) fn duplicate<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

fn structure(message: String) -> Checked {
    Err(ApiError::new("InvalidStructureException", message))
}

fn invalid(message: String) -> Checked {
    Err(ApiError::new("InvalidActionDeclarationException", message))
}
