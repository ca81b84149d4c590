//! `AWS::CodeBuild::Project`.

use std::collections::BTreeMap;

use crate::error::{Problem, Result};
use crate::properties::{Properties, list};
use crate::resources::Identity;

/// A project that builds for a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildProject {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The project's name.
    pub name: String,
    /// `Source.BuildSpec`: a path in the source, or the buildspec itself; `None` for `buildspec.yml`.
    pub buildspec: Option<String>,
    /// The environment variables.
    pub environment: BTreeMap<String, String>,
    /// Minutes, 5 to 2160; CodeBuild's default is 60.
    pub timeout_minutes: u64,
}

const TYPE: &str = "AWS::CodeBuild::Project";

const READ: [&str; 4] = ["Environment", "Name", "Source", "TimeoutInMinutes"];

/// What changes nothing for a build on one machine: it has one image, no network of its own and all rights.
const WITHOUT_EFFECT: [&str; 16] = [
    "Artifacts",
    "AutoRetryLimit",
    "BadgeEnabled",
    "Cache",
    "ConcurrentBuildLimit",
    "Description",
    "EncryptionKey",
    "FileSystemLocations",
    "LogsConfig",
    "QueuedTimeoutInMinutes",
    "ResourceAccessRole",
    "SecondaryArtifacts",
    "ServiceRole",
    "Tags",
    "Visibility",
    "VpcConfig",
];

pub(crate) fn read_build_project(properties: Properties<'_>, identity: Identity<'_>) -> Result<BuildProject> {
    properties.only_in(&[&READ, &WITHOUT_EFFECT], TYPE)?;
    let source = Properties::of(properties.require("Source", TYPE)?, "`Source`")?;
    source.only(&["BuildSpec", "Type"], "the source of a project that builds for a pipeline")?;
    source.one_of("Type", &["CODEPIPELINE"])?;
    let environment = Properties::of(properties.require("Environment", TYPE)?, "`Environment`")?;
    Ok(BuildProject {
        logical_id: identity.logical_id.to_owned(),
        name: identity.name,
        buildspec: source.string("BuildSpec")?,
        environment: read_variables(environment)?,
        timeout_minutes: properties.integer("TimeoutInMinutes", 5..=2160)?.unwrap_or(60),
    })
}

fn read_variables(environment: Properties<'_>) -> Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    let Some(node) = environment.get("EnvironmentVariables") else { return Ok(variables) };
    for item in list(node, "EnvironmentVariables")? {
        let variable = Properties::of(item, "an environment variable")?;
        variable.only(&["Name", "Type", "Value"], "an environment variable")?;
        let name = variable.require_string("Name", "an environment variable")?;
        if let Some(kind) = variable.string("Type")?.filter(|kind| kind != "PLAINTEXT") {
            let message =
                format!("the variable `{name}` is of the type {kind}, which is not looked up here; use PLAINTEXT");
            return Err(Problem::at(item.position, message));
        }
        variables.insert(name, variable.require_string("Value", "an environment variable")?);
    }
    Ok(variables)
}
