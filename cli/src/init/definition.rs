//! A pipeline as it is given: the JSON of `get-pipeline`, or a CloudFormation template with a pipeline in it.

use std::path::Path;

use serde_json::{Map, Value};
use stagegate_local_template::{Settings, read_template};

/// How the pipeline is written, and so how snippets for it are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// What `aws codepipeline get-pipeline` prints.
    Definition,
    /// A resource of a CloudFormation template.
    Template,
}

/// A pipeline.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) form: Form,
    pub(crate) name: String,
    /// Whether the name is written in the pipeline, and is no expression of a template.
    pub(crate) is_name_certain: bool,
    pub(crate) stages: Vec<Stage>,
    /// The whole file, if it is a definition.
    pub(crate) whole: Value,
}

#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub(crate) name: String,
    pub(crate) actions: Vec<Action>,
}

#[derive(Clone, Debug)]
pub(crate) struct Action {
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) provider: String,
    pub(crate) outputs: Vec<String>,
}

impl Definition {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// If it is neither of both, or has no pipeline or more than one; the text reads after "failed to".
    pub(crate) fn read(file: &Path, settings: &Settings) -> Result<Self, String> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| format!("read {shown}: {error}"))?;
        let whole: Option<Value> = serde_json::from_str(&text).ok();
        match whole {
            Some(whole) if whole.get("pipeline").unwrap_or(&whole).get("stages").is_some() => {
                let pipeline = whole.get("pipeline").unwrap_or(&whole).clone();
                Self::of(Form::Definition, &pipeline, whole)
            }
            _ => Self::of_template(file, settings),
        }
        .map_err(|error| if error.starts_with("read ") { error } else { format!("read {shown}: {error}") })
    }

    fn of_template(file: &Path, settings: &Settings) -> Result<Self, String> {
        let template = read_template(file, settings).map_err(|error| {
            format!("{error}; a pipeline is the JSON of `aws codepipeline get-pipeline`, or a CloudFormation template")
        })?;
        let pipeline = match template.pipelines.as_slice() {
            [] => return Err("there is no AWS::CodePipeline::Pipeline in the template".to_owned()),
            [pipeline] => pipeline,
            [first, second, ..] => {
                let (first, second) = (&first.logical_id, &second.logical_id);
                return Err(format!(
                    "there are two pipelines in the template, {first} and {second}; give it one of them"
                ));
            }
        };
        // A name that another stack would give is not known before the stack is.
        let elsewhere = Settings { stack_name: "elsewhere".to_owned(), ..settings.clone() };
        let elsewhere = read_template(file, &elsewhere).map_err(|error| error.to_string())?;
        let is_name_certain = elsewhere.pipelines.first().is_some_and(|other| other.name == pipeline.name);
        let name = if is_name_certain { &pipeline.name } else { &pipeline.logical_id };
        Ok(Self { is_name_certain, name: name.clone(), ..Self::of(Form::Template, &pipeline.definition, Value::Null)? })
    }

    fn of(form: Form, pipeline: &Value, whole: Value) -> Result<Self, String> {
        let stages: Vec<Stage> = items(pipeline, "stages").map(Stage::of).collect();
        if stages.iter().all(|stage| stage.actions.is_empty()) {
            return Err("the pipeline has no action".to_owned());
        }
        Ok(Self { form, name: text(pipeline, "name"), is_name_certain: true, stages, whole })
    }
}

impl Stage {
    fn of(stage: &Value) -> Self {
        Self { name: text(stage, "name"), actions: items(stage, "actions").map(Action::of).collect() }
    }
}

impl Action {
    fn of(action: &Value) -> Self {
        Self {
            name: text(action, "name"),
            category: text(&action["actionTypeId"], "category"),
            provider: text(&action["actionTypeId"], "provider"),
            outputs: items(action, "outputArtifacts").map(|artifact| text(artifact, "name")).collect(),
        }
    }
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value[key].as_array().into_iter().flatten()
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

/// CloudFormation begins the names of members with a capital, the API of CodePipeline with a small letter.
pub(crate) fn with_capitals(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let rename = |(key, value): (&String, &Value)| {
                let mut letters = key.chars();
                let first = letters.next().map(|letter| letter.to_ascii_uppercase());
                // What is configured is named by the provider of the action, not by the API.
                let inside = if key == "configuration" { value.clone() } else { with_capitals(value) };
                (first.into_iter().chain(letters).collect::<String>(), inside)
            };
            Value::Object(members.iter().map(rename).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(with_capitals).collect(),
        other => other.clone(),
    }
}
