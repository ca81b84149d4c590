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
