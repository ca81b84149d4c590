//! The functions that the template deploys, and whether they find the configuration.

use std::path::Path;

use stagegate_config::Places;
use stagegate_local_template::{Function, Settings, Template, TemplateError, read_template};

use super::problem::Problems;

/// The environment variable that names the configuration inside of a function.
const CONFIG_VARIABLE: &str = "STAGEGATE_CONFIG";
/// The environment variable that names the state bucket, in which baselines are kept.
const STATE_VARIABLE: &str = "STAGEGATE_STATE_BUCKET";
/// Where layers are mounted (AWS Lambda guide, layers).
const LAYERS: &str = "/opt/";
/// The functions that read `UserParameters` with a gate, by the name of their package.
const GATES: [&str; 3] = ["release-gate", "smoke-test", "test-gate"];

/// The template, as far as it could be read.
pub(crate) struct Functions {
    template: Option<Template>,
}

/// What the name in an action's configuration means.
pub(crate) enum Called<'a> {
    /// A gate that the template deploys, by the name of its package.
    Gate(&'static str),
    /// A name that is meant to be one, probably; what would be right.
    NoSuchGate(Vec<&'a str>),
    /// Nothing that is known here.
    Other,
}

/// Reads the template and checks that it hands `config` to its gates, and a place for baselines where `comparing` names
/// a gate that needs one.
pub(crate) fn check(
    file: &Path,
    settings: &Settings,
    config: &Path,
    comparing: Option<&str>,
    problems: &mut Problems,
) -> Functions {
    let template = match read_template(file, settings) {
        Ok(template) => template,
        Err(TemplateError::Invalid { position, message, .. }) => {
            problems.error(Some((position.line as u64, position.column as u64)), message);
            return Functions { template: None };
        }
        Err(TemplateError::Setting { message, .. }) => {
            problems.error(None, message);
            return Functions { template: None };
        }
        Err(TemplateError::Io { source, .. }) => {
            problems.error(None, format!("the template cannot be read: {source}"));
            return Functions { template: None };
        }
    };
    let places = Places::read(&std::fs::read_to_string(file).unwrap_or_default());
    for function in template.functions.iter().filter(|function| is_gate(function)) {
        if let Err((error, message)) = finds_config(&template, function, config) {
            let position = places.of(&["Resources", &function.logical_id, "Properties"]);
            match error {
                true => problems.error(position, message),
                false => problems.warning(position, message),
            }
        }
        if let Some(gate) = comparing.filter(|_| !function.environment.contains_key(STATE_VARIABLE)) {
            let (name, position) =
                (&function.function_name, places.of(&["Resources", &function.logical_id, "Properties"]));
            let message = format!(
                "{name} has no state bucket ({STATE_VARIABLE}), and the gate {gate:?} compares with a baseline, which is kept there"
            );
            problems.error(position, message);
        }
    }
    Functions { template: Some(template) }
}

fn is_gate(function: &Function) -> bool {
    gate_of(function).is_some()
}

/// The package of a gate.
fn gate_of(function: &Function) -> Option<&'static str> {
    let binary = function.build.binary.as_deref()?;
    GATES.into_iter().find(|gate| *gate == binary)
}

/// Whether the function's layers hold the configuration that it reads, and that is the one checked here. The error
/// says whether it is one, or a warning.
fn finds_config(template: &Template, function: &Function, config: &Path) -> Result<(), (bool, String)> {
    let name = &function.function_name;
    let path = function.environment.get(CONFIG_VARIABLE).map_or("/opt/stagegate.yaml", String::as_str);
    let Some(inside) = path.strip_prefix(LAYERS) else {
        let message = format!(
            "{name} reads its configuration from {path} ({CONFIG_VARIABLE}); a layer can only be below {LAYERS}"
        );
        return Err((true, message));
    };
    let layers = template.layers.iter().filter(|layer| function.layers.contains(&layer.arn));
    let deployed =
        layers.map(|layer| template.folder.join(&layer.content_uri).join(inside)).find(|file| file.is_file());
    let Some(deployed) = deployed else {
        let message = format!("{name} reads its configuration from {path}, but none of its layers holds {inside}");
        return Err((true, message));
    };
    let same = match (deployed.canonicalize(), config.canonicalize()) {
        (Ok(deployed), Ok(config)) => deployed == config,
        _ => true,
    };
    match same {
        true => Ok(()),
        false => {
            let (deployed, config) = (deployed.display(), config.display());
            Err((false, format!("{name} is deployed with {deployed}, not with {config}, which is checked here")))
        }
    }
}

impl Functions {
    /// What `name` in the configuration of a Lambda action means; `speaks` is whether its parameters look like a gate's.
    pub(crate) fn called(&self, name: &str, speaks: bool) -> Called<'_> {
        let looks_like = |gate: &&str| name == *gate || name.ends_with(&format!("-{gate}"));
        let Some(template) = &self.template else {
            let gate = GATES.into_iter().find(|gate| looks_like(gate));
            return gate.map_or(Called::Other, Called::Gate);
        };
        // The name of a function, or its ARN with or without a version.
        let name = name.split_once(":function:").map_or(name, |(_, name)| name.split(':').next().unwrap_or(name));
        if let Some(function) = template.function(name).filter(|function| function.function_name == name) {
            return gate_of(function).map_or(Called::Other, Called::Gate);
        }
        let deployed = template.functions.iter().filter(|function| is_gate(function));
        let deployed: Vec<_> = deployed.map(|function| function.function_name.as_str()).collect();
        let near = stagegate_config::nearest(name, deployed.iter().copied()).is_some();
        match near || speaks || GATES.iter().any(looks_like) {
            true => Called::NoSuchGate(deployed),
            false => Called::Other,
        }
    }
}
