//! The stored document: the picture, and what was posted where.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stagegate_slack::blocks::Message as SlackMessage;

use crate::head::Head;
use crate::notice::Notice;
use crate::picture::Picture;
use crate::render::{slack_head, slack_notice};

/// The key of the head message.
const HEAD: &str = "head";

/// What is stored of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The pipeline.
    pub pipeline: String,
    /// The execution.
    pub execution: String,
    /// What is known.
    pub picture: Picture,
    /// By channel and key, what was posted.
    #[serde(default)]
    pub posts: BTreeMap<String, BTreeMap<String, Post>>,
    /// Who sends at present. Everybody else leaves what they know in the picture.
    #[serde(default)]
    pub lease: Option<Lease>,
}

/// Who sends at present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The invocation.
    pub holder: String,
    /// Until when nobody else sends.
    pub until: Timestamp,
}

/// A message of a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Where it is; `None` before it was posted, and where a channel does not say.
    #[serde(default)]
    pub message: Option<Message>,
    /// Whether it was posted, or may have been.
    #[serde(default)]
    pub posted: Posted,
    /// What it shows: a hash.
    #[serde(default)]
    pub shown: String,
}

/// Whether a message was posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Posted {
    /// Somebody is posting it. Where that one never came back, it may have been posted.
    #[default]
    Underway,
    /// It was.
    Done,
    /// Nobody knows. It is not posted again.
    Unknown,
}

/// A message in Slack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The channel.
    pub channel: String,
    /// The message.
    pub ts: String,
}

/// What goes to a channel.
pub struct Route<'a> {
    /// The channel's name.
    pub channel: String,
    /// Whether there is a head message that is kept current, with the notices below it.
    pub is_threaded: bool,
    /// Which notices.
    pub wants: Box<dyn Fn(&Notice) -> bool + Send + Sync + 'a>,
}

/// What is to be sent next.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    /// The channel's name.
    pub channel: String,
    /// The key of the message.
    pub key: String,
    /// The notice; `None` for the head message.
    pub notice: Option<Notice>,
    /// How it looks in Slack.
    pub slack: SlackMessage,
    /// What it shows: a hash.
    pub shown: String,
    /// The message that it stands below.
    pub below: Option<Message>,
    /// The message that it replaces; `None` where it is a new one.
    pub replaces: Option<Message>,
}

impl Thread {
    /// An execution of which nothing is known.
    pub fn new(pipeline: &str, execution: &str) -> Self {
        Self {
            pipeline: pipeline.to_owned(),
            execution: execution.to_owned(),
            picture: Picture::default(),
            posts: BTreeMap::new(),
            lease: None,
        }
    }

    /// How the execution stands.
    pub fn head(&self) -> Head {
        self.picture.head(&self.pipeline, &self.execution)
    }

    /// Takes the right to send, unless another invocation has it. What an earlier holder was posting when its time was
    /// over may have been posted, and is not posted again.
    pub fn acquire(&mut self, holder: &str, now: Timestamp, until: Timestamp) -> bool {
        if self.lease.as_ref().is_some_and(|lease| lease.holder != holder && lease.until > now) {
            return false;
        }
        self.lease = Some(Lease { holder: holder.to_owned(), until });
        for post in self.posts.values_mut().flat_map(BTreeMap::values_mut) {
            if post.posted == Posted::Underway {
                post.posted = Posted::Unknown;
            }
        }
        true
    }

    /// What is to be sent next, except to the channels in `but`.
    pub fn due(&self, routes: &[Route<'_>], but: &[String]) -> Option<Effect> {
        let (notices, head) = (self.picture.notices(), self.head());
        let mut seen: Vec<&str> = Vec::new();
        for route in routes {
            if seen.contains(&route.channel.as_str()) || but.contains(&route.channel) {
                continue;
            }
            seen.push(&route.channel);
            let same: Vec<_> = routes.iter().filter(|other| other.channel == route.channel).collect();
            let is_threaded = same.iter().any(|route| route.is_threaded);
            let wanted: Vec<_> =
                notices.iter().filter(|notice| same.iter().any(|route| (route.wants)(notice))).collect();
            if let Some(effect) = self.due_in(&route.channel, is_threaded, &wanted, &head) {
                return Some(effect);
            }
        }
        None
    }

    fn due_in(&self, channel: &str, is_threaded: bool, wanted: &[&Notice], head: &Head) -> Option<Effect> {
        if wanted.is_empty() {
            return None;
        }
        let parent = self.post(channel, HEAD).and_then(|post| post.message.clone());
        if is_threaded {
            let message = slack_head(&self.picture, &self.pipeline, &self.execution);
            let due = self.due_message(channel, HEAD, None, message, None, true);
            if due.is_some() {
                return due;
            }
        }
        let replies = wanted.iter().filter(|notice| !is_threaded || !notice.kind.is_in_the_head());
        replies.into_iter().find_map(|notice| {
            let message = slack_notice(&self.picture, notice, head, is_threaded);
            self.due_message(channel, &notice.key, Some(notice), message, parent.clone(), is_threaded)
        })
    }

    fn due_message(
        &self,
        channel: &str,
        key: &str,
        notice: Option<&Notice>,
        slack: SlackMessage,
        below: Option<Message>,
        is_kept_current: bool,
    ) -> Option<Effect> {
        let shown = hash(&slack.to_json().to_string());
        let replaces = match self.post(channel, key) {
            None => None,
            Some(Post { posted: Posted::Done, message: Some(message), shown: before }) => {
                if !is_kept_current || *before == shown {
                    return None;
                }
                Some(message.clone())
            }
            Some(_) => return None,
        };
        Some(Effect {
            channel: channel.to_owned(),
            key: key.to_owned(),
            notice: notice.cloned(),
            slack,
            shown,
            below,
            replaces,
        })
    }

    fn post(&self, channel: &str, key: &str) -> Option<&Post> {
        self.posts.get(channel)?.get(key)
    }

    /// Notes that a message is being posted. An update is not noted: doing it twice is the same as doing it once.
    pub fn begin(&mut self, effect: &Effect) {
        if effect.replaces.is_none() {
            let post = Post { message: None, posted: Posted::Underway, shown: effect.shown.clone() };
            self.posts.entry(effect.channel.clone()).or_default().insert(effect.key.clone(), post);
        }
    }

    /// Notes that a message was posted or replaced.
    pub fn done(&mut self, effect: &Effect, message: Option<Message>) {
        let message = message.or_else(|| effect.replaces.clone());
        let post = Post { message, posted: Posted::Done, shown: effect.shown.clone() };
        self.posts.entry(effect.channel.clone()).or_default().insert(effect.key.clone(), post);
    }

    /// Notes that a message was not posted, so that it is due again; or, where nobody knows, that it is not to be posted
    /// again.
    pub fn failed(&mut self, effect: &Effect, may_have_been_done: bool) {
        if effect.replaces.is_some() {
            return;
        }
        let posts = self.posts.entry(effect.channel.clone()).or_default();
        if may_have_been_done {
            let post = Post { message: None, posted: Posted::Unknown, shown: effect.shown.clone() };
            posts.insert(effect.key.clone(), post);
        } else {
            posts.remove(&effect.key);
        }
    }
}

fn hash(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_bytes()).iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
