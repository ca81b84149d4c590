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
/// After so long, whoever was sending it does not do so any more.
const ABANDONED: SignedDuration = SignedDuration::from_mins(3);
/// After how long a channel is asked whether it has a digest that may have been sent.
const DOUBT: SignedDuration = SignedDuration::from_mins(1);
/// How long a channel is asked that does not answer.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

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
    /// Whether the channel did not say whether it has taken it.
    #[serde(default)]
    pub is_unsure: bool,
}

/// What is to be done with a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DigestTurn {
    /// Nothing at this time.
    Rest,
    /// It is sent: this was noted before.
    Send(Sending, Box<Digest>),
    /// The channel is asked whether it has one that may have been sent.
    Find(Sending),
    /// Nobody knows whether it was sent, and nobody will. It is not sent again.
    Lost(Sending),
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

    /// What is to be done at this time, for a channel that is not quiet.
    pub fn turn(&mut self, now: Timestamp) -> DigestTurn {
        let is_left_alone = self.not_before.is_some_and(|time| now < time);
        if let Some(sending) = &self.sending {
            let age = now.duration_since(sending.at);
            if age >= GIVE_UP_AFTER {
                return DigestTurn::Lost(sending.clone());
            }
            let patience = if sending.is_unsure { DOUBT } else { ABANDONED };
            let is_asked = age >= patience && !is_left_alone;
            return if is_asked { DigestTurn::Find(sending.clone()) } else { DigestTurn::Rest };
        }
        if self.items.is_empty() || is_left_alone {
            return DigestTurn::Rest;
        }
        let told = Box::new(self.clone());
        DigestTurn::Send(self.begin(now), told)
    }

    /// Notes that everything that is kept is being sent.
    fn begin(&mut self, now: Timestamp) -> Sending {
        let keys: Vec<_> = self.items.keys().cloned().collect();
        let mark = hash(&format!("{}\n{}", self.channel, keys.join("\n")));
        let sending = Sending { at: now, mark, keys, more: self.more, is_unsure: false };
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
        self.sending = None;
        self.pause(now, pause);
    }

    /// Notes that nobody knows whether it was sent, so that the channel is asked.
    pub fn unsure(&mut self) {
        if let Some(sending) = &mut self.sending {
            sending.is_unsure = true;
        }
    }

    /// Notes that it is not there, so that it is sent again.
    pub fn not_found(&mut self) {
        self.sending = None;
    }

    /// Leaves the channel alone, the longer the more often it has refused.
    pub fn pause(&mut self, now: Timestamp, pause: SignedDuration) {
        let wait = SignedDuration::from_secs(30 << self.refusals.min(5)).min(LONGEST_PAUSE).max(pause);
        self.refusals = self.refusals.saturating_add(1);
        self.not_before = Some(later(now, wait));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).expect("a time")
    }

    fn item() -> Item {
        let (name, execution) = ("web".to_owned(), "1".to_owned());
        Item { at: at(0), kind: Kind::Failed, name, execution, title: "has failed".to_owned(), url: None }
    }

    /// What has become of the digest since the turn before.
    #[derive(Debug)]
    enum Since {
        Nothing,
        Unsure,
        Refused,
        NotFound,
        NoAnswer,
        Sent,
        More,
    }

    #[test]
    fn a_digest_is_not_lost_and_not_repeated() {
        use Since::{More, NoAnswer, NotFound, Nothing, Refused, Sent, Unsure};
        for (name, turns) in [
            ("sent", &[(Nothing, 0, "send 1"), (Sent, 1, "rest"), (More, 2, "send 1")][..]),
            ("refused", &[(Nothing, 0, "send 1"), (Refused, 0, "rest"), (Nothing, 1, "send 1")]),
            // Whoever sent it has died, so that it may be there.
            ("abandoned", &[(Nothing, 0, "send 1"), (Nothing, 2, "rest"), (Nothing, 3, "find"), (Sent, 4, "rest")]),
            ("unsure", &[(Nothing, 0, "send 1"), (Unsure, 0, "rest"), (Nothing, 1, "find"), (NotFound, 1, "send 1")]),
            ("more", &[(Nothing, 0, "send 1"), (Unsure, 0, "rest"), (More, 1, "find"), (NotFound, 1, "send 2")]),
            ("told", &[(Nothing, 0, "send 1"), (Unsure, 0, "rest"), (More, 1, "find"), (Sent, 1, "send 1")]),
            (
                "silent",
                &[
                    (Nothing, 0, "send 1"),
                    (Unsure, 1, "find"),
                    (NoAnswer, 1, "rest"),
                    (Nothing, 2, "find"),
                    (NoAnswer, 24 * 60, "lost"),
                ],
            ),
        ] {
            let mut digest = Digest::new("releases");
            digest.add("failed", item());
            let mut sending = None;
            for (number, (since, minute, expected)) in turns.iter().enumerate() {
                let now = at(*minute);
                match since {
                    Nothing => {}
                    Unsure => digest.unsure(),
                    Refused => digest.refused(now, SignedDuration::ZERO),
                    NotFound => digest.not_found(),
                    NoAnswer => digest.pause(now, SignedDuration::ZERO),
                    Sent => digest.sent(sending.as_ref().expect("it was being sent")),
                    More => digest.add(&format!("failed {number}"), item()),
                }
                let turn = match digest.turn(now) {
                    DigestTurn::Rest => "rest".to_owned(),
                    DigestTurn::Find(_) => "find".to_owned(),
                    DigestTurn::Lost(_) => "lost".to_owned(),
                    DigestTurn::Send(begun, told) => {
                        sending = Some(begun);
                        format!("send {}", told.items.len())
                    }
                };
                assert_eq!(turn, *expected, "{name}, turn {number}");
            }
        }
    }
}
