//! The whole template.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::codebuild::{BuildProject, read_build_project};
use crate::codedeploy::{Application, DeploymentGroup, read_application, read_deployment_group};
use crate::error::{Position, Problem, Result, TemplateError, did_you_mean};
use crate::evaluate::{Declared, Evaluator};
use crate::function::{Function, FunctionIdentity, read_function};
use crate::globals::{function_globals, merge};
use crate::listener::{Listener, read_listener};
use crate::parameter_store::{StoredParameter, read_stored_parameter};
use crate::parameters::{ParameterValue, read_parameters};
use crate::physical;
use crate::pipeline::{Pipeline, read_pipeline};
use crate::properties::{Properties, list, string};
use crate::queue::{Queue, read_queue};
use crate::resources::{
    Bucket, CustomActionType, Identity, Layer, LogGroup, Rule, Schedule, Subscription, Topic, read_bucket,
    read_custom_action_type, read_layer, read_log_group, read_rule, read_schedule, read_subscription, read_topic,
};
use crate::role::{Role, read_roles};
use crate::rules::check_rules;
use crate::settings::Settings;
use crate::yaml::{self, Entry, Kind, Node};

/// What a template declares, with everything resolved that the local AWS wires. All lists are in the order of the
/// template; what a condition leaves out is left out.
#[derive(Clone, Debug, Default)]
pub struct Template {
    /// The folder of the template, to which the places of code and layers are relative.
    pub folder: PathBuf,
    /// The values of the parameters.
    pub parameters: BTreeMap<String, ParameterValue>,
    /// `AWS::Serverless::Function`.
    pub functions: Vec<Function>,
    /// `AWS::Serverless::LayerVersion`.
    pub layers: Vec<Layer>,
    /// `AWS::Logs::LogGroup`.
    pub log_groups: Vec<LogGroup>,
    /// `AWS::S3::Bucket`.
    pub buckets: Vec<Bucket>,
    /// `AWS::SNS::Topic`.
    pub topics: Vec<Topic>,
    /// `AWS::SNS::Subscription` and the subscriptions inside of topics.
    pub subscriptions: Vec<Subscription>,
    /// `AWS::SQS::Queue`.
    pub queues: Vec<Queue>,
    /// The names of `AWS::Events::EventBus`.
    pub event_buses: Vec<String>,
    /// `AWS::Events::Rule`.
    pub rules: Vec<Rule>,
    /// `AWS::Scheduler::Schedule`.
    pub schedules: Vec<Schedule>,
    /// `AWS::CodePipeline::CustomActionType`.
    pub custom_action_types: Vec<CustomActionType>,
    /// `AWS::IAM::Role`, each with the policies of the template that are attached to it.
    pub roles: Vec<Role>,
    /// `AWS::CodePipeline::Pipeline`.
    pub pipelines: Vec<Pipeline>,
    /// `AWS::CodeBuild::Project`.
    pub build_projects: Vec<BuildProject>,
    /// `AWS::CodeDeploy::Application`.
    pub applications: Vec<Application>,
    /// `AWS::CodeDeploy::DeploymentGroup`.
    pub deployment_groups: Vec<DeploymentGroup>,
    /// The logical ids of `AWS::ElasticLoadBalancingV2::LoadBalancer`.
    pub load_balancers: Vec<String>,
    /// `AWS::ElasticLoadBalancingV2::Listener`.
    pub listeners: Vec<Listener>,
    /// `AWS::SSM::Parameter`.
    pub stored_parameters: Vec<StoredParameter>,
    /// Resources of all other types, roles and policies among them.
    pub other_resources: Vec<OtherResource>,
    /// The outputs by name.
    pub outputs: BTreeMap<String, Output>,
}

/// A resource that nothing here looks at.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherResource {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// For example `AWS::IAM::Role`.
    pub resource_type: String,
    /// Its properties as in the template, expressions in their long form.
    pub properties: Value,
}

/// An output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Its description.
    pub description: Option<String>,
    /// Its value; `None` if it takes an attribute of a resource that is not known here.
    pub value: Option<String>,
    /// The name by which other stacks import it.
    pub export: Option<String>,
}

impl Template {
    /// The role that a function runs with, where the template has it.
    pub fn role_of(&self, function: &Function) -> Option<&Role> {
        let arn = function.role_arn.as_ref()?;
        self.roles.iter().find(|role| role.arn == *arn)
    }

    /// What other stacks can import, by the names of the exports.
    pub fn exports(&self) -> BTreeMap<String, String> {
        let outputs = self.outputs.values();
        outputs.filter_map(|output| Some((output.export.clone()?, output.value.clone()?))).collect()
    }

    /// The function with this logical id or name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.logical_id == name || function.function_name == name)
    }
}

/// Reads a template file.
///
/// # Errors
///
/// If the file can not be read, is no valid template, or uses something that the local AWS would have to honour and
/// can not; the error names the place.
pub fn read_template(path: &Path, settings: &Settings) -> std::result::Result<Template, TemplateError> {
    let file = path.display().to_string();
    let failed = |source| TemplateError::Io { file: file.clone(), source };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > yaml::MAX_BYTES as u64 {
        let message = format!("the template has {size} bytes, {} are allowed", yaml::MAX_BYTES);
        return Err(Problem::setting(message).in_file(&file));
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    let mut template = parse_template(&text, &file, settings)?;
    template.folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(template)
}

/// Reads a template from its text; `file` names it in errors.
///
/// # Errors
///
/// As [`read_template`].
pub fn parse_template(text: &str, file: &str, settings: &Settings) -> std::result::Result<Template, TemplateError> {
    read(text, settings).map_err(|problem| problem.in_file(file))
}

/// The names of the parameters that a template declares, in its order. Nothing else of it is looked at.
///
/// # Errors
///
/// If the file can not be read or is no YAML.
pub fn parameter_names(path: &Path) -> std::result::Result<Vec<String>, TemplateError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| TemplateError::Io { file: file.clone(), source })?;
    let names = || {
        let root = yaml::parse(&text)?;
        let parameters = Properties::of(&root, "a template")?.mapping("Parameters")?;
        let entries = parameters.map(|parameters| parameters.entries()).unwrap_or_default();
        Ok(entries.iter().map(|entry| entry.key.clone()).collect())
    };
    names().map_err(|problem: Problem| problem.in_file(&file))
}

const SECTIONS: [&str; 11] = [
    "AWSTemplateFormatVersion",
    "Conditions",
    "Description",
    "Globals",
    "Mappings",
    "Metadata",
    "Outputs",
    "Parameters",
    "Resources",
    "Rules",
    "Transform",
];

const RESOURCE_ATTRIBUTES: [&str; 10] = [
    "Condition",
    "Connectors",
    "CreationPolicy",
    "DeletionPolicy",
    "DependsOn",
    "Metadata",
    "Properties",
    "Type",
    "UpdatePolicy",
    "UpdateReplacePolicy",
];

const READ_TYPES: [&str; 18] = [
    "AWS::CodeBuild::Project",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::CodePipeline::CustomActionType",
    "AWS::CodePipeline::Pipeline",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::Scheduler::Schedule",
    "AWS::Serverless::Function",
    "AWS::Serverless::LayerVersion",
];

fn read(text: &str, settings: &Settings) -> Result<Template> {
    let root = yaml::parse(text)?;
    let sections = Properties::of(&root, "a template")?;
    sections.only(&SECTIONS, "a template")?;
    let uses_sam = read_transform(sections.get("Transform"))?;
    let globals = function_globals(sections.get("Globals"))?;
    let parameters = read_parameters(sections.get("Parameters"), settings)?;
    let resources = Properties::of(sections.require("Resources", "a template")?, "`Resources`")?;

    let mut declared = BTreeMap::new();
    for entry in resources.entries() {
        declared.insert(entry.key.as_str(), read_declaration(entry, uses_sam)?);
    }
    let evaluator =
        Evaluator::new(settings, &parameters, sections.get("Mappings"), sections.get("Conditions"), declared.clone())?;
    check_rules(sections.get("Rules"), &evaluator)?;
    let mut template = Template { roles: read_roles(&resources, &declared, &evaluator)?, ..Template::default() };
    for entry in resources.entries() {
        let Some(declaration) = declared.get(entry.key.as_str()) else { continue };
        if evaluator.exists(declaration)? {
            let resource = Resource { entry, declaration, evaluator: &evaluator, globals };
            resource.add_to(&mut template)?;
        }
    }
    template.outputs = read_outputs(sections.get("Outputs"), &evaluator)?;
    drop(evaluator);
    template.parameters = parameters;
    Ok(template)
}

/// Whether the template uses SAM. Other transforms would change it in ways that nobody carries out here.
fn read_transform(node: Option<&Node>) -> Result<bool> {
    const SAM: &str = "AWS::Serverless-2016-10-31";
    let Some(node) = node else { return Ok(false) };
    let names = match &node.kind {
        Kind::Sequence(items) => items.iter().collect(),
        _ => vec![node],
    };
    for name in &names {
        let name = string(name, "Transform")?;
        if name != SAM {
            return Err(Problem::at(
                node.position,
                format!("the transform `{name}` is not supported here, only {SAM}"),
            ));
        }
    }
    Ok(!names.is_empty())
}

fn read_declaration(entry: &Entry, uses_sam: bool) -> Result<Declared<'_>> {
    let resource = Properties::of(&entry.value, &format!("the resource `{}`", entry.key))?;
    resource.only(&RESOURCE_ATTRIBUTES, "a resource")?;
    let node = resource.require("Type", &format!("the resource `{}`", entry.key))?;
    let Kind::Scalar(scalar) = &node.kind else {
        return Err(Problem::at(node.position, "`Type` must be a text"));
    };
    let resource_type = scalar.text.as_str();
    if !entry.key.chars().all(|c| c.is_ascii_alphanumeric()) {
        let message = format!("the logical id `{}` may have letters and digits only", entry.key);
        return Err(Problem::at(entry.key_position, message));
    }
    if resource_type.starts_with("AWS::Serverless::") && !uses_sam {
        return Err(Problem::at(node.position, "SAM resources need `Transform: AWS::Serverless-2016-10-31`"));
    }
    check_type(resource_type, node.position)?;
    Ok(Declared { resource_type, condition: resource.get("Condition"), properties: resource.mapping("Properties")? })
}

/// A type that is nearly one of those that are read here is a slip, not another type.
fn check_type(resource_type: &str, position: Position) -> Result<()> {
    let is_slip = |known: &&&str| {
        let distance = strsim::damerau_levenshtein(&known.to_lowercase(), &resource_type.to_lowercase());
        **known != resource_type && distance <= 2
    };
    if READ_TYPES.contains(&resource_type) {
        return Ok(());
    }
    match READ_TYPES.iter().find(is_slip) {
        Some(near) => {
            let hint = did_you_mean(resource_type, [*near]);
            Err(Problem::at(position, format!("the resource type `{resource_type}` is unknown{hint}")))
        }
        None => Ok(()),
    }
}

/// A resource to be read.
struct Resource<'r, 't> {
    entry: &'r Entry,
    declaration: &'r Declared<'t>,
    evaluator: &'r Evaluator<'t>,
    globals: Option<&'r Node>,
}

impl Resource<'_, '_> {
    fn add_to(&self, template: &mut Template) -> Result<()> {
        let resource_type = self.declaration.resource_type;
        if !READ_TYPES.contains(&resource_type) {
            template.other_resources.push(OtherResource {
                logical_id: self.entry.key.clone(),
                resource_type: resource_type.to_owned(),
                properties: self.properties().map_or(Value::Null, Node::to_json),
            });
            return Ok(());
        }
        if resource_type == "AWS::Serverless::Function" {
            template.functions.push(self.function()?);
            return Ok(());
        }
        let empty = Node { position: self.entry.value.position, kind: Kind::Mapping(Vec::new()) };
        let resolved = self.evaluator.resolve(self.properties().unwrap_or(&empty))?.unwrap_or(empty);
        let properties = Properties::of(&resolved, "`Properties`")?;
        if resource_type == "AWS::SNS::Subscription" {
            template.subscriptions.push(read_subscription(properties)?);
            return Ok(());
        }
        if resource_type == "AWS::CodePipeline::CustomActionType" {
            template.custom_action_types.push(read_custom_action_type(&self.entry.key, properties)?);
            return Ok(());
        }
        let identity = self.identity()?;
        match resource_type {
            "AWS::Serverless::LayerVersion" => template.layers.push(read_layer(properties, identity)?),
            "AWS::Logs::LogGroup" => template.log_groups.push(read_log_group(properties, identity)?),
            "AWS::S3::Bucket" => template.buckets.push(read_bucket(properties, identity)?),
            "AWS::SQS::Queue" => template.queues.push(read_queue(properties, identity, self.evaluator.settings)?),
            "AWS::Events::EventBus" => template.event_buses.push(identity.name),
            "AWS::Events::Rule" => template.rules.push(read_rule(properties, identity)?),
            "AWS::Scheduler::Schedule" => template.schedules.push(read_schedule(properties, identity)?),
            "AWS::SNS::Topic" => {
                let (topic, subscriptions) = read_topic(properties, identity)?;
                template.topics.push(topic);
                template.subscriptions.extend(subscriptions);
            }
            _ => self.add_to_delivery(template, &resolved, identity)?,
        }
        Ok(())
    }

    /// Adds what a pipeline is made of.
    fn add_to_delivery(&self, template: &mut Template, resolved: &Node, identity: Identity<'_>) -> Result<()> {
        let properties = Properties::of(resolved, "`Properties`")?;
        match self.declaration.resource_type {
            "AWS::CodePipeline::Pipeline" => template.pipelines.push(read_pipeline(resolved, identity)?),
            "AWS::CodeBuild::Project" => template.build_projects.push(read_build_project(properties, identity)?),
            "AWS::CodeDeploy::Application" => template.applications.push(read_application(properties, identity)?),
            "AWS::CodeDeploy::DeploymentGroup" => {
                template.deployment_groups.push(read_deployment_group(properties, identity)?);
            }
            "AWS::ElasticLoadBalancingV2::Listener" => {
                template.listeners.push(read_listener(properties, self.properties(), identity)?);
            }
            "AWS::SSM::Parameter" => template.stored_parameters.push(read_stored_parameter(properties, identity)?),
            _ => template.load_balancers.push(identity.logical_id.to_owned()),
        }
        Ok(())
    }

    fn properties(&self) -> Option<&Node> {
        Properties::of(&self.entry.value, "a resource").ok()?.get("Properties")
    }

    fn identity(&self) -> Result<Identity<'_>> {
        let evaluator = self.evaluator;
        let name = evaluator.physical_name(&self.entry.key, self.entry.key_position)?;
        let arn = physical::arn(evaluator.settings, self.declaration.resource_type, &name).unwrap_or_default();
        Ok(Identity { logical_id: &self.entry.key, name, arn })
    }

    fn function(&self) -> Result<Function> {
        let empty = Node { position: self.entry.value.position, kind: Kind::Mapping(Vec::new()) };
        let own = self.properties().unwrap_or(&empty);
        let merged = self.globals.map_or_else(|| own.clone(), |globals| merge(globals, own));
        // Policies are kept as they are: nothing here checks rights, and they refer to whatever there is.
        let (policies, rest) = take(merged, "Policies");
        let resolved = self.evaluator.resolve(&rest)?.unwrap_or(empty);
        let resource = Properties::of(&self.entry.value, "a resource")?;
        let metadata = resource.get("Metadata").map(|node| self.evaluator.resolve(node)).transpose()?.flatten();
        let identity = self.identity()?;
        let identity = FunctionIdentity {
            logical_id: identity.logical_id,
            function_name: identity.name,
            arn: identity.arn,
            policies: policies.map(|node| node.to_json()),
            metadata: metadata.as_ref(),
        };
        read_function(Properties::of(&resolved, "`Properties`")?, identity)
    }
}

/// Takes one entry out of a mapping.
fn take(node: Node, key: &str) -> (Option<Node>, Node) {
    let Kind::Mapping(entries) = node.kind else { return (None, node) };
    let (taken, rest): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|entry| entry.key == key);
    let taken = taken.into_iter().next().map(|entry| entry.value);
    (taken, Node { position: node.position, kind: Kind::Mapping(rest) })
}

fn read_outputs(section: Option<&Node>, evaluator: &Evaluator<'_>) -> Result<BTreeMap<String, Output>> {
    let mut outputs = BTreeMap::new();
    let Some(section) = section else { return Ok(outputs) };
    for entry in Properties::of(section, "`Outputs`")?.entries() {
        let output = Properties::of(&entry.value, "an output")?;
        output.only(&["Condition", "Description", "Export", "Value"], "an output")?;
        if let Some(condition) = output.get("Condition")
            && !evaluator.condition(&string(condition, "Condition")?, condition.position)?
        {
            continue;
        }
        let value = output.require("Value", "an output")?;
        let value = match evaluator.resolve(value) {
            Ok(Some(node)) => Some(output_text(&node)?),
            Ok(None) => None,
            // An output wires nothing: one that can not be known here is no reason to refuse the template.
            Err(problem) if problem.is_unknown_attribute => None,
            Err(problem) => return Err(problem),
        };
        let export = output.mapping("Export")?.map(|export| export.require("Name", "`Export`")).transpose()?;
        let export = export.map(|name| evaluator.resolve(name)).transpose()?.flatten();
        let export = export.map(|name| string(&name, "the name of an export")).transpose()?;
        outputs.insert(entry.key.clone(), Output { description: output.string("Description")?, value, export });
    }
    Ok(outputs)
}

fn output_text(node: &Node) -> Result<String> {
    match &node.kind {
        Kind::Sequence(_) => {
            let items = list(node, "Value")?.iter().map(|item| string(item, "Value"));
            Ok(items.collect::<Result<Vec<_>>>()?.join(","))
        }
        _ => string(node, "Value"),
    }
}
