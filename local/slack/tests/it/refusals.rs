//! What Slack does not take, sent without the client that would not send it.

use serde_json::{Value, json};
use stagegate_local_slack::Slack;

use crate::app::{Reply, send};
use crate::slack;

async fn call(slack: &Slack, method: &str, token: &str, body: &Value) -> Value {
    let headers = [("content-type", "application/json"), ("authorization", token)];
    let Reply { status, body, .. } =
        send("POST", &format!("{}{method}", slack.api_url()), &headers, body.to_string()).await;
    assert_eq!(status, 200, "Slack says no with status 200");
    serde_json::from_str(&body).unwrap()
}

async fn blocks(slack: &Slack, blocks: Value) -> Value {
    let token = format!("Bearer {}", slack.bot_token());
    call(slack, "chat.postMessage", &token, &json!({"channel": "C0001", "text": "x", "blocks": blocks})).await
}

#[tokio::test]
async fn a_token_is_needed() {
    let slack = slack().await;
    let body = json!({"channel": "C0001", "text": "x"});
    for (token, error) in [("", "not_authed"), ("Bearer ", "not_authed"), ("Bearer xoxb-wrong", "invalid_auth")] {
        assert_eq!(call(&slack, "chat.postMessage", token, &body).await, json!({"ok": false, "error": error}));
    }
    let token = format!("Bearer {}", slack.bot_token());
    assert_eq!(call(&slack, "chat.nothing", &token, &body).await["error"], "unknown_method");
    assert!(slack.look(|state| state.messages("C0001").is_empty()));
}

/// One block over a limit each, and the place that Slack names.
#[tokio::test]
async fn blocks_over_a_limit_are_refused_with_their_place() {
    let slack = slack().await;
    let long = |length: usize| "x".repeat(length);
    let mrkdwn = |length| json!({"type": "mrkdwn", "text": long(length)});
    let plain = |length| json!({"type": "plain_text", "text": long(length)});
    let button = |text: usize, value: usize| json!({"type": "button", "action_id": "a", "text": plain(text), "value": long(value)});
    let actions = |button: Value| json!({"type": "actions", "elements": [button]});
    let mut styled = button(1, 1);
    styled["style"] = "green".into();
    let mut asking = button(1, 1);
    asking["confirm"] = json!({"title": plain(101), "text": plain(1), "confirm": plain(1), "deny": plain(1)});
    let cases = [
        (json!({"type": "section", "text": mrkdwn(3000)}), None),
        (
            json!({"type": "section", "text": mrkdwn(3001)}),
            Some("must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        ),
        (json!({"type": "section"}), Some("missing required field [json-pointer:/blocks/0/text]")),
        (
            json!({"type": "section", "text": mrkdwn(0)}),
            Some("must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ),
        (
            json!({"type": "section", "fields": vec![mrkdwn(1); 11]}),
            Some("no more than 10 items allowed [json-pointer:/blocks/0/fields]"),
        ),
        (
            json!({"type": "section", "fields": [mrkdwn(2001)]}),
            Some("must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"),
        ),
        (
            json!({"type": "header", "text": plain(151)}),
            Some("must be less than 151 characters [json-pointer:/blocks/0/text/text]"),
        ),
        (json!({"type": "header", "text": mrkdwn(1)}), Some("must be plain_text [json-pointer:/blocks/0/text/type]")),
        (
            json!({"type": "context", "elements": vec![mrkdwn(1); 11]}),
            Some("no more than 10 items allowed [json-pointer:/blocks/0/elements]"),
        ),
        (actions(button(76, 1)), Some("must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]")),
        (actions(button(1, 2001)), Some("must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]")),
        (actions(styled), Some("must be primary or danger [json-pointer:/blocks/0/elements/0/style]")),
        (
            actions(asking),
            Some("must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"),
        ),
        (
            json!({"type": "actions", "elements": [button(1, 1), button(1, 1)]}),
            Some("action_id must be unique in its block [json-pointer:/blocks/0]"),
        ),
        (
            json!({"type": "divider", "block_id": long(256)}),
            Some("must be less than 256 characters [json-pointer:/blocks/0/block_id]"),
        ),
        (json!({"type": "rich_table"}), Some("unsupported type: rich_table [json-pointer:/blocks/0/type]")),
    ];
    for (block, error) in cases {
        let answer = blocks(&slack, json!([block])).await;
        match error {
            None => assert_eq!(answer["ok"], true, "{answer}"),
            Some(error) => {
                assert_eq!((&answer["error"], &answer["errors"]), (&json!("invalid_blocks"), &json!([error])))
            }
        }
    }
    let many = blocks(&slack, json!(vec![json!({"type": "divider"}); 51])).await;
    assert_eq!(many["errors"], json!(["no more than 50 items allowed [json-pointer:/blocks]"]));
    let large = blocks(&slack, json!(vec![json!({"type": "section", "text": mrkdwn(2900)}); 5])).await;
    assert_eq!(large["error"], "msg_blocks_too_long");
}

#[tokio::test]
async fn modals_need_a_trigger_and_their_parts() {
    let slack = slack().await;
    let token = format!("Bearer {}", slack.bot_token());
    let plain = |text: &str| json!({"type": "plain_text", "text": text});
    let input = json!({"type": "input", "block_id": "b", "label": plain("L"), "element": {"type": "plain_text_input", "action_id": "a"}});
    let view = json!({"type": "modal", "title": plain("T"), "submit": plain("Go"), "blocks": [input]});
    let open =
        async |view: Value| call(&slack, "views.open", &token, &json!({"trigger_id": "1.2.x", "view": view})).await;
    assert_eq!(open(view.clone()).await["error"], "invalid_trigger_id");
    let cases = [
        (
            "title",
            plain("a title of more than 24 characters"),
            "must be less than 25 characters [json-pointer:/view/title/text]",
        ),
        ("submit", Value::Null, "missing required field [json-pointer:/view/submit]"),
        ("blocks", json!([]), "must provide at least one block [json-pointer:/view/blocks]"),
        ("type", json!("home"), "must be modal [json-pointer:/view/type]"),
        (
            "private_metadata",
            "x".repeat(3001).into(),
            "must be less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
    ];
    for (field, value, error) in cases {
        let mut view = view.clone();
        view[field] = value;
        let answer = open(view).await;
        assert_eq!((&answer["error"], &answer["errors"]), (&json!("invalid_arguments"), &json!([error])));
    }
    let mut large = view;
    large["padding"] = "x".repeat(250_000).into();
    assert_eq!(open(large).await["error"], "view_too_large");
}
