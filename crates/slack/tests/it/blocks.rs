//! Messages and modals, held against Slack's limits.

use proptest::prelude::*;
use serde_json::{Value, json};
use stagegate_slack::blocks::{Actions, Button, Confirm, Input, Message, Modal, Style};
use stagegate_slack::{Plain, Text};

/// The limits of the documentation, by the place of a text.
fn check_limits(json: &Value, max_blocks: usize) {
    let blocks = json["blocks"].as_array().unwrap();
    assert!(blocks.len() <= max_blocks, "{} blocks", blocks.len());
    for block in blocks {
        match block["type"].as_str().unwrap() {
            "header" => text(&block["text"], "plain_text", 150),
            "section" => {
                let fields = block["fields"].as_array().map_or(&[][..], Vec::as_slice);
                assert!(fields.len() <= 10);
                assert!(block["text"].is_object() != block["fields"].is_array(), "{block}");
                fields.iter().for_each(|field| text(field, "mrkdwn", 2000));
                if block["text"].is_object() {
                    text(&block["text"], "mrkdwn", 3000);
                }
            }
            "context" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=10).contains(&elements.len()));
                elements.iter().for_each(|element| text(element, "mrkdwn", 3000));
            }
            "actions" => {
                let elements = block["elements"].as_array().unwrap();
                assert!((1..=25).contains(&elements.len()));
                elements.iter().for_each(button);
            }
            "input" => {
                text(&block["label"], "plain_text", 2000);
                assert!(block["element"]["max_length"].as_u64().unwrap() <= 3000);
            }
            "divider" => {}
            other => panic!("{other}"),
        }
    }
}

fn button(button: &Value) {
    text(&button["text"], "plain_text", 75);
    assert!(button["action_id"].as_str().unwrap().len() <= 255);
    if button["confirm"].is_object() {
        let confirm = &button["confirm"];
        text(&confirm["title"], "plain_text", 100);
        text(&confirm["text"], "mrkdwn", 300);
        text(&confirm["confirm"], "plain_text", 30);
        text(&confirm["deny"], "plain_text", 30);
    }
}

fn text(object: &Value, kind: &str, max: usize) {
    assert_eq!(object["type"], kind, "{object}");
    let text = object["text"].as_str().unwrap();
    assert!(!text.is_empty(), "{object}");
    let length = text.encode_utf16().count();
    assert!(length <= max, "{length} instead of {max}");
    if kind == "mrkdwn" {
        assert_eq!(object["verbatim"], true, "Slack would look for links itself");
    }
}

fn decide(label: &str) -> Actions {
    let confirm = Confirm {
        title: Plain::new(label),
        text: Text::escaped(label),
        confirm: Plain::new(label),
        deny: Plain::new(label),
    };
    let approve = Button::new("approve", Plain::new(label)).unwrap().value("id").unwrap();
    let open = Button::new("open", Plain::new(label)).unwrap().url(&"https://h.example/".parse().unwrap()).unwrap();
    Actions::new("decide").unwrap().button(approve.style(Style::Primary).confirm(confirm)).button(open)
}

#[test]
fn a_message_is_what_slack_expects() {
    let message = Message::new(Text::escaped("web waits"))
        .header(Plain::new("web <7>"))
        .section(Text::bold("Change") + Text::literal("\n") + Text::escaped("a & b"))
        .fields([Text::literal("*Tests*"), Text::new(), Text::escaped("12 passed")])
        .divider()
        .context([Text::escaped("small")])
        .actions(Actions::new("decide").unwrap().button(
            Button::new("approve", Plain::new("Approve")).unwrap().value("opaque").unwrap().style(Style::Primary),
        ));
    let markup = |text: &str| json!({"type": "mrkdwn", "text": text, "verbatim": true});
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let expected = json!({"text": "web waits", "blocks": [
        {"type": "header", "text": plain("web <7>")},
        {"type": "section", "text": markup("*Change*\na &amp; b")},
        {"type": "section", "fields": [markup("*Tests*"), markup("12 passed")]},
        {"type": "divider"},
        {"type": "context", "elements": [markup("small")]},
        {"type": "actions", "block_id": "decide", "elements": [
            {"type": "button", "action_id": "approve", "text": plain("Approve"), "value": "opaque", "style": "primary"}]},
    ]});
    assert_eq!(message.to_json(), expected);
}

#[test]
fn a_modal_is_what_slack_expects() {
    let comment = Input::new("comment", "text", Plain::new("Comment")).unwrap().max_length(400);
    let modal = Modal::new("reject", Plain::new("Reject web in Production?"))
        .unwrap()
        .submit(Plain::new("Reject"))
        .private_metadata("opaque")
        .unwrap()
        .section(Text::escaped("Why?"))
        .input(comment.hint(Plain::new("Everybody can read it")).placeholder(Plain::new("because")));
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let expected = json!({
        "type": "modal", "callback_id": "reject", "title": plain("Reject web in Productio…"),
        "submit": plain("Reject"), "close": plain("Cancel"), "private_metadata": "opaque", "notify_on_close": false,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": "Why?", "verbatim": true}},
            {"type": "input", "block_id": "comment", "optional": false, "label": plain("Comment"),
             "element": {"type": "plain_text_input", "action_id": "text", "multiline": true, "max_length": 400,
                         "placeholder": plain("because")},
             "hint": plain("Everybody can read it")}]});
    assert_eq!(modal.to_json(), expected);
}

#[test]
fn long_text_becomes_several_sections() {
    let line = "a line of the change log, with more than sixty characters in it\n";
    let message = Message::new(Text::new()).section(Text::escaped(&line.repeat(100)));
    let json = message.to_json();
    let sections: Vec<_> =
        json["blocks"].as_array().unwrap().iter().map(|b| b["text"]["text"].as_str().unwrap()).collect();
    assert_eq!(sections.len(), 3);
    assert_eq!(sections.concat(), line.repeat(100));
    assert!(sections.iter().all(|section| section.ends_with('\n')), "cut inside a line");
}

/// However much is said, the buttons are there, and what is missing is named.
#[test]
fn buttons_stay_when_there_is_too_much_text() {
    let much = Text::escaped(&"word ".repeat(10_000));
    let many = (0..200).map(|number| Text::escaped(&format!("item {number}")));
    let messages = [
        Message::new(Text::new()).header(Plain::new("web")).section(much.clone()).actions(decide("Approve")),
        Message::new(Text::new()).header(Plain::new("web")).actions(decide("Approve")).section(much),
        many.fold(Message::new(Text::new()).header(Plain::new("web")), Message::section).actions(decide("Approve")),
    ];
    for message in messages {
        let json = message.to_json();
        check_limits(&json, 50);
        assert!(json["blocks"].to_string().encode_utf16().count() <= 12_000);
        let kinds: Vec<_> =
            json["blocks"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
        assert_eq!(kinds[0], "header");
        assert!(kinds.contains(&"section") && kinds.contains(&"actions"), "{kinds:?}");
        assert!(json["blocks"].to_string().contains("too long for Slack"), "{json}");
    }
}

#[test]
fn what_programs_read_is_not_cut() {
    let long = |length| "x".repeat(length);
    let button = || Button::new("a", Plain::new("A")).unwrap();
    let url = format!("https://h.example/{}", long(3000)).parse().unwrap();
    let errors = [
        Button::new(long(256), Plain::new("A")).unwrap_err(),
        button().value(long(2001)).unwrap_err(),
        button().url(&url).unwrap_err(),
        Actions::new(long(256)).unwrap_err(),
        Modal::new(long(256), Plain::new("A")).unwrap_err(),
        Modal::new("a", Plain::new("A")).unwrap().private_metadata(long(3001)).unwrap_err(),
        Input::new(long(256), "a", Plain::new("A")).unwrap_err(),
        Input::new("a", long(256), Plain::new("A")).unwrap_err(),
    ];
    assert_eq!(
        errors[1].to_string(),
        "set the value of a button of a Slack message: it has 2001 characters, and 2000 are allowed"
    );
    assert!(button().value(long(2000)).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_message_is_within_the_limits(
        texts in proptest::collection::vec(("[<>&a \n👩]{0,200}", 1usize..60), 0..40),
        label in "[<&a👩]{1,400}",
        kinds in proptest::collection::vec(0..6, 0..40),
    ) {
        let mut message = Message::new(Text::escaped(&label.repeat(100)));
        let mut modal = Modal::new("m", Plain::new(&label)).unwrap().submit(Plain::new(&label)).close(Plain::new(&label));
        let texts: Vec<_> = texts.into_iter().map(|(text, times)| text.repeat(times)).collect();
        let mut buttons = 0;
        for (kind, text) in kinds.into_iter().zip(texts.iter().cycle()) {
            message = match kind {
                0 => message.header(Plain::new(text)),
                1 => message.section(Text::escaped(text)),
                2 => message.fields(texts.iter().map(|text| Text::bold(text))),
                3 => message.context(texts.iter().map(|text| Text::escaped(text))),
                4 => message.divider(),
                _ if buttons < 3 => { buttons += 1; message.actions(decide(&label)) }
                _ => message,
            };
            modal = modal.section(Text::escaped(text)).input(Input::new("b", "a", Plain::new(&label)).unwrap());
        }
        let json = message.to_json();
        check_limits(&json, 50);
        prop_assert!(json["text"].as_str().unwrap().encode_utf16().count() <= 4000);
        let shown = json["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "actions").count();
        prop_assert_eq!(shown, buttons);
        let view = modal.to_json();
        check_limits(&view, 100);
        for title in ["title", "submit", "close"] {
            text(&view[title], "plain_text", 24);
        }
        prop_assert!(view.to_string().len() <= 250_000);
    }
}
