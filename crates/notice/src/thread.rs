//! The stored document: the picture, and what was posted where.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::head::Head;
use crate::look::Looked;
use crate::picture::Picture;
use crate::subject::Subject;

/// How long a channel that refuses is tried.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// The longest pause between two tries.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(15);

/// What is stored of an execution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// What is executed.
    #[serde(default)]
    pub subject: Subject,
    /// The pipeline, the project, or the application and its deployment group.
    pub pipeline: String,
    /// The execution, the build or the deployment.
    pub execution: String,
    /// What is known.
    pub picture: Picture,
    /// By channel and key, what was posted.
    #[serde(default)]
    pub posts: BTreeMap<String, BTreeMap<String, Post>>,
    /// By channel and by what is told once, the notice that tells it; `None` where another execution has told it.
    #[serde(default)]
    pub claims: BTreeMap<String, BTreeMap<String, Option<String>>>,
    /// The channels that refuse at present.
    #[serde(default)]
    pub refusals: BTreeMap<String, Refusal>,
    /// When AWS was asked.
    #[serde(default)]
    pub looked: Looked,
    /// Whether it stands among those that are looked after.
    #[serde(default)]
    pub is_listed: bool,
    /// The keys of the measurements that were logged: each is logged once.
    #[serde(default)]
    pub measured: BTreeSet<String>,
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

/// A channel that has refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// How often in a row.
    pub times: u32,
    /// Since when.
    pub since: Timestamp,
    /// Until when it is left alone.
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
    /// When that was begun.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Since when it is not known whether it was posted, where it is not.
    #[serde(default)]
    pub doubted: Option<Timestamp>,
    /// The message that it stands below.
    #[serde(default)]
    pub below: Option<Message>,
}

/// A message that is not sent any more, though the channel is not known to have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The channel's name.
    pub channel: String,
    /// What kind of message it is: that of a notice, or `status` for the head message.
    pub kind: &'static str,
    /// By what it is known in the log of the channels.
    pub mark: String,
    /// Whether it may be there all the same.
    pub may_be_there: bool,
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
    /// Nobody knows; the channel is asked whether it is there.
    Unknown,
    /// Nobody knows and nobody will. It is not posted again.
    Lost,
    /// It was not, and will not be: the channel does not take it.
    GivenUp,
    /// It is told together with others when the quiet hours are over.
    Collected,
}

/// A message in Slack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The channel.
    pub channel: String,
    /// The message.
    pub ts: String,
}

impl Thread {
    /// An execution of a pipeline of which nothing is known.
    pub fn new(pipeline: &str, execution: &str) -> Self {
        Self::of(Subject::Pipeline, pipeline, execution)
    }

    /// An execution of anything of which nothing is known.
    pub fn of(subject: Subject, name: &str, id: &str) -> Self {
        Self {
            subject,
            pipeline: name.to_owned(),
            execution: id.to_owned(),
            picture: Picture::default(),
            posts: BTreeMap::new(),
            claims: BTreeMap::new(),
            refusals: BTreeMap::new(),
            looked: Looked::default(),
            is_listed: false,
            measured: BTreeSet::new(),
            lease: None,
        }
    }

    /// How the execution stands.
    pub fn head(&self) -> Head {
        self.picture.head(&self.pipeline, &self.execution)
    }

    /// By what a message is known in a channel that can be searched: the same for each try at it.
    pub fn mark(&self, channel: &str, key: &str) -> String {
        hash(&format!("{}\n{}\n{channel}\n{key}", self.subject.title(&self.pipeline), self.execution))
    }

    /// Takes the right to send, unless another invocation has it. What an earlier holder was posting when its time was
    /// over may have been posted, and is not posted again before that is known.
    pub fn acquire(&mut self, holder: &str, now: Timestamp, until: Timestamp) -> bool {
        if self.lease.as_ref().is_some_and(|lease| lease.holder != holder && lease.until > now) {
            return false;
        }
        self.lease = Some(Lease { holder: holder.to_owned(), until });
        for post in self.posts.values_mut().flat_map(BTreeMap::values_mut) {
            if post.posted == Posted::Underway {
                post.posted = Posted::Unknown;
                post.at = post.at.or(Some(now));
                post.doubted = Some(now);
            }
        }
        true
    }

    /// The messages that have been given up since the thread was as `before`.
    pub fn ended_since(&self, before: &Self) -> Vec<Ended> {
        let notices = self.picture.notices();
        let kind = |key: &str| {
            let notice = notices.iter().find(|notice| notice.key == key);
            notice.map_or("status", |notice| notice.kind.name())
        };
        let posts =
            self.posts.iter().flat_map(|(channel, posts)| posts.iter().map(move |(key, post)| (channel, key, post)));
        let ended = posts.filter(|(channel, key, post)| {
            let is_new = before.post(channel, key).is_none_or(|before| before.posted != post.posted);
            is_new && matches!(post.posted, Posted::GivenUp | Posted::Lost)
        });
        ended
            .map(|(channel, key, post)| Ended {
                channel: channel.clone(),
                kind: kind(key),
                mark: self.mark(channel, key),
                may_be_there: post.posted == Posted::Lost,
            })
            .collect()
    }

    pub(crate) fn post(&self, channel: &str, key: &str) -> Option<&Post> {
        self.posts.get(channel)?.get(key)
    }

    pub(crate) fn set_post(&mut self, channel: &str, key: &str, post: Post) {
        self.posts.entry(channel.to_owned()).or_default().insert(key.to_owned(), post);
    }

    /// That a channel has refused: it is left alone for a while, the longer the more often it has. `false` where it has
    /// refused for so long that it is not tried any more.
    pub(crate) fn refuse(&mut self, channel: &str, now: Timestamp, pause: Option<SignedDuration>) -> bool {
        let refusal = self.refusals.entry(channel.to_owned()).or_insert(Refusal { times: 0, since: now, until: now });
        let wait = SignedDuration::from_secs(30 << refusal.times.min(5)).min(LONGEST_PAUSE);
        refusal.times = refusal.times.saturating_add(1);
        refusal.until = later(now, wait.max(pause.unwrap_or_default()));
        now.duration_since(refusal.since) < GIVE_UP_AFTER
    }

    pub(crate) fn is_refusing(&self, channel: &str, now: Timestamp) -> bool {
        self.refusals.get(channel).is_some_and(|refusal| refusal.until > now)
    }
}

pub(crate) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

pub(crate) fn hash(text: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_bytes()).iter().take(16) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
