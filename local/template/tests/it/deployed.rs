//! The template of this repository: all of it is understood.

use std::path::Path;

use stagegate_local_template::{Settings, read_template};

#[test]
fn the_deployed_template_is_understood() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let template = read_template(&path, &Settings::default()).unwrap();
    let gate = template.function("TestGate").unwrap();
    assert_eq!((gate.function_name.as_str(), gate.build.binary.as_deref()), ("stagegate-test-gate", Some("test-gate")));
    for function in &template.functions {
        let code = template.folder.join(&function.code_uri);
        assert!(code.join("Cargo.toml").is_file(), "{}: no package at {}", function.logical_id, code.display());
        assert_eq!(function.handler, "bootstrap", "{}", function.logical_id);
        assert_eq!(function.logging.format, "JSON", "{}", function.logical_id);
        for layer in &function.layers {
            assert!(template.layers.iter().any(|known| known.arn == *layer), "{}: {layer}", function.logical_id);
        }
    }
    for layer in &template.layers {
        let content = template.folder.join(&layer.content_uri);
        assert!(content.is_dir(), "{}: no folder at {}", layer.logical_id, content.display());
    }
    assert!(template.outputs.values().all(|output| output.value.is_some()), "{:?}", template.outputs);
}

#[test]
fn custom_action_types_are_read_in_the_form_of_the_api() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
    let without = read_template(&path, &Settings::default()).unwrap();
    assert!(without.custom_action_types.is_empty() && without.function("JobWorker").is_none());
    let on = [("CustomActions", "on"), ("CustomActionVersion", "7")];
    let parameters = on.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let template = read_template(&path, &Settings { parameters, ..Settings::default() }).unwrap();
    let gate = &template.custom_action_types[0].input;
    assert_eq!(
        (&gate["category"], &gate["provider"], &gate["version"]),
        (&"Test".into(), &"Stagegate-TestGate".into(), &"7".into())
    );
    assert_eq!(gate["inputArtifactDetails"], serde_json::json!({"minimumCount": 0, "maximumCount": 5}));
    let property = &gate["configurationProperties"][0];
    assert_eq!((&property["name"], &property["required"]), (&"Gate".into(), &true.into()));
    assert!(gate["settings"]["executionUrlTemplate"].as_str().unwrap().contains("{ExternalExecutionId}"));
    // The worker serves each of them, in whatever version.
    let worker = template.function("JobWorker").unwrap();
    for custom in &template.custom_action_types {
        let id =
            format!("{}/{}/*=", custom.input["category"].as_str().unwrap(), custom.input["provider"].as_str().unwrap());
        assert!(worker.environment["STAGEGATE_CUSTOM_ACTIONS"].contains(&id), "{id}");
    }
}
