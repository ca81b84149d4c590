//! The parts of the page.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use maud::{DOCTYPE, Markup, html};

use crate::page::{message, modal};
use crate::state::{APP_NAME, State};

/// What a person looks at, as whom, and on which page.
#[derive(Clone, Debug)]
pub struct Place {
    /// Below this path are the actions.
    pub base: String,
    /// The page itself.
    pub page: String,
    /// The channel that is shown.
    pub channel: String,
    /// The person who looks and clicks.
    pub viewer: String,
    /// Pipeline executions and their addresses: a message that names one leads there.
    pub executions: Vec<(String, String)>,
}

impl Place {
    /// The place that a query names (`channel`, `as`); the first channel and person where it names none that is there.
    pub fn new(state: &State, base: &str, page: &str, query: &HashMap<String, String>) -> Self {
        let channel = query.get("channel").filter(|id| state.channel(id).is_some());
        let viewer = query.get("as").filter(|id| state.person(id).is_some());
        let first_channel = || state.channels.first().map(|channel| channel.id.clone());
        let first_person = || state.people.first().map(|person| person.id.clone());
        Self {
            base: base.to_owned(),
            page: page.to_owned(),
            channel: channel.cloned().or_else(first_channel).unwrap_or_default(),
            viewer: viewer.cloned().or_else(first_person).unwrap_or_default(),
            executions: Vec::new(),
        }
    }

    /// The address of this place.
    pub fn here(&self) -> String {
        self.link(&self.channel, &self.viewer)
    }

    fn link(&self, channel: &str, viewer: &str) -> String {
        let separator = if self.page.contains('?') { '&' } else { '?' };
        format!("{}{separator}channel={channel}&as={viewer}", self.page)
    }
}

/// A part of a page that the script exchanges when it has changed.
pub fn part(name: &str, content: &Markup) -> Markup {
    let mut hasher = DefaultHasher::new();
    content.0.hash(&mut hasher);
    html! { div data-part=(name) data-version=(format!("{:x}", hasher.finish())) { (content) } }
}

/// The whole page.
pub(crate) fn page(state: &State, place: &Place) -> Markup {
    let name = state.channel(&place.channel).map(|channel| channel.name.clone()).unwrap_or_default();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "#" (name) " · local Slack" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href=(format!("{}/slack.css", place.base));
                script defer src=(format!("{}/live.js", place.base)) {}
            }
            body data-events=(format!("{}/events", place.base)) {
                div class="slack-page" {
                    header class="slack-top" {
                        h1 { "Local Slack" }
                        (people(state, place))
                    }
                    div class="slack-body" {
                        (channels(state, place))
                        main { (part("conversation", &conversation(state, place))) }
                    }
                }
                (part("modal", &modal::modal(state, place)))
            }
        }
    }
}

/// Who one is, as links to be somebody else.
pub fn people(state: &State, place: &Place) -> Markup {
    html! {
        nav class="slack-people" aria-label="Act as" {
            span class="slack-label" { "You are" }
            @for person in &state.people {
                @let is_current = person.id == place.viewer;
                a href=(place.link(&place.channel, &person.id)) aria-current=[is_current.then_some("true")]
                    data-person=(person.id) title=(person.email) { (person.name) }
            }
        }
    }
}

/// The channels, as links.
pub fn channels(state: &State, place: &Place) -> Markup {
    html! {
        nav class="slack-channels" aria-label="Channels" {
            @for channel in &state.channels {
                @let is_current = channel.id == place.channel;
                a href=(place.link(&channel.id, &place.viewer)) aria-current=[is_current.then_some("page")]
                    data-channel=(channel.id) { "# " (channel.name) }
            }
        }
    }
}

/// The messages of the channel that the viewer sees, replies below what they reply to.
pub fn conversation(state: &State, place: &Place) -> Markup {
    let seen = |only: &Option<String>| only.as_ref().is_none_or(|only| *only == place.viewer);
    let messages: Vec<_> = state.messages(&place.channel).iter().filter(|message| seen(&message.only_for)).collect();
    let name = state.channel(&place.channel).map(|channel| channel.name.as_str()).unwrap_or_default();
    html! {
        section class="slack-conversation" role="log" aria-label=(format!("Messages in {name}")) {
            h2 { "# " (name) }
            @if messages.is_empty() {
                p class="slack-empty" { "Nothing has been said here yet. " (APP_NAME) " writes when something happens." }
            }
            @for message in messages.iter().filter(|message| message.thread.is_none()) {
                (message::message(state, place, message))
                @let replies: Vec<_> =
                    messages.iter().filter(|reply| reply.thread.as_ref() == Some(&message.ts)).collect();
                @if !replies.is_empty() {
                    div class="slack-thread" role="group" aria-label="Replies" {
                        @for reply in replies { (message::message(state, place, reply)) }
                    }
                }
            }
            @for notice in state.notices(&place.viewer) {
                p class="slack-notice" role="alert" { (notice) }
            }
        }
    }
}

/// The modal that the viewer sees, if any.
pub fn open_modal(state: &State, place: &Place) -> Markup {
    modal::modal(state, place)
}
