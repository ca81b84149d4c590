//! The blocks of a message.

use maud::{Markup, html};
use serde_json::Value;

use super::mrkdwn;
use super::render::Place;
use crate::state::{Message, State};

pub(crate) fn block(state: &State, place: &Place, message: &Message, block: &Value) -> Markup {
    let list = |name: &str| block[name].as_array().map(Vec::as_slice).unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "header" => html! { h3 class="slack-header" { (text(state, &block["text"])) } },
        "section" => html! {
            @if block["text"].is_object() { div class="slack-text" { (text(state, &block["text"])) } }
            @if !list("fields").is_empty() {
                div class="slack-fields" { @for field in list("fields") { div { (text(state, field)) } } }
            }
        },
        "context" => html! {
            div class="slack-context" { @for element in list("elements") { span { (text(state, element)) } } }
        },
        "divider" => html! { hr; },
        "actions" => html! {
            div class="slack-actions" {
                @for element in list("elements") { (button(state, place, message, &block["block_id"], element)) }
            }
        },
        other => html! { p class="slack-notice" { "(a block of type " (other) ")" } },
    }
}

/// A text object.
pub(crate) fn text(state: &State, object: &Value) -> Markup {
    let text = object["text"].as_str().unwrap_or_default();
    match object["type"].as_str() {
        Some("mrkdwn") => mrkdwn::render(state, text, object["verbatim"] != true),
        _ => html! { (text) },
    }
}

/// A button is a form of its own, so that it works without the script; a question before it needs the script.
fn button(state: &State, place: &Place, message: &Message, block_id: &Value, element: &Value) -> Markup {
    let action_id = element["action_id"].as_str().unwrap_or_default();
    let id = format!("b{}-{}-{action_id}", message.ts.replace('.', ""), block_id.as_str().unwrap_or_default());
    let class = format!("slack-button slack-{}", element["style"].as_str().unwrap_or("default"));
    let confirm = &element["confirm"];
    let hidden = html! {
        @for (name, value) in [("as", place.viewer.as_str()), ("channel", &place.channel), ("ts", &message.ts), ("action_id", action_id)] {
            input type="hidden" name=(name) value=(value);
        }
    };
    let label = element["text"]["text"].as_str().unwrap_or_default();
    let link = element["url"].as_str().filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    if let Some(url) = link {
        // A link tells the app as well, as in Slack.
        return html! {
            form method="post" action=(format!("{}/click", place.base)) data-opens-url=(url) {
                (hidden)
                button type="submit" class=(class) id=(id) data-action=(action_id) { (label) }
            }
        };
    }
    html! {
        form method="post" action=(format!("{}/click", place.base)) {
            (hidden)
            @if confirm.is_object() {
                @let (style, word) = (element["style"].as_str().unwrap_or("primary"), |name: &str| confirm[name]["text"].as_str().unwrap_or_default());
                button type="button" class=(class) id=(id) data-action=(action_id) data-dialog=(format!("{id}-confirm")) { (label) }
                dialog class="slack-dialog" id=(format!("{id}-confirm")) aria-labelledby=(format!("{id}-title")) {
                    h3 id=(format!("{id}-title")) { (word("title")) }
                    p { (text(state, &confirm["text"])) }
                    div class="slack-dialog-buttons" {
                        button type="button" class="slack-button slack-default" data-closes="dialog" { (word("deny")) }
                        button type="submit" class=(format!("slack-button slack-{style}")) data-confirms=(action_id) { (word("confirm")) }
                    }
                }
            } @else {
                button type="submit" class=(class) id=(id) data-action=(action_id) { (label) }
            }
        }
    }
}
