//! A start for a pipeline: a `stagegate.yaml`, and what to add to the pipeline.

mod config;
mod definition;
mod plan;
mod snippets;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use stagegate_local_template::Settings;

use self::definition::{Definition, Form};
use self::plan::Plan;
use self::snippets::GateAt;

/// A first smoke test.
const HURL: &str = "# The page answers. More: https://hurl.dev/docs/asserting-response.html\nGET {{base}}/\nHTTP 200\n";

/// A file to be written.
pub(crate) struct Output {
    /// Below the folder that is written to.
    pub(crate) path: PathBuf,
    pub(crate) content: String,
}

/// What there is to write, and what to tell.
pub(crate) struct Start {
    pub(crate) files: Vec<Output>,
    /// One line for each gate: what it is and where it belongs.
    pub(crate) places: Vec<String>,
    /// What a person must look at.
    pub(crate) notes: Vec<String>,
}

/// Makes the files for the pipeline in `file`. `prefix` is the template's `NamePrefix`.
///
/// # Errors
///
/// If there is no pipeline in the file; the text reads after "failed to".
pub(crate) fn start(file: &Path, settings: &Settings, prefix: &str) -> Result<Start, String> {
    let definition = Definition::read(file, settings)?;
    let plan = Plan::of(&definition);
    let gates = snippets::gates(&definition, &plan);
    let notes = notes(&definition, &plan);
    let places = gates.iter().map(|gate| format!("{}: {}", gate.gate, gate.place)).collect();
    let mut files = vec![output("stagegate.yaml", config::stagegate_yaml(&definition, &plan))];
    if plan.smoke.is_some() {
        files.push(output("smoke/home.hurl", HURL.to_owned()));
    }
    let ending = snippets::ending(definition.form);
    for gate in &gates {
        let mut add = |kind: &str, snippet| {
            let path = format!("snippets/{}.{kind}.{ending}", gate.gate);
            files.push(output(&path, snippets::written(definition.form, &snippet)));
        };
        add("lambda-action", gate.lambda_action(&plan, prefix));
        add("rule", gate.rule(&definition, &plan, prefix));
        add("custom-action", gate.custom_action());
    }
    if let Some(whole) = snippets::with_gates(&definition, &plan, &gates, prefix) {
        files.push(output("pipeline-with-gates.json", format!("{whole:#}\n")));
    }
    files.push(output("snippets/README.md", readme(&definition, &gates, &notes, ending)));
    Ok(Start { files, places, notes })
}

fn output(path: &str, content: String) -> Output {
    Output { path: PathBuf::from(path), content }
}

fn notes(definition: &Definition, plan: &Plan) -> Vec<String> {
    let mut notes = Vec::new();
    match &plan.tests {
        None => notes.push("no CodeBuild action was found, so there is no gate for tests".to_owned()),
        Some(tests) if tests.artifact.is_none() => notes.push(format!(
            "the action {} hands no artifact on: give it one with the test reports, and name it in the input artifacts of the gate",
            tests.action
        )),
        Some(_) => {}
    }
    if plan.smoke.is_none() {
        notes.push("no action deploys anything, so there is neither a smoke test nor a release gate".to_owned());
    }
    if plan.approvals.is_empty() {
        notes.push("no manual approval was found; add one before production if people shall decide".to_owned());
    }
    if !definition.is_name_certain {
        notes.push(format!(
            "the pipeline's name is an expression: write it where {:?} stands in the snippets",
            definition.name
        ));
    }
    notes
}

fn readme(definition: &Definition, gates: &[GateAt], notes: &[String], ending: &str) -> String {
    let mut text = format!(
        "# Gates for the pipeline {}\n\n\
         Each gate is here as a Lambda action, as a rule of a stage condition (pipelines of type V2), and as a custom action (deployed\n\
         with `CustomActions=on`). Take one of them.\n\n\
         | gate | where | files |\n|---|---|---|\n",
        definition.name
    );
    for gate in gates {
        let condition = gate.condition();
        let stage = &definition.stages[gate.stage].name;
        let _ = writeln!(
            text,
            "| `{0}` | {1}; as a rule: `{condition}` of {stage} | `{0}.*.{ending}` |",
            gate.gate, gate.place
        );
    }
    text.push_str(
        "\nThe pipeline's role needs `lambda:InvokeFunction` on the functions of Lambda actions and rules: the stack's output\n\
         `PipelineRoleStatement` is the statement. A rule goes into\n\n",
    );
    text.push_str(match definition.form {
        Form::Definition => "```json\n\"beforeEntry\": {\"conditions\": [{\"result\": \"FAIL\", \"rules\": [ ... ]}]}\n```\n\n\
             `../pipeline-with-gates.json` is the whole definition with the Lambda actions, each in a stage of its own:\n\n\
             ```sh\nstagegate check --config stagegate.yaml pipeline-with-gates.json\n\
             aws codepipeline update-pipeline --cli-input-json file://pipeline-with-gates.json\n```\n",
        Form::Template => "```yaml\nBeforeEntry:\n  Conditions:\n    - Result: FAIL\n      Rules:\n        # the snippet\n```\n",
    });
    if !notes.is_empty() {
        text.push_str("\nTo look at:\n\n");
        notes.iter().for_each(|note| {
            let _ = writeln!(text, "- {note}");
        });
    }
    text
}
