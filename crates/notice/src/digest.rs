//! What is told together when the quiet hours are over.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::notice::Kind;
use crate::subject::Subject;
use crate::thread::{hash, later};

/// How many notices are kept; of more, the number is told.
const MOST: usize = 100;
/// The longest pause between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// After so long, whoever was sending it does not do so any more.
const ABANDONED: SignedDuration = SignedDuration::from_mins(3);
/// After how long a channel is asked whether it has a digest that may have been sent.
const DOUBT: SignedDuration = SignedDuration::from_mins(1);
/// How long a channel is tried that refuses, and asked that does not answer.
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
    /// Since when it has refused.
    #[serde(default)]
    pub refused_since: Option<Timestamp>,
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
    /// Whether exactly this is sent again: the channel knows by the mark whether it has it.
    #[serde(default)]
    pub is_again: bool,
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
    /// By what the routes that want it are found again.
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// What routes look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// What is executed.
    pub subject: Subject,
    /// The pipeline, the project, or the application and its deployment group.
    pub name: String,
    /// The stage.
    pub stage: Option<String>,
}

impl Digest {
    /// Nothing yet.
    pub fn new(channel: &str) -> Self {
        Self {
            channel: channel.to_owned(),
            items: BTreeMap::new(),
            more: 0,
            sending: None,
            not_before: None,
            refusals: 0,
            refused_since: None,
        }
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

    /// What is to be done at this time. Only what is due is sent: the quiet hours that it was kept in are over.
    pub fn turn(&mut self, now: Timestamp, is_due: impl Fn(&Item) -> bool) -> DigestTurn {
        let is_left_alone = self.not_before.is_some_and(|time| now < time);
        if self.sending.as_ref().is_some_and(|sending| sending.is_again) {
            return if is_left_alone { DigestTurn::Rest } else { self.send_again(now, is_due) };
        }
        if let Some(sending) = &self.sending {
            let age = now.duration_since(sending.at);
            if age >= GIVE_UP_AFTER {
                return DigestTurn::Lost(sending.clone());
            }
            let patience = if sending.is_unsure { DOUBT } else { ABANDONED };
            let is_asked = age >= patience && !is_left_alone;
            return if is_asked { DigestTurn::Find(sending.clone()) } else { DigestTurn::Rest };
        }
        let due = self.items.iter().filter(|(_, item)| is_due(item)).map(|(key, _)| key.clone());
        let keys: Vec<_> = due.collect();
        if keys.is_empty() || is_left_alone {
            return DigestTurn::Rest;
        }
        let sending = self.begin(now, keys);
        let told = self.told(&sending);
        DigestTurn::Send(sending, told)
    }

    /// The part of it that is being sent.
    fn told(&self, sending: &Sending) -> Box<Self> {
        let mut told = Box::new(self.clone());
        told.items.retain(|key, _| sending.keys.contains(key));
        told.more = sending.more;
        told
    }

    /// Notes that this is being sent.
    fn begin(&mut self, now: Timestamp, keys: Vec<String>) -> Sending {
        let mark = hash(&format!("{}\n{}", self.channel, keys.join("\n")));
        let sending = Sending { at: now, mark, keys, more: self.more, is_unsure: false, is_again: false };
        self.sending = Some(sending.clone());
        sending
    }

    /// Notes that what was being sent is sent once more, and nothing that was added since.
    fn send_again(&mut self, now: Timestamp, is_due: impl Fn(&Item) -> bool) -> DigestTurn {
        let Some(before) = &self.sending else { return DigestTurn::Rest };
        if !before.keys.iter().filter_map(|key| self.items.get(key)).all(is_due) {
            return DigestTurn::Rest;
        }
        let sending = Sending { at: now, is_again: false, ..before.clone() };
        self.sending = Some(sending.clone());
        let told = self.told(&sending);
        DigestTurn::Send(sending, told)
    }

    /// Notes that it was sent, that nobody will ever know, or that the channel never takes it.
    pub fn sent(&mut self, sending: &Sending) {
        self.drop_all(sending);
        (self.not_before, self.refusals, self.refused_since) = (None, 0, None);
    }

    /// Notes that it was not sent. Where the channel knows repetitions, exactly this is sent again: it may have it all the
    /// same. Gives the keys of what has been refused for so long that it is not tried any more.
    pub fn refused(&mut self, now: Timestamp, pause: SignedDuration, is_repeatable: bool) -> Vec<String> {
        self.pause(now, pause);
        let since = *self.refused_since.get_or_insert(now);
        let is_over = |since: Timestamp| now.duration_since(since) >= GIVE_UP_AFTER;
        let Some(mut sending) = self.sending.take() else { return Vec::new() };
        if !is_over(since) {
            self.sending = is_repeatable.then_some(Sending { is_again: true, ..sending });
            return Vec::new();
        }
        // What was added in the meantime has its day, too.
        sending.keys.retain(|key| self.items.get(key).is_none_or(|item| is_over(item.at)));
        self.drop_all(&sending);
        self.refused_since = None;
        sending.keys
    }

    fn drop_all(&mut self, sending: &Sending) {
        self.items.retain(|key, _| !sending.keys.contains(key));
        self.more = self.more.saturating_sub(sending.more);
        self.sending = None;
    }

    /// Notes that nobody knows whether it was sent, so that the channel is asked.
    pub fn unsure(&mut self) {
        if let Some(sending) = &mut self.sending {
            sending.is_unsure = true;
        }
    }

    /// Notes that it is not there, so that it is sent again: exactly this where the channel knows repetitions, since then it
    /// may be there all the same.
    pub fn not_found(&mut self, is_repeatable: bool) {
        self.sending =
            self.sending.take().filter(|_| is_repeatable).map(|sending| Sending { is_again: true, ..sending });
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

    fn item(minute: i64) -> Item {
        let (name, execution) = ("web".to_owned(), "1".to_owned());
        Item {
            at: at(minute),
            kind: Kind::Failed,
            name,
            execution,
            title: "has failed".to_owned(),
            url: None,
            origin: None,
        }
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
        const DAY: i64 = 24 * 60;
        for (name, is_repeatable, turns) in [
            ("sent", false, &[(Nothing, 0, "send 1"), (Sent, 1, "rest"), (More, 2, "send 1")][..]),
            ("refused", false, &[(Nothing, 0, "send 1"), (Refused, 0, "rest"), (Nothing, 1, "send 1")]),
            // Whoever sent it has died, so that it may be there.
            (
                "abandoned",
                false,
                &[(Nothing, 0, "send 1"), (Nothing, 2, "rest"), (Nothing, 3, "find"), (Sent, 4, "rest")],
            ),
            (
                "unsure",
                false,
                &[(Nothing, 0, "send 1"), (Unsure, 0, "rest"), (Nothing, 1, "find"), (NotFound, 1, "send 1")],
            ),
            ("more", false, &[(Nothing, 0, "send 1"), (Unsure, 0, "rest"), (More, 1, "find"), (NotFound, 1, "send 2")]),
            ("told", false, &[(Nothing, 0, "send 1"), (Unsure, 0, "rest"), (More, 1, "find"), (Sent, 1, "send 1")]),
            (
                "silent",
                false,
                &[
                    (Nothing, 0, "send 1"),
                    (Unsure, 1, "find"),
                    (NoAnswer, 1, "rest"),
                    (Nothing, 2, "find"),
                    (NoAnswer, DAY, "lost"),
                ],
            ),
            (
                "refused for a day",
                false,
                &[
                    (Nothing, 0, "send 1"),
                    (Refused, 0, "rest"),
                    (Nothing, 1, "send 1"),
                    (Refused, DAY - 1, "rest"),
                    // What comes later has its day, too.
                    (More, DAY, "send 2"),
                    (Refused, DAY, "1 given up, rest"),
                    (Nothing, DAY + 15, "send 1"),
                    (Refused, DAY + 15, "rest"),
                    (Nothing, 2 * DAY + 15, "send 1"),
                    (Refused, 2 * DAY + 15, "1 given up, rest"),
                ],
            ),
            // A lost answer may have been one that it was taken.
            (
                "known by its id",
                true,
                &[
                    (Nothing, 0, "send 1"),
                    (Refused, 0, "rest"),
                    (More, 1, "send 1"),
                    (Nothing, 3, "rest"),
                    (Nothing, 4, "find"),
                    (NotFound, 5, "send 1"),
                    (Refused, 5, "rest"),
                    (Nothing, 10, "send 1"),
                    (Sent, 10, "send 1"),
                ],
            ),
            (
                "known by its id, refused for a day",
                true,
                &[
                    (Nothing, 0, "send 1"),
                    (Refused, 0, "rest"),
                    (More, 1, "send 1"),
                    (Refused, DAY, "1 given up, rest"),
                    (Nothing, DAY + 15, "send 1"),
                    (Refused, DAY + 15, "rest"),
                ],
            ),
        ] {
            let mut digest = Digest::new("releases");
            digest.add("failed", item(0));
            let mut sending: Option<Sending> = None;
            for (number, (since, minute, expected)) in turns.iter().enumerate() {
                let now = at(*minute);
                let mut given_up = Vec::new();
                match since {
                    Nothing => {}
                    Unsure => digest.unsure(),
                    Refused => given_up = digest.refused(now, SignedDuration::ZERO, is_repeatable),
                    NotFound => digest.not_found(is_repeatable),
                    NoAnswer => digest.pause(now, SignedDuration::ZERO),
                    Sent => digest.sent(&sending.take().expect("it was being sent")),
                    More => digest.add(&format!("failed {number}"), item(*minute)),
                }
                if !given_up.is_empty() {
                    sending = None;
                }
                let turn = match digest.turn(now, |_| true) {
                    DigestTurn::Rest => "rest".to_owned(),
                    DigestTurn::Find(_) => "find".to_owned(),
                    DigestTurn::Lost(_) => "lost".to_owned(),
                    DigestTurn::Send(begun, told) => {
                        let is_same = sending.as_ref().is_none_or(|before| before.mark == begun.mark);
                        assert!(is_same || !is_repeatable, "{name}, turn {number}: another id");
                        sending = Some(begun);
                        format!("send {}", told.items.len())
                    }
                };
                let turn = if given_up.is_empty() { turn } else { format!("{} given up, {turn}", given_up.len()) };
                assert_eq!(turn, *expected, "{name}, turn {number}");
            }
        }
    }

    #[test]
    fn what_is_kept_for_longer_is_told_later() {
        for is_repeatable in [false, true] {
            let mut digest = Digest::new("releases");
            digest.add("early", item(0));
            digest.add("late", item(10));
            let mut sent = Vec::new();
            for minute in [0, 5, 6, 20] {
                // What is from minute 0 is due from minute 5 on, what is from minute 10 from minute 15 on.
                let is_due = |item: &Item| at(minute) >= later(item.at, SignedDuration::from_mins(5));
                let DigestTurn::Send(sending, told) = digest.turn(at(minute), is_due) else { continue };
                sent.push((minute, told.items.len()));
                match minute {
                    5 => assert!(digest.refused(at(minute), SignedDuration::ZERO, is_repeatable).is_empty()),
                    _ => digest.sent(&sending),
                }
                assert_eq!(digest.turn(at(minute), |_| false), DigestTurn::Rest);
            }
            assert_eq!(sent, [(5, 1), (6, 1), (20, 1)]);
        }
    }
}
