//! Whether configuration, template and pipelines fit together, without an AWS account.
//!
//! Nothing here stops at the first problem: all of them are gathered, each with its place.

mod action;
mod approvals;
mod config;
mod definitions;
mod functions;
mod json;
mod notifications;
mod pipeline;
mod problem;
mod release;
mod smoke;

use std::path::Path;

use jiff::civil::Date;
use stagegate_config::{Config, MAX_CONFIG_BYTES, TestGate};
use stagegate_local_template::Settings;

use self::action::GateAction;
use self::approvals::ApprovalAction;
use self::definitions::Definitions;
use self::functions::{Called, Functions};
use self::json::Node;
use self::notifications::Stages;
use self::pipeline::Pipeline;
use self::problem::{Problems, instead};

pub(crate) use self::problem::{Problem, Severity};

/// The files that are checked against each other.
pub(crate) struct Files<'a> {
    pub(crate) config: &'a Path,
    /// Without a template, no pipeline can be checked.
    pub(crate) template: Option<&'a Path>,
    pub(crate) pipelines: &'a [std::path::PathBuf],
    /// The folder that holds the Hurl files of gates.
    pub(crate) source: Option<&'a Path>,
}

/// Checks all files; `at` is the day by which quarantines are over or not.
pub(crate) fn check(files: &Files<'_>, settings: &Settings, at: Date) -> Vec<Problem> {
    let mut all = Vec::new();
    let config_name = files.config.display().to_string();
    let definitions = definitions::read_all(files.pipelines, files.template, settings);
    let mut problems = Problems::of(&config_name);
    let text = read(files.config, &mut problems);
    let config = text.as_ref().and_then(|text| config::check(&config_name, text, at, &mut problems));
    if let (Some(text), Some(config)) = (&text, &config) {
        approvals::check(text, config, approval_actions(&definitions).as_deref(), &mut problems);
        notifications::check(files.config, text, config, stages(&definitions).as_deref(), &mut problems);
    }
    all.extend(problems.sorted());
    if let Some(config) = &config {
        all.extend(smoke::check(config, files));
    }
    let Some(template) = files.template else { return all };
    let mut problems = Problems::of(template.display());
    let comparing =
        config.as_ref().and_then(|config| config.gates().find(|(_, gate)| gate.test().is_ok_and(TestGate::compares)));
    let comparing = comparing.map(|(name, _)| name);
    let own = definitions::settings_of(template, files.pipelines, settings);
    let functions = functions::check(template, &own, files.config, comparing, &mut problems);
    all.extend(problems.sorted());
    let context = Context { config: config.as_ref(), config_name: &config_name, functions: &functions, at };
    for definitions in definitions {
        all.extend(definitions.problems);
        for text in &definitions.texts {
            let mut problems = Problems::of(&definitions.file);
            context.check_pipeline(text, &mut problems);
            all.extend(problems.sorted());
        }
    }
    all
}

/// The approvals of the pipelines; `None` where there is none to look at, or one of them cannot be read.
fn approval_actions(definitions: &[Definitions]) -> Option<Vec<ApprovalAction>> {
    if definitions.is_empty() || definitions.iter().any(|file| !file.problems.is_empty()) {
        return None;
    }
    let mut found = Vec::new();
    for text in definitions.iter().flat_map(|file| &file.texts) {
        let root = Node::read(text).ok()?;
        let pipeline = Pipeline::read(&root);
        let name = pipeline.name?;
        let approvals = pipeline.actions.iter().filter(|action| action.is(&["Approval"], "Manual"));
        found.extend(approvals.map(|action| ApprovalAction {
            pipeline: name.to_owned(),
            stage: action.stage.to_owned(),
            action: action.name.to_owned(),
        }));
    }
    Some(found)
}

/// The stages of the pipelines; `None` where there is none to look at, or one of them cannot be read.
fn stages(definitions: &[Definitions]) -> Option<Vec<Stages>> {
    if definitions.is_empty() || definitions.iter().any(|file| !file.problems.is_empty()) {
        return None;
    }
    let mut found = Vec::new();
    for text in definitions.iter().flat_map(|file| &file.texts) {
        let root = Node::read(text).ok()?;
        let pipeline = Pipeline::read(&root);
        let stages = pipeline.actions.iter().map(|action| action.stage.to_owned()).collect();
        found.push(Stages { pipeline: pipeline.name?.to_owned(), stages });
    }
    Some(found)
}

fn read(file: &Path, problems: &mut Problems) -> Option<String> {
    let size = std::fs::metadata(file).map(|metadata| metadata.len()).unwrap_or_default();
    if size > MAX_CONFIG_BYTES {
        problems.error(None, format!("the file has {size} bytes; at most {MAX_CONFIG_BYTES} are read"));
        return None;
    }
    match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) => {
            problems.error(None, format!("the file cannot be read: {error}"));
            None
        }
    }
}

/// What pipelines are checked against.
struct Context<'a> {
    config: Option<&'a Config>,
    config_name: &'a str,
    functions: &'a Functions,
    at: Date,
}

impl Context<'_> {
    fn check_pipeline(&self, text: &str, problems: &mut Problems) {
        let root = match Node::read(text) {
            Ok(root) => root,
            Err((message, position)) => {
                problems.error(Some(position), format!("no valid JSON: {message}"));
                return;
            }
        };
        let pipeline = Pipeline::read(&root);
        if pipeline.actions.is_empty() {
            let message = "there is no action in it; a definition is what `aws codepipeline get-pipeline` prints";
            problems.error(Some((1, 1)), message);
        }
        for action in pipeline.actions.iter().chain(&pipeline.rules) {
            let Some(function) = action.setting("FunctionName").filter(|_| action.invokes_function()) else {
                continue;
            };
            let name = function.str().unwrap_or_default();
            let parameters = action.setting("UserParameters").and_then(Node::str).unwrap_or_default();
            let speaks = Node::read(parameters).is_ok_and(|parameters| parameters.get("gate").is_some());
            let mut gate_function = "";
            match self.functions.called(name, speaks) {
                Called::Other => continue,
                Called::Gate(function) => gate_function = function,
                Called::NoSuchGate(deployed) => {
                    let known = instead(name, deployed, "gates of the template");
                    let hint =
                        "; name the template's parameters where they are not its defaults: --parameter NamePrefix=...";
                    let message = format!("the template deploys no function {name:?}{known}{hint}");
                    problems.error(Some(json::position(text, function.at)), message);
                }
            }
            let (config, config_name, at) = (self.config, self.config_name, self.at);
            let function = gate_function;
            GateAction { file_text: text, pipeline: &pipeline, action, function, config, config_name, at }
                .check(problems);
        }
    }
}
