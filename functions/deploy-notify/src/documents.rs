//! The documents in the state bucket.

use serde::{Deserialize, Serialize};
use stagegate_delivery::Production;
use stagegate_notice::{Digest, History, Subject, Thread};
use stagegate_state_store::{Document, Folder, Key};

/// Something of the pure crates that is kept here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kept<T>(pub T);

impl Document for Kept<Thread> {
    const KIND: &'static str = "thread";
    const VERSION: u32 = 1;
}

impl Document for Kept<History> {
    const KIND: &'static str = "series";
    const VERSION: u32 = 1;
}

impl Document for Kept<Digest> {
    const KIND: &'static str = "digest";
    const VERSION: u32 = 1;
}

impl Document for Kept<Production> {
    const KIND: &'static str = "production";
    const VERSION: u32 = 1;
}

/// Where it is kept what the executions of a pipeline have done to production.
pub(crate) fn production_key(pipeline: &str) -> Key<Kept<Production>> {
    Key::new(&["delivery", pipeline])
}

/// Where the thread of an execution is kept.
pub(crate) fn thread_key(execution: &str) -> Key<Kept<Thread>> {
    Key::new(&["threads", execution])
}

/// Where the ends of the executions of a pipeline are kept.
pub(crate) fn history_key(subject: Subject, name: &str) -> Key<Kept<History>> {
    Key::new(&["series", &subject.title(name)])
}

/// Where that is kept which a channel is told when its quiet hours are over.
pub(crate) fn digest_key(channel: &str) -> Key<Kept<Digest>> {
    Key::new(&["digests", channel])
}

/// Something that the round looks after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// An execution that goes on, or of which something is still to be sent.
    Thread {
        /// What is executed.
        subject: Subject,
        /// The pipeline, the project, or the application and its deployment group.
        name: String,
        /// The execution.
        execution: String,
    },
    /// What a channel is told when its quiet hours are over.
    Digest {
        /// The channel's name.
        channel: String,
    },
}

impl Document for Watched {
    const KIND: &'static str = "watched";
    const VERSION: u32 = 1;
}

impl Watched {
    /// The execution of a thread.
    pub(crate) fn of(thread: &Thread) -> Self {
        let (name, execution) = (thread.pipeline.clone(), thread.execution.clone());
        Self::Thread { subject: thread.subject, name, execution }
    }

    /// Where it is kept.
    pub(crate) fn key(&self) -> Key<Self> {
        match self {
            Self::Thread { execution, .. } => Key::new(&["watched", execution]),
            Self::Digest { channel } => Key::new(&["watched", &format!("digest of {channel}")]),
        }
    }

    /// Where all of them are kept.
    pub(crate) fn folder() -> Folder<Self> {
        Folder::new(&["watched"])
    }
}

/// Who has told a channel something that it is told once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The execution.
    pub execution: String,
    /// The key of its notice.
    pub notice: String,
}

impl Document for Seen {
    const KIND: &'static str = "seen";
    const VERSION: u32 = 1;
}

impl Seen {
    /// Where it is kept.
    pub(crate) fn key(channel: &str, once: &str) -> Key<Self> {
        Key::new(&["seen", channel, once])
    }
}
