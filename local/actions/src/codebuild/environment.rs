//! The environment of a build.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use stagegate_local_codepipeline::provider::ActionRequest;

use super::buildspec::{Env, is_variable_name};
use super::record::PhaseContext;
use crate::process::clean_environment;

/// What stands in for Systems Manager parameters and Secrets Manager secrets.
#[derive(Clone, Default)]
pub(crate) struct StoredValues {
    pub(crate) parameters: BTreeMap<String, String>,
    pub(crate) secrets: BTreeMap<String, String>,
}

/// The variables that the build starts with.
pub(super) struct Environment {
    pub(super) variables: BTreeMap<String, String>,
    /// Names of the variables that come from a store: they are masked and cannot be exported.
    pub(super) stored: Vec<String>,
}

/// One entry of the action's `EnvironmentVariables`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActionVariable {
    name: String,
    value: String,
    #[serde(rename = "type", default)]
    kind: VariableType,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum VariableType {
    #[default]
    Plaintext,
    ParameterStore,
    SecretsManager,
}

/// Puts the variables together. On equal names, the action's value goes before the project's, and that before the
/// buildspec's, as the AWS CodeBuild guide says.
pub(super) fn environment(
    buildspec: &Env,
    project: &BTreeMap<String, String>,
    action: Option<&str>,
    values: &StoredValues,
) -> Result<Environment, PhaseContext> {
    let mut environment = Environment { variables: buildspec.variables.clone(), stored: Vec::new() };
    for (name, parameter) in &buildspec.parameter_store {
        environment.add_stored(name, "parameter", parameter, &values.parameters)?;
    }
    for (name, secret) in &buildspec.secrets_manager {
        environment.add_stored(name, "secret", secret, &values.secrets)?;
    }
    environment.variables.extend(project.clone());
    for variable in action_variables(action)? {
        match variable.kind {
            VariableType::Plaintext => {
                environment.variables.insert(variable.name, variable.value);
            }
            VariableType::ParameterStore => {
                environment.add_stored(&variable.name, "parameter", &variable.value, &values.parameters)?;
            }
            VariableType::SecretsManager => {
                environment.add_stored(&variable.name, "secret", &variable.value, &values.secrets)?;
            }
        }
    }
    if let Some(name) = buildspec.exported_variables.iter().find(|name| environment.stored.contains(name)) {
        return Err(client_error(format!("{name} comes from a store of secrets and cannot be exported")));
    }
    Ok(environment)
}

impl Environment {
    fn add_stored(
        &mut self,
        name: &str,
        kind: &str,
        reference: &str,
        values: &BTreeMap<String, String>,
    ) -> Result<(), PhaseContext> {
        let value = values.get(reference).ok_or_else(|| {
            client_error(format!(
                "the {kind} {reference:?} for the variable {name} is not available locally; give a value for it to the local CodeBuild"
            ))
        })?;
        self.variables.insert(name.to_owned(), value.clone());
        self.stored.push(name.to_owned());
        Ok(())
    }
}

fn action_variables(json: Option<&str>) -> Result<Vec<ActionVariable>, PhaseContext> {
    let Some(json) = json else { return Ok(Vec::new()) };
    let variables: Vec<ActionVariable> = serde_json::from_str(json).map_err(|error| {
        client_error(format!(
            "the action's EnvironmentVariables are not a JSON array of objects with name, value and type: {error}"
        ))
    })?;
    match variables.iter().find(|variable| !is_variable_name(&variable.name)) {
        Some(bad) => Err(client_error(format!(
            "EnvironmentVariables of the action: {:?} is not the name of an environment variable",
            bad.name
        ))),
        None => Ok(variables),
    }
}

pub(super) fn client_error(message: String) -> PhaseContext {
    PhaseContext { status_code: "CLIENT_ERROR".to_owned(), message }
}

/// What the `CODEBUILD_` variables tell.
pub(super) struct Facts<'a> {
    pub(super) id: &'a str,
    pub(super) arn: &'a str,
    pub(super) number: u64,
    pub(super) start_millisecond: i64,
    pub(super) initiator: &'a str,
    pub(super) request: &'a ActionRequest,
    pub(super) primary: usize,
    pub(super) folders: &'a [(String, std::path::PathBuf)],
    pub(super) home: &'a Path,
}

/// The variables that CodeBuild itself sets ("Environment variables in build environments").
pub(super) fn builtin(facts: &Facts<'_>) -> Vec<(String, String)> {
    let mut variables = clean_environment(facts.home);
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    set("AWS_DEFAULT_REGION", facts.request.region.clone());
    set("AWS_REGION", facts.request.region.clone());
    set("CI", "true".to_owned());
    set("CODEBUILD_CI", "true".to_owned());
    set("CODEBUILD_BUILD_ID", facts.id.to_owned());
    set("CODEBUILD_BUILD_ARN", facts.arn.to_owned());
    set("CODEBUILD_BUILD_NUMBER", facts.number.to_string());
    set("CODEBUILD_BUILD_IMAGE", "local".to_owned());
    set("CODEBUILD_BUILD_SUCCEEDING", "1".to_owned());
    set("CODEBUILD_INITIATOR", facts.initiator.to_owned());
    set("CODEBUILD_LOG_PATH", facts.id.rsplit(':').next().unwrap_or_default().to_owned());
    set("CODEBUILD_START_TIME", facts.start_millisecond.to_string());
    let inputs = &facts.request.input_artifacts;
    if let Some(revision) = inputs.get(facts.primary).and_then(|input| input.revision.clone()) {
        set("CODEBUILD_RESOLVED_SOURCE_VERSION", revision);
    }
    if let Some(input) = inputs.get(facts.primary) {
        set("CODEBUILD_SOURCE_VERSION", format!("arn:aws:s3:::{}/{}", input.bucket, input.key));
    }
    for (index, (name, folder)) in facts.folders.iter().enumerate() {
        let variable =
            if index == facts.primary { "CODEBUILD_SRC_DIR".to_owned() } else { format!("CODEBUILD_SRC_DIR_{name}") };
        set(&variable, folder.display().to_string());
    }
    variables
}
