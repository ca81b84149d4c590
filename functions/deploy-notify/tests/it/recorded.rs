//! The recorded events, and others that are not what they seem.

use std::path::Path;

use deploy_notify::{Heard, heard};
use jiff::Timestamp;
use serde_json::{Value, json};
use stagegate_notice::Subject;

pub(crate) fn event(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../events/eventbridge/{name}.json"));
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn read(event: &Value) -> Result<Heard, String> {
    heard(event, Timestamp::UNIX_EPOCH).map_err(|error| error.to_string())
}

#[test]
fn every_recorded_event_is_understood() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/eventbridge");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let heard = read(&event(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let is_of = |expected| matches!(&heard, Heard::Change { subject, .. } if *subject == expected);
        let is_part = matches!(heard, Heard::PartOf { .. } | Heard::Nothing(_));
        let is_right = match name.split('-').next().unwrap() {
            "build" => is_of(Subject::Build) || is_part,
            "deployment" => is_of(Subject::Deployment) || is_part,
            _ => is_of(Subject::Pipeline),
        };
        assert!(is_right, "{name}: {heard:?}");
        count += 1;
    }
    assert!(count > 25, "{count}");
}

#[test]
fn what_cannot_be_understood_is_named() {
    let without = |name: &str, pointer: &str| {
        let mut event = event(name);
        *event.pointer_mut(pointer).unwrap() = Value::Null;
        event
    };
    for (event, word) in [
        (json!({}), "it has no \"detail-type\""),
        (
            json!({"detail-type": "EC2 Instance State-change Notification", "detail": {}}),
            "take it out of the rule's pattern",
        ),
        (
            without("pipeline-failed", "/detail/execution-id"),
            "without pipeline and execution-id cannot be told of anything",
        ),
        (without("action-failed", "/detail/pipeline"), "without pipeline and execution-id"),
        (without("deployment-failure", "/detail/deploymentId"), "without deploymentId"),
    ] {
        let error = read(&event).unwrap_err();
        assert!(error.contains(word), "{event}: {error}");
    }
    assert_eq!(read(&json!({"detail-type": "Scheduled Event"})), Ok(Heard::Tick));
}

/// A build of a pipeline is told of in the thread of the execution, by its reason.
#[test]
fn a_failed_build_of_a_pipeline_gives_its_reason() {
    let mut build = event("build-failed");
    build["detail"]["additional-information"]["initiator"] = json!("codepipeline/web");
    let Ok(Heard::PartOf { pipeline, picture }) = read(&build) else { panic!("{:?}", read(&build)) };
    assert_eq!((pipeline.as_str(), picture.parts.len()), ("web", 1));
    assert!(picture.parts.values().all(|part| part.reason.is_some()));
    build["detail"]["build-status"] = json!("SUCCEEDED");
    assert!(matches!(read(&build), Ok(Heard::Nothing(_))));
}
