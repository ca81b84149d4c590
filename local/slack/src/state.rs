//! What a Slack workspace holds.

use std::collections::HashMap;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use uuid::Uuid;

use crate::api::ApiCall;
use crate::fault::Injection;
use crate::view::View;

/// The workspace's id.
pub(crate) const TEAM: &str = "T0001";
/// The app's id.
pub(crate) const APP: &str = "A0001";
/// The app as an author.
pub(crate) const BOT: &str = "B0001";
/// The app as a person.
pub(crate) const BOT_USER: &str = "U0000";
/// The app's name.
pub(crate) const APP_NAME: &str = "Stagegate";

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its id, such as `C0001`.
    pub id: String,
    /// Its name, without the number sign.
    pub name: String,
    /// Whether nothing can be written to it any more.
    pub is_archived: bool,
    /// Whether the app is in it.
    pub has_app: bool,
    pub(crate) messages: Vec<Message>,
}

impl Channel {
    /// An empty channel with the app in it.
    pub fn new(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), is_archived: false, has_app: true, messages: Vec::new() }
    }
}

/// A person who can click.
#[derive(Clone, Debug)]
pub struct Person {
    /// The id, such as `U0001`.
    pub id: String,
    /// The name.
    pub name: String,
    /// The e-mail address, confirmed.
    pub email: String,
    /// A guest.
    pub is_guest: bool,
    /// Deactivated.
    pub is_deleted: bool,
}

impl Person {
    /// A full member of the workspace.
    pub fn new(id: &str, name: &str, email: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), email: email.to_owned(), is_guest: false, is_deleted: false }
    }

    /// The name that Slack uses without blanks.
    pub(crate) fn handle(&self) -> String {
        self.name.split_whitespace().next().unwrap_or(&self.id).to_lowercase()
    }
}

/// A user group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The id, such as `S0001`.
    pub id: String,
    /// The handle, without the at sign.
    pub handle: String,
    /// The ids of its people.
    pub people: Vec<String>,
}

impl Group {
    /// A group of people.
    pub fn new(id: &str, handle: &str, people: &[&str]) -> Self {
        let people = people.iter().map(|id| (*id).to_owned()).collect();
        Self { id: id.to_owned(), handle: handle.to_owned(), people }
    }
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// By this it is known in its channel.
    pub ts: String,
    /// The message that it replies to.
    pub thread: Option<String>,
    /// The text for notifications.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Value>,
    /// How often it was updated.
    pub updates: usize,
    /// The one person who sees it, where it is ephemeral.
    pub only_for: Option<String>,
    /// Whether it came through an incoming webhook.
    pub by_webhook: bool,
    /// What the app has marked it with.
    pub metadata: Option<Value>,
}

impl Message {
    /// The buttons: block, identifier and value.
    pub fn buttons(&self) -> Vec<Button> {
        let actions = self.blocks.iter().filter(|block| block["type"] == "actions");
        let elements = actions.flat_map(|block| {
            block["elements"].as_array().into_iter().flatten().map(move |element| (&block["block_id"], element))
        });
        elements
            .filter(|(_, element)| element["type"] == "button")
            .map(|(id, element)| Button::of(id, element))
            .collect()
    }

    /// Whether a text stands anywhere in it.
    pub fn says(&self, text: &str) -> bool {
        self.text.contains(text) || self.blocks.iter().any(|block| says(block, text))
    }
}

/// A button of a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Button {
    /// Its block.
    pub block_id: String,
    /// The element.
    pub action_id: String,
    /// The element as the app sent it.
    pub element: Value,
}

impl Button {
    fn of(block_id: &Value, element: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self { block_id: text(block_id), action_id: text(&element["action_id"]), element: element.clone() }
    }
}

fn says(json: &Value, text: &str) -> bool {
    match json {
        Value::String(found) => found.contains(text),
        Value::Array(items) => items.iter().any(|item| says(item, text)),
        Value::Object(fields) => fields.values().any(|value| says(value, text)),
        _ => false,
    }
}

/// Permission to open a modal, once and soon.
pub(crate) struct Trigger {
    pub(crate) user: String,
    pub(crate) made: Instant,
    pub(crate) is_used: bool,
}

/// Where an interaction can be answered.
pub(crate) struct ResponseUrl {
    pub(crate) user: String,
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) thread: Option<String>,
    pub(crate) made: Instant,
    pub(crate) uses: u32,
}

/// Something that Slack's own client tells a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) user: String,
    pub(crate) text: String,
}

/// Everything that is there at one time.
#[derive(Default)]
pub struct State {
    pub(crate) channels: Vec<Channel>,
    pub(crate) people: Vec<Person>,
    pub(crate) groups: Vec<Group>,
    pub(crate) interactivity_url: Option<String>,
    pub(crate) faults: Vec<Injection>,
    pub(crate) calls: Vec<ApiCall>,
    /// The open modals, the topmost last.
    pub(crate) views: Vec<View>,
    pub(crate) triggers: HashMap<String, Trigger>,
    pub(crate) response_urls: HashMap<String, ResponseUrl>,
    pub(crate) webhooks: HashMap<String, String>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) last_ts: u128,
}

impl State {
    /// The channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The people.
    pub fn people(&self) -> &[Person] {
        &self.people
    }

    /// The messages of a channel, with replies and ephemeral ones, in the order in which they came.
    pub fn messages(&self, channel: &str) -> &[Message] {
        self.channel(channel).map(|channel| channel.messages.as_slice()).unwrap_or_default()
    }

    /// The latest message of a channel in which a text stands.
    pub fn find(&self, channel: &str, text: &str) -> Option<&Message> {
        self.messages(channel).iter().rev().find(|message| message.says(text))
    }

    /// A message.
    pub fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages(channel).iter().find(|message| message.ts == ts)
    }

    /// The modal that a person sees.
    pub fn modal(&self, user: &str) -> Option<&View> {
        self.views.iter().rev().find(|view| view.user == user)
    }

    /// What Slack's own client has told a person, such as that the app does not answer.
    pub fn notices(&self, user: &str) -> Vec<&str> {
        self.notices.iter().filter(|notice| notice.user == user).map(|notice| notice.text.as_str()).collect()
    }

    /// The calls of the Web API so far, with their answers.
    pub fn calls(&self) -> &[ApiCall] {
        &self.calls
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == id)
    }

    pub(crate) fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        self.channels.iter_mut().find(|channel| channel.id == id)
    }

    pub(crate) fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Adds a message to a channel that exists. Gives its `ts`.
    pub(crate) fn post(&mut self, channel: &str, mut message: Message) -> String {
        message.ts = self.next_ts();
        let ts = message.ts.clone();
        if let Some(channel) = self.channel_mut(channel) {
            channel.messages.push(message);
        }
        ts
    }

    /// Makes an incoming webhook of a channel. Gives its path.
    pub(crate) fn add_webhook(&mut self, channel: &str) -> String {
        let secret = secret(24);
        self.webhooks.insert(secret.clone(), channel.to_owned());
        format!("/services/{TEAM}/{BOT}/{secret}")
    }

    pub(crate) fn notify(&mut self, user: &str, text: impl Into<String>) {
        self.notices.push(Notice { user: user.to_owned(), text: text.into() });
    }

    /// The time in microseconds, one later than the last one at the least.
    fn next_ts(&mut self) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        self.last_ts = now.max(self.last_ts + 1);
        format!("{}.{:06}", self.last_ts / 1_000_000, self.last_ts % 1_000_000)
    }
}

/// Random letters and digits.
pub(crate) fn secret(length: usize) -> String {
    let mut text = String::new();
    while text.len() < length {
        text.push_str(&Uuid::new_v4().simple().to_string());
    }
    text.truncate(length);
    text
}
