//! What is to be released, and what is known about it: the evidence of a request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an approval is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// What the sources gave.
    #[serde(default)]
    pub revisions: Vec<Revision>,
    /// How the execution was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Started>,
    /// What is live until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// What the gates found.
    #[serde(default)]
    pub verdicts: Vec<VerdictNote>,
    /// What could not be found out, each reading after "failed to".
    #[serde(default)]
    pub gaps: Vec<String>,
    /// Whether CodePipeline has told what the sources gave and how the execution was started.
    #[serde(default)]
    pub is_read: bool,
}

/// What a source gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The source action or its artifact.
    pub source: String,
    /// The commit, or what the source has in its place.
    pub id: String,
    /// The commit's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// A page about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Author>,
}

/// Who wrote a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The name, as the source has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// How an execution was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// CodePipeline's word, such as `Webhook`.
    pub trigger: String,
    /// Who or what, such as the ARN of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Started {
    /// The name of whoever started it by hand: the session's or the user's name at the end of an ARN.
    pub fn person(&self) -> Option<&str> {
        let arn = self.detail.as_deref().filter(|detail| detail.starts_with("arn:"))?;
        let resource = arn.splitn(6, ':').nth(5)?;
        let is_person = ["assumed-role/", "federated-user/", "user/"].iter().any(|kind| resource.starts_with(kind));
        resource.rsplit_once('/').map(|(_, name)| name).filter(|name| is_person && !name.is_empty())
    }
}

/// The last execution that succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// Its id.
    pub execution: String,
    /// What it released: the ids of its revisions.
    pub revisions: Vec<String>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a gate found, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerdictNote {
    /// The gate.
    pub gate: String,
    /// `passed`, `failed` or `inconclusive`.
    pub outcome: String,
    /// One line.
    pub summary: String,
    /// What did not pass, by name.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// When it was given.
    pub at: Timestamp,
    /// `sha256:` and the digest of the whole verdict.
    pub digest: String,
}

impl Revision {
    /// The e-mail address of its author.
    pub fn author_email(&self) -> Option<&str> {
        self.author.as_ref()?.email.as_deref()
    }
}

impl Release {
    /// The e-mail addresses of the authors.
    pub fn author_emails(&self) -> impl Iterator<Item = &str> {
        self.revisions.iter().filter_map(Revision::author_email)
    }

    /// Whether everything is known that can be.
    pub fn is_complete(&self) -> bool {
        self.is_read && self.gaps.is_empty()
    }

    /// Whether this tells more than another look at the same release.
    pub(crate) fn tells_more_than(&self, other: &Self) -> bool {
        let known = |release: &Self| (release.is_read, std::cmp::Reverse(release.gaps.len()));
        known(self) > known(other)
    }
}
