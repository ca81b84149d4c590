//! What a message says, whatever the channel.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::about::Revision;
use crate::head::{Head, StageLine, Status};
use crate::notice::{Kind, Line, Notice};
use crate::picture::Picture;
use crate::subject::Subject;

/// The key of the head message.
pub(crate) const HEAD: &str = "head";

/// What a message says, whatever the channel: a notice, or how an execution stands. It is all that renderings and templates
/// are made from, and can be stored until it is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bulletin {
    /// By what it is known among the messages of its execution.
    pub key: String,
    /// What the notice is about; `None` for the head message.
    pub kind: Option<Kind>,
    /// Whether it is a pipeline, a build or a deployment that `name` names.
    pub subject: Subject,
    /// The pipeline, the project, or the application and its deployment group.
    pub name: String,
    /// The execution, the build or the deployment.
    pub execution: String,
    /// The stage that the notice belongs to.
    pub stage: Option<String>,
    /// How the execution stands.
    pub status: Status,
    /// In a few words, after the name.
    pub title: String,
    /// More about it.
    pub lines: Vec<Line>,
    /// The stages in their order.
    pub stages: Vec<StageLine>,
    /// What the execution is about: the change, its author, who has started it.
    pub about: Vec<Line>,
    /// What is released.
    pub revision: Option<Revision>,
    /// The author of the change.
    pub author: Option<String>,
    /// What started the execution.
    pub trigger: Option<String>,
    /// The Region.
    pub region: Option<String>,
    /// Where the execution can be seen.
    pub url: Option<String>,
    /// The Slack user who is mentioned, by id.
    #[serde(default)]
    pub mention: Option<String>,
    /// Whether it stands below a head message, which says the rest.
    #[serde(default)]
    pub is_reply: bool,
}

impl Bulletin {
    /// How an execution stands.
    pub fn head(picture: &Picture, head: &Head) -> Self {
        let about = &picture.about;
        Self {
            key: HEAD.to_owned(),
            kind: None,
            subject: picture.subject,
            name: head.pipeline.clone(),
            execution: head.execution.clone(),
            stage: None,
            status: head.status,
            title: head.status.word().to_owned(),
            lines: Vec::new(),
            stages: head.stages.clone(),
            about: about_lines(picture),
            revision: about.revision.clone(),
            author: about.author.clone(),
            trigger: about.trigger.clone(),
            region: about.region.clone(),
            url: about.link.clone().or_else(|| console(picture, head).map(String::from)),
            mention: None,
            is_reply: false,
        }
    }

    /// A notice. As a reply it stands below the head message.
    pub fn notice(picture: &Picture, notice: &Notice, head: &Head, is_reply: bool) -> Self {
        Self {
            key: notice.key.clone(),
            kind: Some(notice.kind),
            stage: notice.stage.clone(),
            title: notice.title.clone(),
            lines: notice.lines.clone(),
            is_reply,
            ..Self::head(picture, head)
        }
    }

    /// Whether it is the head message.
    pub fn is_head(&self) -> bool {
        self.kind.is_none()
    }

    /// What is seen of it: a hash. Of a reply, what the head message says does not count.
    pub fn shown(&self) -> String {
        let seen = if self.is_reply {
            serde_json::json!([self.name, self.title, self.lines])
        } else {
            serde_json::json!([self.name, self.title, self.lines, self.status, self.stages, self.about, self.url])
        };
        let mut hex = String::new();
        for byte in Sha256::digest(seen.to_string().as_bytes()).iter().take(16) {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

/// What the execution is about: label, text and where it leads.
fn about_lines(picture: &Picture) -> Vec<Line> {
    let about = &picture.about;
    let mut lines = Vec::new();
    if let Some(revision) = &about.revision {
        let id: String = revision.id.chars().take(12).collect();
        let summary = revision.summary.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
        let text = format!("{id} {summary}").trim().to_owned();
        lines.push(Line { label: "Change".into(), text, url: revision.url.clone() });
    }
    let more = [("Author", &about.author), ("Started by", &about.trigger), ("Rolls back to", &about.rollback_to)];
    let more = more.into_iter().filter_map(|(label, text)| Some((label, text.clone()?)));
    lines.extend(more.map(|(label, text)| Line { label: label.into(), text, url: None }));
    lines
}

/// The execution in the console of the standard partition.
fn console(picture: &Picture, head: &Head) -> Option<Url> {
    if picture.subject != Subject::Pipeline {
        return None;
    }
    let region = picture.about.region.as_deref()?;
    let is_region = region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !is_region {
        return None;
    }
    let mut url: Url =
        format!("https://{region}.console.aws.amazon.com/codesuite/codepipeline/pipelines/").parse().ok()?;
    url.path_segments_mut().ok()?.pop_if_empty().extend([
        head.pipeline.as_str(),
        "executions",
        head.execution.as_str(),
        "timeline",
    ]);
    url.query_pairs_mut().append_pair("region", region);
    Some(url)
}
