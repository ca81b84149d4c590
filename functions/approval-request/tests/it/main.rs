//! The recorded events, and others that are not what they seem.

use approval_request::{Hint, Message, read};
use serde_json::{Value, json};
use stagegate_approval::Place;

fn event(name: &str) -> Value {
    let file = format!("{}/../../events/approvals/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(file).expect(name)).expect(name)
}

fn place() -> Place {
    Place { pipeline: "web".to_owned(), stage: "Production".to_owned(), action: "Approve".to_owned() }
}

#[test]
fn the_message_of_sns_is_a_request_without_its_review_link() {
    let messages = read(&event("sns-approval"));
    let [Message::Asked(request)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((request.place.clone(), request.execution.clone()), (place(), None));
    assert_eq!(request.expires_at, Some("2026-03-09T09:00:00Z".parse().expect("a time")));
    assert_eq!(request.custom_data.as_deref(), Some("Look at the prices."));
    assert_eq!(request.review_link.as_deref(), Some("https://staging.example.com"));
    // The token is in the link to the review.
    assert!(!format!("{request:?}").contains("1a2b3c4d-573f"), "{request:?}");
    assert_eq!(request.token.expose(), "1a2b3c4d-573f-4ea7-a67e-0123456789ab");
}

#[test]
fn events_say_that_an_approval_begins_or_is_over() {
    for (name, has_started) in [("approval-action-started", true), ("approval-action-failed", false)] {
        let expected = Hint {
            place: place(),
            execution: "3f2a0c9e-8b1d-4c6f-9a57-0e4d2b7c8f13".to_owned(),
            action_execution: Some("8d1c5e72-6a3f-4b90-8c24-5f7e9a1b3d60".to_owned()),
            region: Some("eu-west-1".to_owned()),
            has_started,
        };
        assert_eq!(read(&event(name)), [Message::Action(expected)], "{name}");
    }
    let execution = "3f2a0c9e-8b1d-4c6f-9a57-0e4d2b7c8f13".to_owned();
    let superseded = Message::Execution { pipeline: "web".to_owned(), execution };
    assert_eq!(read(&event("pipeline-execution-superseded")), [superseded]);
}

#[test]
fn nothing_else_is_taken_for_an_approval() {
    let started = event("approval-action-started");
    let with = |pointer: &str, value: Value| {
        let mut changed = started.clone();
        *changed.pointer_mut(pointer).expect(pointer) = value;
        changed
    };
    let sns = |message: &str| json!({"Records": [{"Sns": {"Message": message}}]});
    for other in [
        Value::Null,
        json!([]),
        json!({}),
        with("/detail/type/category", json!("Deploy")),
        with("/detail/state", json!("DREAMING")),
        with("/detail/state", json!(7)),
        with("/detail/pipeline", Value::Null),
        with("/detail/stage", json!("")),
        with("/detail-type", json!("CodePipeline Stage Execution State Change")),
        sns("hello"),
        sns("{}"),
        sns(r#"{"approval":{"pipelineName":"web","stageName":"P","actionName":"A"}}"#),
        json!({"Records": [{"s3": {}}]}),
    ] {
        let messages = read(&other);
        assert!(matches!(messages[..], [Message::Other(_)]), "{other}: {messages:?}");
    }
}
