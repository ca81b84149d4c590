//! Pipelines with a source and one gate.

use serde_json::{Value, json};

/// The bucket of all artifacts.
pub(crate) const ARTIFACTS: &str = "artifacts";

fn id(category: &str, owner: &str, provider: &str) -> Value {
    json!({"category": category, "owner": owner, "provider": provider, "version": "1"})
}

/// A pipeline whose gate is a Lambda action; `stage` of the parameters is what the execution's variable `job` says.
pub(crate) fn lambda(name: &str, function: &str, gate: &str) -> Value {
    let parameters = json!({
        "gate": gate, "pipeline": name, "stage": "#{variables.job}",
        "execution": "#{codepipeline.PipelineExecutionId}",
    });
    let action = json!({
        "name": "Gate",
        "actionTypeId": id("Invoke", "AWS", "Lambda"),
        "configuration": {"FunctionName": function, "UserParameters": parameters.to_string()},
        "inputArtifacts": [{"name": "Code"}],
    });
    pipeline(name, action)
}

/// A pipeline whose gate is a custom action.
pub(crate) fn custom(name: &str, category: &str, provider: &str, gate: &str) -> Value {
    let action = json!({
        "name": "Gate",
        "actionTypeId": id(category, "Custom", provider),
        "configuration": {"Gate": gate},
        "inputArtifacts": [{"name": "Code"}],
        "namespace": "Gate",
    });
    pipeline(name, action)
}

fn pipeline(name: &str, gate: Value) -> Value {
    let source = json!({
        "name": "Source",
        "actionTypeId": id("Source", "AWS", "S3"),
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "web.zip"},
        "outputArtifacts": [{"name": "Code"}],
    });
    json!({
        "name": name,
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "artifactStore": {"type": "S3", "location": ARTIFACTS},
        "pipelineType": "V2",
        "executionMode": "PARALLEL",
        "variables": [{"name": "job", "defaultValue": "none"}],
        "stages": [{"name": "Source", "actions": [source]}, {"name": "Gate", "actions": [gate]}],
    })
}
