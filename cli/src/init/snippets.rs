//! What goes into the pipeline: each gate as a Lambda action, as a rule of a stage condition and as a custom action, in the
//! form in which the pipeline itself is written.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::config::quoted;
use super::definition::{Definition, Form, with_capitals};
use super::plan::Plan;

/// The reference that stands for the execution.
const EXECUTION: &str = "#{codepipeline.PipelineExecutionId}";

/// A gate at its place in the pipeline.
pub(crate) struct GateAt {
    /// The action's name.
    pub(crate) name: &'static str,
    /// The gate in `stagegate.yaml`.
    pub(crate) gate: String,
    /// What the name of its function ends with.
    function: &'static str,
    /// Category and provider of its custom action type.
    custom: (&'static str, &'static str),
    /// The artifact that it reads.
    artifact: Option<String>,
    /// The number of the stage to which it belongs, and whether it comes before it.
    pub(crate) stage: usize,
    pub(crate) before: bool,
    /// The stage, in words.
    pub(crate) place: String,
}

/// The gates of a plan in the order of the pipeline.
pub(crate) fn gates(definition: &Definition, plan: &Plan) -> Vec<GateAt> {
    let name = |stage: usize| definition.stages[stage].name.as_str();
    let tests = plan.tests.as_ref().map(|tests| GateAt {
        name: "TestGate",
        gate: plan.gate("tests"),
        function: "test-gate",
        custom: ("Test", "Stagegate-TestGate"),
        artifact: tests.artifact.clone(),
        stage: tests.stage,
        before: false,
        place: format!("after the stage {}, whose action {} runs the tests", name(tests.stage), tests.action),
    });
    let smoke = plan.smoke.as_ref().map(|smoke| GateAt {
        name: "SmokeTest",
        gate: plan.gate("smoke"),
        function: "smoke-test",
        custom: ("Test", "Stagegate-SmokeTest"),
        artifact: smoke.artifact.clone(),
        stage: smoke.stage,
        before: false,
        place: format!("after the stage {}, which deploys", name(smoke.stage)),
    });
    let release = plan.release.as_ref().map(|release| GateAt {
        name: "ReleaseGate",
        gate: plan.gate("release"),
        function: "release-gate",
        custom: ("Invoke", "Stagegate-ReleaseGate"),
        artifact: None,
        stage: release.stage,
        before: true,
        place: format!("before the stage {}, which deploys to production", name(release.stage)),
    });
    tests.into_iter().chain(smoke).chain(release).collect()
}

impl GateAt {
    fn user_parameters(&self, plan: &Plan, stage: &str) -> String {
        json!({"gate": self.gate, "pipeline": plan.pipeline, "stage": stage, "execution": EXECUTION}).to_string()
    }

    fn artifacts(&self) -> Value {
        self.artifact.iter().map(|name| json!({"name": name})).collect()
    }

    /// A Lambda action.
    pub(crate) fn lambda_action(&self, plan: &Plan, prefix: &str) -> Value {
        json!({
            "name": self.name,
            "actionTypeId": {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"},
            "configuration": {
                "FunctionName": format!("{prefix}-{}", self.function),
                "UserParameters": self.user_parameters(plan, self.name),
            },
            "inputArtifacts": self.artifacts(),
            "namespace": self.name,
        })
    }

    /// A rule of a stage condition.
    pub(crate) fn rule(&self, definition: &Definition, plan: &Plan, prefix: &str) -> Value {
        // A gate after one stage is a condition of the end of it.
        let stage = &definition.stages[self.stage].name;
        json!({
            "name": self.name,
            "ruleTypeId": {"category": "Rule", "owner": "AWS", "provider": "LambdaInvoke", "version": "1"},
            "configuration": {
                "FunctionName": format!("{prefix}-{}", self.function),
                "UserParameters": self.user_parameters(plan, stage),
            },
            "inputArtifacts": self.artifacts(),
        })
    }

    /// The condition of the stage that the rule belongs to.
    pub(crate) fn condition(&self) -> &'static str {
        if self.before { "beforeEntry" } else { "onSuccess" }
    }

    /// An action of its own type.
    pub(crate) fn custom_action(&self) -> Value {
        let (category, provider) = self.custom;
        json!({
            "name": self.name,
            "actionTypeId": {"category": category, "owner": "Custom", "provider": provider, "version": "1"},
            "configuration": {"Gate": self.gate},
            "inputArtifacts": self.artifacts(),
            "namespace": self.name,
        })
    }
}

/// The definition with a stage for each gate; `None` where the pipeline is in a template.
pub(crate) fn with_gates(definition: &Definition, plan: &Plan, gates: &[GateAt], prefix: &str) -> Option<Value> {
    if definition.form == Form::Template {
        return None;
    }
    let mut whole = definition.whole.clone();
    // What `get-pipeline` prints beside the pipeline is refused by `update-pipeline`.
    let pipeline = match whole.as_object_mut() {
        Some(members) if members.contains_key("pipeline") => {
            members.remove("metadata");
            &mut whole["pipeline"]
        }
        _ => &mut whole,
    };
    let stages = pipeline["stages"].as_array()?.clone();
    let mut with = Vec::new();
    for (number, stage) in stages.into_iter().enumerate() {
        let stage_of = |gate: &GateAt| json!({"name": gate.name, "actions": [gate.lambda_action(plan, prefix)]});
        with.extend(gates.iter().filter(|gate| gate.stage == number && gate.before).map(stage_of));
        with.push(stage);
        with.extend(gates.iter().filter(|gate| gate.stage == number && !gate.before).map(stage_of));
    }
    pipeline["stages"] = with.into();
    Some(whole)
}

/// A snippet as the pipeline is written: JSON for a definition, YAML with capitals for a template.
pub(crate) fn written(form: Form, snippet: &Value) -> String {
    match form {
        Form::Definition => format!("{snippet:#}\n"),
        Form::Template => {
            let mut yaml = String::new();
            write_item(&with_capitals(snippet), &mut yaml);
            yaml
        }
    }
}

/// How the files of snippets end.
pub(crate) fn ending(form: Form) -> &'static str {
    match form {
        Form::Definition => "json",
        Form::Template => "yaml",
    }
}

/// An item of a list: `- Name: ...`, the other members below.
fn write_item(value: &Value, yaml: &mut String) {
    let mut members = String::new();
    write_members(value.as_object().unwrap_or(&Map::new()), 2, &mut members);
    yaml.push_str("- ");
    yaml.push_str(members.trim_start());
}

fn write_members(members: &Map<String, Value>, indent: usize, yaml: &mut String) {
    for (key, value) in members {
        let space = " ".repeat(indent);
        match value {
            Value::Object(inner)
                if inner.len() > 2
                    || inner.values().any(|value| value.as_str().is_some_and(|text| text.len() > 40)) =>
            {
                let _ = writeln!(yaml, "{space}{key}:");
                write_members(inner, indent + 2, yaml);
            }
            _ => {
                let _ = writeln!(yaml, "{space}{key}: {}", on_one_line(value));
            }
        }
    }
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{key}: {}", on_one_line(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(on_one_line).collect::<Vec<_>>().join(", ")),
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

/// Whether a text may stand in YAML without quotes, and is still a text.
fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
}
