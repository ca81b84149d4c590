//! The modal that a person sees.

use maud::{Markup, html};
use serde_json::Value;

use super::blocks;
use super::render::Place;
use crate::state::{Message, State};
use crate::view::View;

pub(crate) fn modal(state: &State, place: &Place) -> Markup {
    let Some(open) = state.modal(&place.viewer) else { return html! {} };
    let word = |name: &str| open.view[name]["text"].as_str().unwrap_or_default();
    let hidden = html! {
        input type="hidden" name="as" value=(place.viewer);
        input type="hidden" name="channel" value=(place.channel);
    };
    html! {
        div class="slack-backdrop" {
            div class="slack-modal" role="dialog" aria-modal="true" aria-labelledby="modal-title" data-view=(open.id) {
                h2 id="modal-title" { (word("title")) }
                form method="post" action=(format!("{}/submit", place.base)) id="modal-submit" {
                    (hidden)
                    @for block in open.blocks() {
                        @if block["type"] == "input" { (input(open, block)) } @else { (other(state, place, block)) }
                    }
                }
                form method="post" action=(format!("{}/close", place.base)) id="modal-close" { (hidden) }
                div class="slack-dialog-buttons" {
                    button type="submit" form="modal-close" class="slack-button slack-default" id="modal-close-button" {
                        @if word("close").is_empty() { "Close" } @else { (word("close")) }
                    }
                    @if !word("submit").is_empty() {
                        button type="submit" form="modal-submit" class="slack-button slack-primary" id="modal-submit-button" {
                            (word("submit"))
                        }
                    }
                }
            }
        }
    }
}

fn other(state: &State, place: &Place, block: &Value) -> Markup {
    let nowhere = Message {
        ts: String::new(),
        thread: None,
        text: String::new(),
        blocks: Vec::new(),
        updates: 0,
        only_for: None,
        by_webhook: false,
        metadata: None,
    };
    blocks::block(state, place, &nowhere, block)
}

fn input(open: &View, block: &Value) -> Markup {
    let word = |value: &Value| value["text"].as_str().map(str::to_owned);
    let element = &block["element"];
    let (block_id, action_id) =
        (block["block_id"].as_str().unwrap_or_default(), element["action_id"].as_str().unwrap_or_default());
    let value = open.values.get(&(block_id.to_owned(), action_id.to_owned())).map_or("", String::as_str);
    let error = open.errors.get(block_id);
    let (name, id) = (format!("{block_id} {action_id}"), format!("input-{block_id}"));
    let (placeholder, max) = (word(&element["placeholder"]), element["max_length"].as_u64());
    let described = [error.map(|_| format!("{id}-error")), word(&block["hint"]).map(|_| format!("{id}-hint"))];
    let described: Vec<_> = described.into_iter().flatten().collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    html! {
        div class={ "slack-input" @if error.is_some() { " slack-wrong" } } {
            label for=(id) {
                (word(&block["label"]).unwrap_or_default())
                @if block["optional"] == true { span class="slack-optional" { " (optional)" } }
            }
            @if element["multiline"] == true {
                textarea id=(id) name=(name) rows="4" maxlength=[max] placeholder=[placeholder]
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[described] { (value) }
            } @else {
                input type="text" id=(id) name=(name) value=(value) maxlength=[max] placeholder=[placeholder]
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[described];
            }
            @if let Some(error) = error { p class="slack-error" id=(format!("{id}-error")) role="alert" { (error) } }
            @if let Some(hint) = word(&block["hint"]) { p class="slack-hint" id=(format!("{id}-hint")) { (hint) } }
        }
    }
}
