//! What is told together when the quiet hours are over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::notice::Kind;
use crate::thread::hash;

/// How many notices are kept; of more, the number is told.
const MOST: usize = 100;

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
    /// Since when somebody is sending it.
    #[serde(default)]
    pub sending: Option<Timestamp>,
    /// Until when the channel is left alone, and how often in a row it has refused.
    #[serde(default)]
    pub refused: Option<(Timestamp, u32)>,
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
        Self { channel: channel.to_owned(), items: BTreeMap::new(), more: 0, sending: None, refused: None }
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

    /// By what it is known in a channel that can be searched.
    pub fn mark(&self) -> String {
        let keys: Vec<_> = self.items.keys().map(String::as_str).collect();
        hash(&format!("{}\n{}", self.channel, keys.join("\n")))
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
