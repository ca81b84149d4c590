//! The AppSpec of a deployment that asks functions (AWS CodeDeploy guide, "AppSpec file reference"): what is deployed, and
//! which function is asked in which lifecycle event.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::platform::Platform;

/// An AppSpec that was read and checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AppSpec {
    pub(crate) resource: Resource,
    /// The functions, as the AppSpec names them, by the lifecycle event.
    pub(crate) hooks: BTreeMap<&'static str, String>,
}

/// What is deployed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Resource {
    /// `AWS::Lambda::Function`: an alias is led from one version to another.
    Lambda { function: String, alias: String, current: String, target: String },
    /// `AWS::ECS::Service`: a task set takes the place of another.
    Ecs { task_definition: String },
}

/// Why an AppSpec cannot be used. Reads after the file's name.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AppSpecError {
    #[error("{0}")]
    Yaml(Box<serde_saphyr::Error>),
    #[error("version {0:?} is not known; write `version: 0.0`")]
    Version(String),
    #[error("Resources must name exactly one resource; there are {0}")]
    Resources(usize),
    #[error("the resource {name} has the type {kind:?}; known are AWS::Lambda::Function and AWS::ECS::Service")]
    Type { name: String, kind: String },
    #[error("the resource {name} has no property {property}, which {kind} needs")]
    Missing { name: String, property: &'static str, kind: &'static str },
    #[error("a {platform} deployment has no lifecycle event {event:?} with a hook; it has {}", .known.join(", "))]
    Event { platform: &'static str, event: String, known: Vec<&'static str> },
    #[error("{0} is named more than once under hooks; an event has one function")]
    Duplicate(&'static str),
    #[error("each entry under hooks is one event with the name or ARN of one function, as in `- {0}: my-function`")]
    Hook(&'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    #[serde(rename = "Resources", default)]
    resources: Vec<BTreeMap<String, FileResource>>,
    // The guide writes `Hooks` for ECS and `hooks` for Lambda.
    #[serde(rename = "Hooks", alias = "hooks")]
    hooks: Option<Vec<BTreeMap<String, String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileResource {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Properties", default)]
    properties: Value,
}

impl AppSpec {
    /// Reads an AppSpec in YAML or JSON.
    pub(crate) fn parse(text: &str) -> Result<Self, AppSpecError> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| AppSpecError::Yaml(Box::new(error)))?;
        if file.version != "0.0" {
            return Err(AppSpecError::Version(file.version));
        }
        let mut resources: Vec<_> = file.resources.into_iter().flatten().collect();
        let (1, Some((name, resource))) = (resources.len(), resources.pop()) else {
            return Err(AppSpecError::Resources(resources.len()));
        };
        let resource = read_resource(name, &resource)?;
        let platform = resource.platform();
        Ok(Self { resource, hooks: read_hooks(platform, file.hooks.unwrap_or_default())? })
    }
}

impl Resource {
    pub(crate) fn platform(&self) -> Platform {
        match self {
            Self::Lambda { .. } => Platform::Lambda,
            Self::Ecs { .. } => Platform::Ecs,
        }
    }
}

fn read_resource(name: String, resource: &FileResource) -> Result<Resource, AppSpecError> {
    let properties = &resource.properties;
    match resource.kind.as_str() {
        kind @ "AWS::Lambda::Function" => {
            let property = |property| text(properties, &name, property, kind_name(kind));
            Ok(Resource::Lambda {
                function: property("Name")?,
                alias: property("Alias")?,
                current: property("CurrentVersion")?,
                target: property("TargetVersion")?,
            })
        }
        kind @ "AWS::ECS::Service" => {
            let property = |properties, property| text(properties, &name, property, kind_name(kind));
            property(&properties["LoadBalancerInfo"], "ContainerName")?;
            property(&properties["LoadBalancerInfo"], "ContainerPort")?;
            Ok(Resource::Ecs { task_definition: property(properties, "TaskDefinition")? })
        }
        kind => Err(AppSpecError::Type { name, kind: kind.to_owned() }),
    }
}

fn kind_name(kind: &str) -> &'static str {
    if kind.starts_with("AWS::Lambda") { "AWS::Lambda::Function" } else { "AWS::ECS::Service" }
}

/// A property that is a text or, as versions and ports often are, a number.
fn text(properties: &Value, name: &str, property: &'static str, kind: &'static str) -> Result<String, AppSpecError> {
    match &properties[property] {
        Value::String(text) if !text.trim().is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(AppSpecError::Missing { name: name.to_owned(), property, kind }),
    }
}

fn read_hooks(
    platform: Platform,
    entries: Vec<BTreeMap<String, String>>,
) -> Result<BTreeMap<&'static str, String>, AppSpecError> {
    let known: Vec<_> = platform.hooks().collect();
    let mut hooks = BTreeMap::new();
    for entry in entries {
        let mut pairs = entry.into_iter();
        let (Some((event, function)), None) = (pairs.next(), pairs.next()) else {
            return Err(AppSpecError::Hook(known[0]));
        };
        let Some(name) = known.iter().find(|name| **name == event) else {
            return Err(AppSpecError::Event { platform: platform.name(), event, known });
        };
        if function.trim().is_empty() {
            return Err(AppSpecError::Hook(name));
        }
        if hooks.insert(*name, function).is_some() {
            return Err(AppSpecError::Duplicate(name));
        }
    }
    Ok(hooks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAMBDA: &str = "Resources: [{web: {Type: AWS::Lambda::Function, Properties: {Name: web, Alias: live, CurrentVersion: 1, TargetVersion: \"2\"}}}]";
    const ECS: &str = "Resources: [{web: {Type: AWS::ECS::Service, Properties: {TaskDefinition: t, LoadBalancerInfo: {ContainerName: web, ContainerPort: 80}}}}]";

    fn parse(rest: &str) -> Result<AppSpec, AppSpecError> {
        AppSpec::parse(&format!("version: 0.0\n{rest}\n"))
    }

    #[test]
    fn both_platforms_are_read_in_yaml_and_json() {
        let lambda = parse(&format!("{LAMBDA}\nhooks: [{{AfterAllowTraffic: b}}, {{BeforeAllowTraffic: a}}]")).unwrap();
        let resource = Resource::Lambda {
            function: "web".to_owned(),
            alias: "live".to_owned(),
            current: "1".to_owned(),
            target: "2".to_owned(),
        };
        let hooks = [("AfterAllowTraffic", "b".to_owned()), ("BeforeAllowTraffic", "a".to_owned())].into();
        assert_eq!(lambda, AppSpec { resource, hooks });
        let json = r#"{"version": 0.0, "Resources": [{"S": {"Type": "AWS::ECS::Service", "Properties": {"TaskDefinition": "t:1",
            "LoadBalancerInfo": {"ContainerName": "web", "ContainerPort": 80}, "PlatformVersion": "LATEST"}}}],
            "Hooks": [{"BeforeInstall": "f"}]}"#;
        let ecs = AppSpec::parse(json).unwrap();
        assert_eq!(ecs.resource, Resource::Ecs { task_definition: "t:1".to_owned() });
        assert_eq!(ecs.hooks, [("BeforeInstall", "f".to_owned())].into());
    }

    #[test]
    fn mistakes_are_told() {
        for (rest, expected) in [
            ("Resources: []", "exactly one resource; there are 0"),
            ("Resources: [{a: {Type: AWS::EC2::Instance}}]", "the resource a has the type \"AWS::EC2::Instance\""),
            ("Resources: [{a: {Type: AWS::Lambda::Function, Properties: {Name: web}}}]", "no property Alias"),
            (
                "Resources: [{a: {Type: AWS::ECS::Service, Properties: {TaskDefinition: t}}}]",
                "no property ContainerName",
            ),
            (&format!("{LAMBDA}\nhooks: [{{BeforeInstall: f}}]"), "it has BeforeAllowTraffic, AfterAllowTraffic"),
            (&format!("{ECS}\nHooks: [{{AfterAllowTrafic: f}}]"), "no lifecycle event \"AfterAllowTrafic\""),
            (&format!("{LAMBDA}\nhooks: [{{BeforeAllowTraffic: f}}, {{BeforeAllowTraffic: g}}]"), "more than once"),
            (&format!("{LAMBDA}\nhooks: [{{BeforeAllowTraffic: f, AfterAllowTraffic: g}}]"), "each entry under hooks"),
            (&format!("{LAMBDA}\nhooks: [{{BeforeAllowTraffic: \"\"}}]"), "each entry under hooks"),
            (&format!("{LAMBDA}\nos: linux"), "os"),
        ] {
            let error = parse(rest).unwrap_err().to_string();
            assert!(error.contains(expected), "{rest}: {error}");
        }
        assert!(AppSpec::parse(&format!("version: 1\n{LAMBDA}")).unwrap_err().to_string().contains("version: 0.0"));
    }
}
