//! What people did, as Slack tells it.

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_slack::SigningSecret;
use stagegate_slack::interaction::{Interaction, InteractionError, MAX_BODY_BYTES};
use stagegate_slack::signature::{SignedRequest, sign, verify};

fn parse(body: &[u8]) -> Result<Interaction, InteractionError> {
    let secret = SigningSecret::new("secret");
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let signature = sign(&secret, now, body);
    let request = SignedRequest { timestamp: Some("1700000000"), signature: Some(&signature), body };
    Interaction::parse(verify(&secret, request, now).unwrap())
}

fn form(payload: &Value) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish().into_bytes()
}

fn click() -> Value {
    json!({
        "type": "block_actions", "user": {"id": "U1", "username": "ada", "name": "ada", "team_id": "T1"},
        "api_app_id": "A1", "token": "legacy",
        "container": {"type": "message", "message_ts": "1608059435.001000", "channel_id": "C1", "is_ephemeral": false},
        "trigger_id": "1.2.3", "team": {"id": "T1", "domain": "d"}, "enterprise": null, "is_enterprise_install": false,
        "channel": {"id": "C1", "name": "c"}, "message": {"ts": "1608059435.001000", "blocks": []},
        "state": {"values": {}}, "response_url": "https://hooks.slack.com/actions/T1/1/x",
        "actions": [{"type": "button", "action_id": "approve", "block_id": "b", "value": "opaque",
                     "text": {"type": "plain_text", "text": "Approve"}, "action_ts": "1608059436.541193"}]})
}

fn submission() -> Value {
    json!({
        "type": "view_submission", "team": {"id": "T1", "domain": "d"}, "user": {"id": "U1", "name": "ada", "team_id": "T1"},
        "api_app_id": "A1", "token": "legacy", "trigger_id": "1.2.3", "enterprise": null,
        "view": {"id": "V1", "type": "modal", "callback_id": "reject", "private_metadata": "opaque", "hash": "1.x",
                 "state": {"values": {"comment": {"text": {"type": "plain_text_input", "value": " not yet \n"}},
                                      "empty": {"text": {"type": "plain_text_input", "value": null}}}}},
        "response_urls": []})
}

#[test]
fn a_click_is_read() {
    let Interaction::BlockActions(click) = parse(&form(&click())).unwrap() else { panic!() };
    assert_eq!((click.origin.app.as_str(), click.origin.team.as_str()), ("A1", "T1"));
    assert_eq!((click.origin.user.as_str(), click.origin.user_name.as_deref()), ("U1", Some("ada")));
    let message = click.message.unwrap();
    assert_eq!(
        (message.channel.as_str(), message.ts.as_str(), message.is_ephemeral),
        ("C1", "1608059435.001000", false)
    );
    assert_eq!((click.actions[0].action_id.as_str(), click.actions[0].value.as_deref()), ("approve", Some("opaque")));
    assert_eq!(click.trigger_id, "1.2.3");
    assert_eq!(format!("{:?}", click.response_url), "Some(ResponseUrl(redacted))");
}

#[test]
fn a_submission_is_read() {
    for kind in ["view_submission", "view_closed"] {
        let mut payload = submission();
        payload["type"] = kind.into();
        let (Interaction::ViewSubmission(view) | Interaction::ViewClosed(view)) = parse(&form(&payload)).unwrap()
        else {
            panic!()
        };
        assert_eq!((view.view_id.as_str(), view.callback_id.as_str()), ("V1", "reject"));
        assert_eq!((view.private_metadata.as_str(), view.hash.as_deref()), ("opaque", Some("1.x")));
        assert_eq!(view.value("comment", "text"), Some("not yet"));
        assert_eq!((view.value("empty", "text"), view.value("other", "text")), (None, None));
    }
}

#[test]
fn what_is_unknown_is_named_and_what_is_not_needed_may_be_missing() {
    let shortcut = json!({"type": "message_actions", "callback_id": "x"});
    assert_eq!(parse(&form(&shortcut)), Ok(Interaction::Other("message_actions".into())));
    let mut ephemeral = click();
    for field in ["message", "channel", "state", "token", "response_url"] {
        ephemeral.as_object_mut().unwrap().remove(field);
    }
    ephemeral["team"] = Value::Null;
    ephemeral["container"]["is_ephemeral"] = true.into();
    let Interaction::BlockActions(click) = parse(&form(&ephemeral)).unwrap() else { panic!() };
    assert!(click.message.unwrap().is_ephemeral);
    assert_eq!(click.origin.team.as_str(), "T1");
}

/// Whatever decides something is needed in its form, and each of these payloads lacks one thing.
#[test]
fn what_decides_is_needed() {
    let cases = [
        (click(), "/api_app_id", "api_app_id"),
        (click(), "/user/id", "user.id"),
        (click(), "/container/message_ts", "message.ts"),
        (click(), "/container/channel_id", "channel.id"),
        (click(), "/trigger_id", "trigger_id"),
        (click(), "/actions", "actions"),
        (click(), "/actions/0/action_id", "actions[].action_id"),
        (click(), "/actions/0/block_id", "actions[].block_id"),
        (submission(), "/user/id", "user.id"),
        (submission(), "/view/id", "view.id"),
        (submission(), "/view/callback_id", "view.callback_id"),
        (submission(), "/view/private_metadata", "view.private_metadata"),
        (submission(), "/type", "type"),
    ];
    let wrong = [json!(7), json!(null), json!([]), json!("\u{0}"), json!("<@U1>")];
    for (payload, place, name) in cases {
        for wrong in &wrong {
            let mut payload = payload.clone();
            *payload.pointer_mut(place).unwrap() = wrong.clone();
            let is_free_text = wrong.is_string()
                && !matches!(name, "api_app_id" | "user.id" | "message.ts" | "channel.id" | "actions");
            // The message of a click stands in two places; where they do not agree, none is taken.
            let found = parse(&form(&payload));
            let is_elsewhere = matches!(name, "message.ts" | "channel.id") && !wrong.is_string();
            if is_free_text || is_elsewhere {
                assert!(found.is_ok(), "{place} = {wrong}: {found:?}");
            } else {
                assert_eq!(found, Err(InteractionError::Field(name)), "{place} = {wrong}");
            }
        }
    }
}

#[test]
fn a_response_url_leads_to_slack() {
    for url in [
        "https://evil.example/",
        "http://hooks.slack.com/x",
        "https://hooks.slack.com.evil.example/",
        "https://hooks.slack.com:444/",
        "https://a@hooks.slack.com/",
        "file:///etc",
        "x",
    ] {
        let mut payload = click();
        payload["response_url"] = url.into();
        assert_eq!(parse(&form(&payload)), Err(InteractionError::Field("response_url")), "{url}");
    }
}

#[test]
fn a_body_is_one_form_field_of_json() {
    let twice = [form(&click()), b"&".to_vec(), form(&click())].concat();
    let large = vec![b'a'; MAX_BODY_BYTES + 1];
    let cases: [(&[u8], InteractionError); 7] = [
        (b"", InteractionError::NoPayload { found: 0 }),
        (b"other=%7B%7D", InteractionError::NoPayload { found: 0 }),
        (b"{}", InteractionError::NoPayload { found: 0 }),
        (&twice, InteractionError::NoPayload { found: 2 }),
        (b"payload=", InteractionError::NotJson { line: 1, column: 0 }),
        (b"payload=[1", InteractionError::NotJson { line: 1, column: 2 }),
        (&large, InteractionError::TooLarge { length: MAX_BODY_BYTES + 1 }),
    ];
    for (body, expected) in cases {
        assert_eq!(parse(body), Err(expected), "{:?}", String::from_utf8_lossy(&body[..body.len().min(40)]));
    }
    let deep = format!("payload={}", "[".repeat(100_000));
    assert!(matches!(parse(deep.as_bytes()), Err(InteractionError::NotJson { .. })));
}

proptest! {
    /// Cut, damaged or invented: an answer, never a panic, and never a person or a message that was not sent.
    #[test]
    fn any_body_is_answered(body in proptest::collection::vec(any::<u8>(), 0..100), end in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let _ = parse(&body);
        let mut changed = form(&click());
        changed.truncate(end.index(changed.len()));
        if !changed.is_empty() {
            let place = place.index(changed.len());
            changed[place] = byte;
        }
        let _ = parse(&changed);
    }
}
