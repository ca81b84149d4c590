//! What is told together when the quiet hours are over.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::notice::Kind;
use crate::thread::{hash, later};

/// How many notices are kept; of more, the number is told.
const MOST: usize = 100;
/// The longest pause between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// What a channel is told when its quiet hours are over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// The channel's name.
    pub channel: String,
    /// The notices by execution and key.
    pub items: BTreeMap<String, Item>,
    /// How many more there were.
    #[serde(default)]
    pub more: u32,
    /// What is being sent.
    #[serde(default)]
    pub sending: Option<Sending>,
    /// Until when the channel is left alone.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// How often in a row it has refused.
    #[serde(default)]
    pub refusals: u32,
}

/// A digest that may have been sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// Since when.
    pub at: Timestamp,
    /// By what it is known in a channel that can be searched.
    pub mark: String,
    /// The keys of what is in it.
    pub keys: Vec<String>,
    /// How many more it tells of.
    pub more: u32,
}

/// A notice that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// When it became due.
    pub at: Timestamp,
    /// What it is about.
    pub kind: Kind,
    /// The pipeline, or what else it is about.
    pub name: String,
    /// The execution.
    pub execution: String,
    /// In a few words, after the name.
    pub title: String,
    /// Where to see it.
    pub url: Option<String>,
}

impl Digest {
    /// Nothing yet.
    pub fn new(channel: &str) -> Self {
        let items = BTreeMap::new();
        Self { channel: channel.to_owned(), items, more: 0, sending: None, not_before: None, refusals: 0 }
    }

    /// Adds a notice. Doing it twice is the same as doing it once.
    pub fn add(&mut self, key: &str, item: Item) {
        let name = format!("{}/{}/{key}", item.name, item.execution);
        if self.items.len() >= MOST && !self.items.contains_key(&name) {
            self.more = self.more.saturating_add(1);
        } else {
            self.items.insert(name, item);
        }
    }

    /// Notes that everything that is kept is being sent.
    pub fn begin(&mut self, now: Timestamp) -> Sending {
        let keys: Vec<_> = self.items.keys().cloned().collect();
        let mark = hash(&format!("{}\n{}", self.channel, keys.join("\n")));
        let sending = Sending { at: now, mark, keys, more: self.more };
        self.sending = Some(sending.clone());
        sending
    }

    /// Notes that it was sent, or that nobody will ever know.
    pub fn sent(&mut self, sending: &Sending) {
        self.items.retain(|key, _| !sending.keys.contains(key));
        self.more = self.more.saturating_sub(sending.more);
        (self.sending, self.not_before, self.refusals) = (None, None, 0);
    }

    /// Notes that it was not sent.
    pub fn refused(&mut self, now: Timestamp, pause: SignedDuration) {
        let wait = SignedDuration::from_secs(30 << self.refusals.min(5)).min(LONGEST_PAUSE).max(pause);
        self.refusals = self.refusals.saturating_add(1);
        (self.sending, self.not_before) = (None, Some(later(now, wait)));
    }

    /// The notices in the order of their times. That an execution has begun is not told where it is told how it went on.
    pub fn lines(&self) -> Vec<&Item> {
        let goes_on = |item: &Item| {
            self.items.values().any(|other| {
                (&other.name, &other.execution) == (&item.name, &item.execution) && other.kind != Kind::Started
            })
        };
        let mut lines: Vec<_> =
            self.items.values().filter(|item| item.kind != Kind::Started || !goes_on(item)).collect();
        lines.sort_by_key(|item| item.at);
        lines
    }
}
