//! Entries under `templates`: messages in words of one's own.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::{ChannelKind, NoticeKind};

/// Messages in words of one's own, by what they tell. What has no template here is told in the words of Stagegate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct TemplatesEntry {
    /// The message of an execution that is kept current, in channels with threads.
    #[serde(default)]
    status: Option<FormsEntry>,
    /// An execution has begun.
    #[serde(default)]
    started: Option<FormsEntry>,
    /// An action, or the execution as a whole, has failed.
    #[serde(default)]
    failed: Option<FormsEntry>,
    /// An execution has succeeded.
    #[serde(default)]
    succeeded: Option<FormsEntry>,
    /// An execution has succeeded after one had failed.
    #[serde(default)]
    recovered: Option<FormsEntry>,
    /// An action waits for an approval.
    #[serde(default)]
    approval: Option<FormsEntry>,
    /// A newer execution has overtaken this one.
    #[serde(default)]
    superseded: Option<FormsEntry>,
    /// Somebody has stopped the execution, or the pipeline was changed under it.
    #[serde(default)]
    stopped: Option<FormsEntry>,
    /// The execution rolls a stage back.
    #[serde(default)]
    rolled_back: Option<FormsEntry>,
    /// Nothing has gone on for a while.
    #[serde(default)]
    stuck: Option<FormsEntry>,
}

/// The templates of a message by the kind of channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct FormsEntry {
    /// For `slack` and `slack_webhook`: Slack's markup (mrkdwn).
    #[serde(default)]
    slack: Option<TemplateSource>,
    /// For `sns`: the text of an e-mail. Its subject, and what programs get, stay as they are.
    #[serde(default)]
    sns: Option<TemplateSource>,
    /// For `teams`: Markdown, as Adaptive Cards have it.
    #[serde(default)]
    teams: Option<TemplateSource>,
    /// For `webhook`: a JSON object.
    #[serde(default)]
    webhook: Option<TemplateSource>,
}

/// Where a template is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateSource {
    /// Here.
    Text(String),
    /// In a file beside `stagegate.yaml`.
    File(String),
}

/// What a template tells: a notice, or with `None` how an execution stands.
pub type TemplateSubject = Option<NoticeKind>;

/// In what a template is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TemplateForm {
    /// Slack's markup.
    Slack,
    /// Plain text.
    Mail,
    /// Markdown as Adaptive Cards have it.
    Teams,
    /// JSON.
    Json,
}

impl TemplateForm {
    /// All forms.
    pub const ALL: [Self; 4] = [Self::Slack, Self::Mail, Self::Teams, Self::Json];

    /// The form for a kind of channels.
    pub fn of(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::Slack | ChannelKind::SlackWebhook => Self::Slack,
            ChannelKind::Sns => Self::Mail,
            ChannelKind::Teams => Self::Teams,
            ChannelKind::Webhook => Self::Json,
        }
    }

    /// The key in `stagegate.yaml`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Mail => "sns",
            Self::Teams => "teams",
            Self::Json => "webhook",
        }
    }
}

/// The key of what a template tells.
pub fn template_subject_name(subject: TemplateSubject) -> &'static str {
    subject.map_or("status", NoticeKind::name)
}

/// A template of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateEntry {
    /// What it tells.
    pub subject: TemplateSubject,
    /// In what it is written.
    pub form: TemplateForm,
    /// Where it is.
    pub source: TemplateSource,
}

impl TemplatesEntry {
    /// Each template.
    pub(crate) fn entries(self) -> Vec<TemplateEntry> {
        let subjects = [
            (None, self.status),
            (Some(NoticeKind::Started), self.started),
            (Some(NoticeKind::Failed), self.failed),
            (Some(NoticeKind::Succeeded), self.succeeded),
            (Some(NoticeKind::Recovered), self.recovered),
            (Some(NoticeKind::Approval), self.approval),
            (Some(NoticeKind::Superseded), self.superseded),
            (Some(NoticeKind::Stopped), self.stopped),
            (Some(NoticeKind::RolledBack), self.rolled_back),
            (Some(NoticeKind::Stuck), self.stuck),
        ];
        let mut entries = Vec::new();
        for (subject, forms) in subjects {
            let FormsEntry { slack, sns, teams, webhook } = forms.unwrap_or_default();
            let sources = [
                (TemplateForm::Slack, slack),
                (TemplateForm::Mail, sns),
                (TemplateForm::Teams, teams),
                (TemplateForm::Json, webhook),
            ];
            let given = sources.into_iter().filter_map(|(form, source)| Some((form, source?)));
            entries.extend(given.map(|(form, source)| TemplateEntry { subject, form, source }));
        }
        entries
    }
}

impl<'de> Deserialize<'de> for TemplateSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SourceVisitor;

        impl<'de> Visitor<'de> for SourceVisitor {
            type Value = TemplateSource;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the text of a template, or a map with `file`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                match text.trim().is_empty() {
                    true => Err(E::custom("an empty template tells nothing; leave it out for the words of Stagegate")),
                    false => Ok(TemplateSource::Text(text.to_owned())),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut file = None;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "file" => file = Some(map.next_value::<String>()?),
                        unknown => return Err(A::Error::unknown_field(unknown, &["file"])),
                    }
                }
                let file = file.ok_or_else(|| A::Error::missing_field("file"))?;
                let is_inside = !file.trim().is_empty()
                    && !file.starts_with('/')
                    && !file.contains('\\')
                    && !file.split('/').any(|part| part.is_empty() || part == "." || part == "..");
                match is_inside {
                    true => Ok(TemplateSource::File(file)),
                    false => Err(A::Error::custom(format!(
                        "{file:?} is no path below stagegate.yaml; write one such as templates/failed.slack.j2"
                    ))),
                }
            }
        }

        deserializer.deserialize_any(SourceVisitor)
    }
}
