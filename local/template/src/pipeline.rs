//! `AWS::CodePipeline::Pipeline`: from the properties of the template to the definition of the API.

mod laid_out;
mod shape;

use serde_json::Value;

use crate::error::{Position, Problem, Result, did_you_mean};
use crate::properties::{Properties, list, string};
use crate::resources::Identity;
use crate::yaml::{Entry, Kind, Node, Scalar};
use shape::{PIPELINE, Shape};

/// A pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// The name of the resource in the template.
    pub logical_id: String,
    /// The pipeline's name.
    pub name: String,
    /// Where it is declared.
    pub position: Position,
    /// The definition in the form of CreatePipeline, which `aws codepipeline get-pipeline` prints.
    pub definition: Value,
    /// The definition as JSON text in which each value stands on the line that it has in the template, so that a message
    /// about a place in it is one about a place in the template.
    pub text: String,
    /// The stages that nothing may enter, with the reasons.
    pub disabled_transitions: Vec<(String, String)>,
}

const TYPE: &str = "AWS::CodePipeline::Pipeline";

/// What is no part of the definition.
const BESIDE: [&str; 3] = ["DisableInboundStageTransitions", "RestartExecutionOnUpdate", "Tags"];

pub(crate) fn read_pipeline(properties: &Node, identity: Identity<'_>) -> Result<Pipeline> {
    let given = Properties::of(properties, "`Properties`")?;
    let entries = given.entries().iter().filter(|entry| !BESIDE.contains(&entry.key.as_str()) && entry.key != "Name");
    let name = Entry {
        key: "Name".to_owned(),
        key_position: given.position,
        value: Node::text(given.position, identity.name.as_str()),
    };
    let entries = std::iter::once(name).chain(entries.cloned()).collect();
    let definition = Node { position: given.position, kind: Kind::Mapping(entries) };
    let definition = stores_by_region(converted(&definition, &PIPELINE)?)?;
    Ok(Pipeline {
        logical_id: identity.logical_id.to_owned(),
        name: identity.name,
        position: given.position,
        definition: definition.to_json(),
        text: laid_out::laid_out(&definition),
        disabled_transitions: disabled_transitions(given)?,
    })
}

/// The same with the names and the types of the API.
fn converted(node: &Node, shape: &Shape) -> Result<Node> {
    let kind = match shape {
        Shape::Text => Kind::Scalar(Scalar { text: text_of(node)?, plain: false }),
        Shape::Integer => {
            let text = text_of(node)?;
            let is_number = text.parse::<u32>().is_ok_and(|number| number.to_string() == text);
            if !is_number {
                return Err(Problem::at(node.position, format!("a whole number is expected, not `{text}`")));
            }
            Kind::Scalar(Scalar { text, plain: true })
        }
        // The keys belong to the provider of the action; all values are texts.
        Shape::Configuration => {
            let given = Properties::of(node, "`Configuration`")?;
            let text = |entry: &Entry| Ok(Entry { value: converted(&entry.value, &Shape::Text)?, ..entry.clone() });
            Kind::Mapping(given.entries().iter().map(text).collect::<Result<_>>()?)
        }
        Shape::List(item) => {
            let items = list(node, "a list of the pipeline")?;
            Kind::Sequence(items.iter().map(|node| converted(node, item)).collect::<Result<_>>()?)
        }
        Shape::Object(what, members) => {
            let given = Properties::of(node, what)?;
            let member = |entry: &Entry| {
                let Some((_, shape)) = members.iter().find(|(name, _)| *name == entry.key) else {
                    let hint = did_you_mean(&entry.key, members.iter().map(|(name, _)| *name));
                    let message = format!("`{}` is no property of {what}{hint}", entry.key);
                    return Err(Problem::at(entry.key_position, message));
                };
                let key = with_small_letter(&entry.key);
                Ok(Entry { key, key_position: entry.key_position, value: converted(&entry.value, shape)? })
            };
            Kind::Mapping(given.entries().iter().map(member).collect::<Result<_>>()?)
        }
    };
    Ok(Node { position: node.position, kind })
}

/// A scalar's text, which may be empty.
fn text_of(node: &Node) -> Result<String> {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text.is_empty() && !scalar.plain => Ok(String::new()),
        _ => string(node, "a value of the pipeline"),
    }
}

fn with_small_letter(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// A template has a list of artifact stores with their Regions, the API a map by Region.
fn stores_by_region(definition: Node) -> Result<Node> {
    let Node { position, kind: Kind::Mapping(mut entries) } = definition else { return Ok(definition) };
    if let Some(entry) = entries.iter_mut().find(|entry| entry.key == "artifactStores") {
        let mut by_region = Vec::new();
        for item in list(&entry.value, "ArtifactStores")? {
            let given = Properties::of(item, "an artifact store")?;
            by_region.push(Entry {
                key: given.require_string("region", "an entry of `ArtifactStores`")?,
                key_position: item.position,
                value: given.require("artifactStore", "an entry of `ArtifactStores`")?.clone(),
            });
        }
        entry.value = Node { position: entry.value.position, kind: Kind::Mapping(by_region) };
    }
    Ok(Node { position, kind: Kind::Mapping(entries) })
}

fn disabled_transitions(properties: Properties<'_>) -> Result<Vec<(String, String)>> {
    let Some(node) = properties.get("DisableInboundStageTransitions") else { return Ok(Vec::new()) };
    let read = |item: &Node| {
        let given = Properties::of(item, "a disabled transition")?;
        given.only(&["Reason", "StageName"], "a disabled transition")?;
        Ok((given.require_string("StageName", TYPE)?, given.require_string("Reason", TYPE)?))
    };
    list(node, "DisableInboundStageTransitions")?.iter().map(read).collect()
}
