//! One action that calls a gate: its parameters against the configuration and against the pipeline around it.

use jiff::civil::Date;
use stagegate_config::smoke::Source;
use stagegate_config::{
    Config, Gate, GateChoice, MAX_USER_PARAMETERS_CHARS, ParametersError, ReleaseGate, TestGate, UserParameters,
};
use stagegate_local_codepipeline::declaration::{Piece, pieces};

use stagegate_release::Plan;
use stagegate_verdict::Execution;

use super::config::check_gate;
use super::json::{self, Node, Text};
use super::pipeline::{Action, Pipeline};
use super::problem::{Position, Problems, instead};

/// How long an action of a Lambda function may take (AWS CodePipeline guide, quotas).
const ACTION_TIME: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// The reference that stands for the execution.
const EXECUTION: &str = "#{codepipeline.PipelineExecutionId}";

/// An action in its pipeline.
pub(crate) struct GateAction<'a> {
    pub(crate) file_text: &'a str,
    pub(crate) pipeline: &'a Pipeline<'a>,
    pub(crate) action: &'a Action<'a>,
    /// The package of the function that it calls; empty where that is not known, which is said elsewhere.
    pub(crate) function: &'a str,
    /// `None` where the configuration is broken, which is said elsewhere.
    pub(crate) config: Option<&'a Config>,
    /// The day by which quarantines are over or not.
    pub(crate) at: Date,
    /// The configuration's name in messages.
    pub(crate) config_name: &'a str,
}

/// `UserParameters` that could be read, with the places of their keys and values.
struct Parameters<'a> {
    text: &'a Text,
    /// The text with each reference replaced by as many letters, as CodePipeline will replace it by a value.
    tree: Node,
    values: UserParameters,
}

impl GateAction<'_> {
    pub(crate) fn check(&self, problems: &mut Problems) {
        let Some(text) = self.action.setting("UserParameters").and_then(Node::text) else {
            let message = format!(
                "{} has no UserParameters, so its gate is not known; set them to a JSON object such as {{\"gate\":\"...\",\"pipeline\":\"...\",\"execution\":\"{EXECUTION}\"}}",
                self.label()
            );
            problems.error(self.position(self.action.node.at), message);
            return;
        };
        self.check_references(text, problems);
        let Some(parameters) = self.read(text, problems) else { return };
        self.check_context(&parameters, problems);
        let choice = match parameters.values.choice() {
            Ok(choice) => choice,
            Err(error) => {
                problems.error(self.position(text.place(0)), format!("{}: failed to {error}", self.label()));
                return;
            }
        };
        let gate = match &choice {
            GateChoice::Inline(gate) => {
                check_gate(&|path| self.value(&parameters, path), gate, self.at, problems);
                Some(&**gate)
            }
            GateChoice::Named(name) => self.named_gate(name, &parameters, problems),
        };
        if let Some(error) = gate.and_then(|gate| parameters.values.check_for(gate).err()) {
            problems.error(self.value(&parameters, &[]), format!("{}: failed to {error}", self.label()));
        }
        if let Some(gate) = gate.filter(|gate| ![gate.function(), ""].contains(&self.function)) {
            let (name, function) = (choice.name(), self.function);
            let message = format!(
                "{} calls {function}, and its gate {name:?} is one of {}; name the function that applies it",
                self.label(),
                gate.function()
            );
            problems.error(self.value(&parameters, &["gate"]), message);
            return;
        }
        match gate {
            Some(Gate::Test(gate)) => {
                let reads_files = gate.coverage.is_some()
                    || gate.sarif.is_some()
                    || gate.tests.as_ref().is_some_and(|tests| !tests.reports.is_empty());
                self.check_artifacts(reads_files.then_some("reports"), problems);
                self.check_codebuild(gate, &parameters, problems);
                self.check_identity(gate, choice.name(), &parameters, problems);
            }
            Some(Gate::Smoke(gate)) => {
                let reads_files = !gate.hurl.is_empty() && matches!(gate.source, None | Some(Source::Artifact));
                self.check_artifacts(reads_files.then_some("Hurl files"), problems);
            }
            Some(Gate::Release(gate)) => self.check_release(gate, &parameters, problems),
            None => {}
        }
    }

    /// What the gate asks about the execution must be in the parameters, and it must end before CodePipeline ends it.
    fn check_release(&self, gate: &ReleaseGate, parameters: &Parameters<'_>, problems: &mut Problems) {
        let UserParameters { pipeline, stage, execution, .. } = &parameters.values;
        let known = Execution { pipeline: pipeline.clone(), stage: stage.clone(), execution: execution.clone() };
        let position = self.value(parameters, &[]);
        if let Some(error) = Plan::new(gate).ok().and_then(|plan| plan.check(&known).err()) {
            problems.error(position, format!("{}: failed to {error}", self.label()));
        }
        if let Some(sampling) = gate.sampling.filter(|sampling| sampling.give_up_after.as_duration() >= ACTION_TIME) {
            let message = format!(
                "{}: the gate gives up after {}, and CodePipeline fails an action of a Lambda function after 24 hours; wait in a manual approval, or let `give_up_after` be shorter",
                self.label(),
                sampling.give_up_after
            );
            problems.warning(position, message);
        }
        for calendar in &gate.calendars {
            let Some(name) = &calendar.artifact else { continue };
            let inputs = self.action.node.items_of("inputArtifacts");
            let has = inputs.iter().any(|input| input.get("name").and_then(Node::str) == Some(name.as_str()));
            if !has {
                let file = &calendar.file;
                let message =
                    format!("{} has no input artifact {name:?}, in which its gate looks for {file}", self.label());
                problems.error(self.position(self.action.node.at), message);
            }
        }
    }

    fn label(&self) -> String {
        format!("{} {} in stage {}", self.action.kind, self.action.name, self.action.stage)
    }

    fn position(&self, character: usize) -> Option<Position> {
        Some(json::position(self.file_text, character))
    }

    /// The place of the value of a key in the parameters; of their beginning where the key is not there.
    fn value(&self, parameters: &Parameters<'_>, path: &[&str]) -> Option<Position> {
        let mut node = &parameters.tree;
        for step in path {
            node = node.step(step).unwrap_or(node);
        }
        self.position(parameters.text.place(node.at))
    }

    /// Reads the parameters as the function will.
    fn read<'t>(&self, text: &'t Text, problems: &mut Problems) -> Option<Parameters<'t>> {
        let length = text.value.chars().count();
        if length > MAX_USER_PARAMETERS_CHARS {
            let message = format!(
                "UserParameters of {} have {length} characters, the limit is {MAX_USER_PARAMETERS_CHARS}; move the policy to stagegate.yaml and name its gate",
                self.label()
            );
            problems.error(self.position(text.place(0)), message);
            return None;
        }
        let filled: String = pieces(&text.value).into_iter().map(filled).collect();
        let tree = Node::read(&filled);
        match (UserParameters::parse(Some(&filled)), tree) {
            (Ok(values), Ok(tree)) => Some(Parameters { text, tree, values }),
            (Err(error), tree) => {
                let (message, character) = match error {
                    ParametersError::Invalid { message, line, column } => {
                        let character = json::character_at(&filled, (line as u64, column as u64));
                        // serde_json names the end of what it did not like.
                        (message, tree.map_or(character, |tree| last_start(&tree, character).unwrap_or(character)))
                    }
                    other => (format!("failed to {other}"), 0),
                };
                problems.error(
                    self.position(text.place(character)),
                    format!("UserParameters of {}: {message}", self.label()),
                );
                None
            }
            (Ok(_), Err((message, _))) => {
                problems.error(self.position(text.place(0)), format!("UserParameters of {}: {message}", self.label()));
                None
            }
        }
    }

    fn named_gate(&self, name: &str, parameters: &Parameters<'_>, problems: &mut Problems) -> Option<&Gate> {
        let config = self.config?;
        let position = self.value(parameters, &["gate"]);
        if let Some(reference) = reference_at(parameters, &["gate"]) {
            problems.warning(
                position,
                format!("{} takes its gate from {reference}, so it cannot be checked", self.label()),
            );
            return None;
        }
        let gate = config.gate(name).ok();
        if gate.is_none() {
            let known = instead(name, config.gates().map(|(name, _)| name), "gates");
            problems.error(position, format!("{} has no gate {name:?}{known}", self.config_name));
        }
        gate
    }

    /// Every reference must name something that an earlier action, or the pipeline, gives.
    fn check_references(&self, text: &Text, problems: &mut Problems) {
        let mut character = 0;
        for piece in pieces(&text.value) {
            let (source, wrong) = match piece {
                Piece::Literal(literal) => (literal, None),
                Piece::Malformed(source) => (
                    source,
                    Some(format!("{source} is no variable; write #{{namespace.key}}, for example {EXECUTION}")),
                ),
                Piece::Reference { namespace, key, text } => (text, self.unknown_reference(namespace, key, text)),
            };
            if let Some(message) = wrong {
                problems.error(self.position(text.place(character)), message);
            }
            character += source.chars().count();
        }
    }

    fn unknown_reference(&self, namespace: &str, key: &str, text: &str) -> Option<String> {
        match namespace {
            "codepipeline" if key == "PipelineExecutionId" => return None,
            "codepipeline" => return Some(format!("{text} does not exist: did you mean {EXECUTION}?")),
            "variables" if self.pipeline.variables.contains(&key) => return None,
            "variables" => {
                let known = instead(key, self.pipeline.variables.iter().copied(), "variables of the pipeline");
                return Some(format!("{text} names no variable of the pipeline{known}"));
            }
            _ => {}
        }
        let actions = || self.pipeline.actions.iter();
        let sets = |action: &&Action<'_>| action.namespace == Some(namespace);
        if actions().any(|action| sets(&action) && action.is_before(self.action)) {
            return None;
        }
        if let Some(later) = actions().find(sets) {
            let (name, stage) = (later.name, later.stage);
            return Some(format!(
                "{text} is set by action {name} in stage {stage}, which has not ended when {} begins",
                self.label()
            ));
        }
        let before = actions().filter(|action| action.is_before(self.action)).filter_map(|action| action.namespace);
        let known = instead(namespace, before.chain(["codepipeline", "variables"]), "namespaces before this action");
        Some(format!("{text} names a namespace that no action has{known}"))
    }

    /// What the parameters say about the pipeline must be true of it.
    fn check_context(&self, parameters: &Parameters<'_>, problems: &mut Problems) {
        let UserParameters { pipeline, stage, .. } = &parameters.values;
        let here = [("pipeline", pipeline, self.pipeline.name), ("stage", stage, Some(self.action.stage))];
        for (key, said, name) in here {
            let (Some(said), Some(name)) = (said, name) else { continue };
            if reference_at(parameters, &[key]).is_none() && said != name {
                let message = format!("{key:?} is {said:?}, but the {key} is named {name:?}");
                problems.warning(self.value(parameters, &[key]), message);
            }
        }
        let execution = parameters.values.execution.is_some().then(|| reference_at(parameters, &["execution"]));
        if execution.is_some_and(|reference| reference.as_deref() != Some(EXECUTION)) {
            let message = format!("\"execution\" is not the id of the execution; write {EXECUTION}");
            problems.warning(self.value(parameters, &["execution"]), message);
        }
    }

    /// What a gate reads from files comes from input artifacts, which earlier actions make.
    fn check_artifacts(&self, files: Option<&str>, problems: &mut Problems) {
        let inputs = self.action.node.items_of("inputArtifacts");
        if let Some(files) = files.filter(|_| inputs.is_empty()) {
            let place = self.action.node.get("inputArtifacts").unwrap_or(self.action.node).at;
            let message = format!(
                "{} has no input artifact, and its gate reads {files} from there; add the artifact that holds them",
                self.label()
            );
            problems.error(self.position(place), message);
        }
        let earlier = || self.pipeline.actions.iter().filter(|action| action.is_before(self.action));
        for name in inputs.iter().filter_map(|input| input.get("name")?.text().zip(input.get("name"))) {
            let (text, node) = name;
            let artifact = text.value.as_str();
            if !earlier().any(|action| action.outputs().any(|output| output == artifact)) {
                let known = instead(artifact, earlier().flat_map(Action::outputs), "artifacts of earlier actions");
                problems.error(
                    self.position(node.at),
                    format!("no action before {} makes the artifact {artifact:?}{known}", self.label()),
                );
            }
        }
    }

    /// A gate that judges the report groups of a project needs a build of that project.
    fn check_codebuild(&self, gate: &TestGate, parameters: &Parameters<'_>, problems: &mut Problems) {
        let Some(source) = gate.tests.as_ref().and_then(|tests| tests.codebuild.as_ref()) else { return };
        let project = source.project.as_str();
        let path = ["tests", "codebuild", "project"];
        let running: Vec<_> = self.pipeline.actions.iter().filter(|action| action.project() == Some(project)).collect();
        if !running.iter().any(|action| action.is_before(self.action)) {
            let message = match running.first() {
                Some(later) => format!(
                    "action {} in stage {} runs the CodeBuild project {project:?} of the gate, but has not ended when {} begins",
                    later.name,
                    later.stage,
                    self.label()
                ),
                None => {
                    let known = self.pipeline.actions.iter().filter_map(Action::project);
                    let known = instead(project, known, "projects of the pipeline");
                    format!(
                        "no action of the pipeline runs the CodeBuild project {project:?}, whose reports the gate judges{known}"
                    )
                }
            };
            problems.error(self.value(parameters, &path), message);
        }
        let key: &[&str] = if source.build.is_some() { &["tests", "codebuild", "build"] } else { &["build"] };
        let namespace = running.iter().find_map(|action| action.namespace).unwrap_or("Build");
        if source.build.is_none() && parameters.values.build.is_none() {
            let message = format!(
                "the gate judges a build of the CodeBuild project {project:?}, and \"build\" does not say which; write \"build\":\"#{{{namespace}.CODEBUILD_BUILD_ID}}\""
            );
            problems.error(self.value(parameters, &[]), message);
            return;
        }
        let Some(reference) = reference_at(parameters, key) else { return };
        let of = reference.trim_start_matches("#{").split('.').next().unwrap_or_default();
        let other = self.pipeline.actions.iter().find(|action| action.namespace == Some(of));
        if let Some(other) = other.filter(|action| action.project() != Some(project)) {
            let message = format!(
                "{reference} is of action {} in stage {}, which does not run the project {project:?}",
                other.name, other.stage
            );
            problems.error(self.value(parameters, key), message);
        }
    }

    /// Some rules need to know which pipeline and which execution they judge; a Lambda action's job does not say it.
    fn check_identity(&self, gate: &TestGate, name: &str, parameters: &Parameters<'_>, problems: &mut Problems) {
        let UserParameters { pipeline, execution, .. } = &parameters.values;
        let since = gate.provenance.is_some_and(|provenance| provenance.since_execution);
        let mut missing = Vec::new();
        if pipeline.is_none() && (gate.compares() || since) {
            missing.push(format!("\"pipeline\":{:?}", self.pipeline.name.unwrap_or("...")));
        }
        if execution.is_none() && since {
            missing.push(format!("\"execution\":\"{EXECUTION}\""));
        }
        if missing.is_empty() {
            return;
        }
        let why = match (gate.compares(), since) {
            (true, false) => "compares with a baseline, which is kept by pipeline",
            (false, _) => "asks for reports that are younger than the execution",
            (true, true) => "compares with a baseline and asks for reports that are younger than the execution",
        };
        let message = format!("the gate {name:?} {why}: add {}", missing.join(" and "));
        problems.error(self.value(parameters, &[]), message);
    }
}

/// A reference becomes as many letters, so that all places stay.
fn filled(piece: Piece<'_>) -> String {
    match piece {
        Piece::Literal(text) => text.to_owned(),
        Piece::Reference { text, .. } | Piece::Malformed(text) => "x".repeat(text.chars().count()),
    }
}

/// The first reference in a value of the parameters.
fn reference_at(parameters: &Parameters<'_>, path: &[&str]) -> Option<String> {
    let mut node = &parameters.tree;
    for key in path {
        node = node.get(key)?;
    }
    // The value as it stands in the action: after the opening quote, as long as what it was filled with.
    let length = node.str()?.chars().count();
    let written: String = parameters.text.value.chars().skip(node.at + 1).take(length).collect();
    pieces(&written).into_iter().find_map(|piece| match piece {
        Piece::Reference { text, .. } => Some(text.to_owned()),
        _ => None,
    })
}

/// Where the last key or value begins that begins not after a character.
fn last_start(node: &Node, character: usize) -> Option<usize> {
    let here = (node.at <= character).then_some(node.at);
    let keys = node.entries().iter().map(|(key, _)| key.start()).filter(|start| *start <= character);
    let values = node.entries().iter().map(|(_, value)| value).chain(node.items());
    here.into_iter().chain(keys).chain(values.filter_map(|value| last_start(value, character))).max()
}
