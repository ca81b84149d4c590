//! One message.

use maud::{Markup, html};

use super::render::Place;
use super::{blocks, mrkdwn};
use crate::state::{APP_NAME, Message, State};

pub(crate) fn message(state: &State, place: &Place, message: &Message) -> Markup {
    let id = message.ts.replace('.', "");
    let is_ephemeral = message.only_for.is_some();
    html! {
        article class={ "slack-message" @if is_ephemeral { " slack-ephemeral" } } id=(format!("m{id}")) data-ts=(message.ts) {
            div class="slack-avatar" aria-hidden="true" { "S" }
            div class="slack-content" {
                p class="slack-author" {
                    strong { (APP_NAME) }
                    " " span class="slack-app" { "APP" }
                    " " (time(&message.ts))
                    @if message.updates > 0 { " " span class="slack-edited" { "(edited)" } }
                }
                @if is_ephemeral { p class="slack-only" { "Only visible to you" } }
                @if message.blocks.is_empty() {
                    p class="slack-text" { (mrkdwn::render(state, &message.text, true)) }
                } @else {
                    @for block in &message.blocks { (blocks::block(state, place, message, block)) }
                }
                @if let Some((execution, address)) = place.executions.iter().find(|(id, _)| message.says(id)) {
                    p class="slack-context" { a href=(address) { "Show execution " (execution.chars().take(8).collect::<String>()) } }
                }
            }
        }
    }
}

/// The time of a message, which is its `ts`.
fn time(ts: &str) -> Markup {
    let seconds = ts.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    html! { time datetime=(time.to_string()) { (time.strftime("%H:%M").to_string()) } }
}
