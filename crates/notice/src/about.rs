//! What an execution is about: what CodePipeline and the state bucket answer when they are asked.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::register::greater;

/// What an execution is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// What is released.
    #[serde(default)]
    pub revision: Option<Revision>,
    /// When that was made, as CodePipeline tells.
    #[serde(default)]
    pub created: Option<Timestamp>,
    /// What started it.
    #[serde(default)]
    pub trigger: Option<String>,
    /// The author of the change.
    #[serde(default)]
    pub author: Option<String>,
    /// The author's e-mail address.
    #[serde(default)]
    pub author_email: Option<String>,
    /// The author in Slack, by id.
    #[serde(default)]
    pub author_user: Option<String>,
    /// The Region.
    #[serde(default)]
    pub region: Option<String>,
    /// The execution to which this one rolls back.
    #[serde(default)]
    pub rollback_to: Option<String>,
    /// Why somebody stopped it.
    #[serde(default)]
    pub stop_comment: Option<String>,
    /// The names of the pipeline's stages, in their order.
    #[serde(default)]
    pub stages: Vec<String>,
    /// Where to see it, where that does not follow from the names.
    #[serde(default)]
    pub link: Option<String>,
    /// Whether CodePipeline was asked what the execution is about.
    #[serde(default)]
    pub is_looked_up: bool,
    /// Whether it was asked after the sources were read, which only then tell of the change.
    #[serde(default)]
    pub are_sources_looked_up: bool,
}

/// What is released.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Revision {
    /// The commit's or object's id.
    pub id: String,
    /// The commit's message.
    pub summary: Option<String>,
    /// Where it can be seen.
    pub url: Option<String>,
}

/// The failed executions between the last one that succeeded and this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Series {
    /// How many.
    pub failed: u32,
    /// When the first of them ended.
    pub since: Option<Timestamp>,
}

/// What a gate has said about this execution.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VerdictLine {
    /// When.
    pub at: Timestamp,
    /// Whether it passed.
    pub has_passed: bool,
    /// In one line.
    pub summary: String,
    /// What did not pass, by name: failed tests, for example.
    #[serde(default)]
    pub subjects: Vec<String>,
}

impl About {
    pub(crate) fn join(&mut self, other: &Self) {
        greater(&mut self.revision, &other.revision);
        greater(&mut self.created, &other.created);
        greater(&mut self.trigger, &other.trigger);
        greater(&mut self.author, &other.author);
        greater(&mut self.author_email, &other.author_email);
        greater(&mut self.author_user, &other.author_user);
        greater(&mut self.region, &other.region);
        greater(&mut self.rollback_to, &other.rollback_to);
        greater(&mut self.stop_comment, &other.stop_comment);
        greater(&mut self.stages, &other.stages);
        greater(&mut self.link, &other.link);
        greater(&mut self.is_looked_up, &other.is_looked_up);
        greater(&mut self.are_sources_looked_up, &other.are_sources_looked_up);
    }
}
