//! Events as they are recorded, damaged and foreign.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_pipeline_event::{Change, Event, NotRead};

/// The recorded events by the names of their files.
fn recorded() -> BTreeMap<String, Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/eventbridge");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
    };
    files.map(read).collect()
}

fn event(name: &str) -> Event {
    Event::read(&recorded()[name]).unwrap()
}

#[test]
fn every_recorded_event_is_read_and_written_as_it_was() {
    let recorded = recorded();
    assert!(recorded.len() > 25, "{}", recorded.len());
    for (name, json) in recorded {
        let event = Event::read(&json).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(event.to_json(), json, "{name}");
        let kind = name.split('-').next().unwrap();
        let is_right = match &event.change {
            Change::Execution(_) => kind == "pipeline",
            Change::Stage(_) => kind == "stage",
            Change::Action(_) => kind == "action",
            Change::Build(_) | Change::Phase(_) => kind == "build",
            Change::Deployment(_) | Change::Instance(_) => kind == "deployment",
        };
        assert!(is_right, "{name}: {event:?}");
        assert_eq!(event.key().is_some(), matches!(kind, "pipeline" | "stage" | "action"), "{name}");
    }
}

#[test]
fn numbers_of_older_and_newer_events_are_the_same() {
    let (older, newer) = (event("action-started-older"), event("action-started"));
    assert_eq!(older.key(), newer.key());
    let Change::Action(older) = older.change else { panic!() };
    let Change::Action(newer) = newer.change else { panic!() };
    assert_eq!((older.version, older.attempt), (newer.version, newer.attempt));
    assert_eq!(older.action_type, newer.action_type);
}

#[test]
fn a_key_tells_apart_what_is_not_the_same() {
    let mut keys: Vec<_> = recorded().values().filter_map(|json| Event::read(json).unwrap().key()).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    // One action started twice (once as of older times), and an approval has the id of that action in these files.
    assert_eq!(all - keys.len(), 3, "{keys:?}");
    let mut again = recorded()["action-failed"].clone();
    again["id"] = json!("another");
    assert_eq!(Event::read(&again).unwrap().key(), event("action-failed").key());
    let execution = "01234567-0123-0123-0123-012345678901";
    assert_eq!(event("stage-failed").key().unwrap().to_string(), format!("{execution}/Deploy//FAILED/1"));
}

#[test]
fn a_build_says_which_pipeline_it_is_of_and_why_it_failed() {
    let Change::Build(build) = event("build-failed").change else { panic!() };
    assert_eq!(build.pipeline(), Some("web"));
    assert_eq!(build.build_id(), Some("web:8745a7a9-0123-0123-0123-0123456789ab"));
    let (phase, said) = build.failed_phase().unwrap();
    assert_eq!(phase, "BUILD");
    assert!(said.contains("exit status 101"), "{said}");
}

#[test]
fn what_is_no_event_is_refused_with_its_reason() {
    for (json, expected) in [
        (json!({}), NotRead::NoEvent("detail-type")),
        (json!(null), NotRead::NoEvent("detail-type")),
        (json!({"detail-type": 1}), NotRead::NoEvent("detail-type")),
        (json!({"detail-type": "CodeBuild Build State Change"}), NotRead::NoEvent("detail")),
        (json!({"detail-type": "Scheduled Event", "detail": {}}), NotRead::Unknown("Scheduled Event".to_owned())),
    ] {
        let error = Event::read(&json).unwrap_err();
        assert_eq!(error, expected, "{json}");
        assert!(error.to_string().starts_with("read the event: "), "{error}");
    }
}

/// A copy with the member at a place taken out or replaced.
fn damaged(value: &Value, at: &mut usize, by: Option<&Value>) -> Value {
    match value {
        Value::Object(map) => {
            let mut copy = serde_json::Map::new();
            for (key, member) in map {
                let is_it = *at == 0;
                *at = at.wrapping_sub(1);
                match (is_it, by) {
                    (true, None) => {}
                    (true, Some(other)) => drop(copy.insert(key.clone(), other.clone())),
                    (false, _) => drop(copy.insert(key.clone(), damaged(member, at, by))),
                }
            }
            Value::Object(copy)
        }
        Value::Array(items) => items.iter().map(|item| damaged(item, at, by)).collect(),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A detail in which one member is missing or of another form is read, with everything else that it holds.
    #[test]
    fn one_damaged_member_costs_no_other(
        place in 0usize..40,
        other in prop::option::of(prop::sample::select(vec![json!(null), json!(7.5), json!([1]), json!({"a": 1}), json!("x")])),
    ) {
        for (name, json) in recorded() {
            let mut changed = json.clone();
            changed["detail"] = damaged(&json["detail"], &mut place.clone(), other.as_ref());
            let event = Event::read(&changed).unwrap_or_else(|error| panic!("{name}: {error}")).to_json();
            let members = json["detail"].as_object().unwrap();
            let same = members.iter().filter(|(key, value)| changed["detail"].get(*key) == Some(*value));
            for (key, value) in same {
                prop_assert_eq!(&event["detail"][key], value, "{} {}", name, key);
            }
        }
    }
}
