//! Entries under `channels`: the places where people hear of something.

mod webhook;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::gate::Fault;

pub use webhook::{WebhookChannel, WebhookUrl};

pub(crate) use webhook::WebhookEntry;

/// The most characters of an SSM parameter's name (AWS SSM model: PSParameterName is longer, with the ARN around it).
const MAX_PARAMETER_NAME: usize = 1011;

/// A place where people hear of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A Slack channel, by its id, through the app's bot: messages can be changed later, and have threads and buttons.
    Slack(String),
    /// The SSM parameter that holds the URL of an incoming webhook of Slack: text that cannot be changed later.
    SlackWebhook(String),
    /// The ARN of an SNS topic: plain text for people, JSON for programs.
    Sns(String),
    /// The SSM parameter that holds the URL of a workflow of Microsoft Teams that posts Adaptive Cards.
    Teams(String),
    /// A program behind a URL: signed JSON.
    Webhook(WebhookChannel),
}

/// A kind of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ChannelKind {
    /// A Slack channel, through the app's bot.
    Slack,
    /// An incoming webhook of Slack.
    SlackWebhook,
    /// An SNS topic.
    Sns,
    /// A workflow of Microsoft Teams.
    Teams,
    /// A program behind a URL.
    Webhook,
}

impl ChannelKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Slack, Self::SlackWebhook, Self::Sns, Self::Teams, Self::Webhook];

    /// The key by which a channel of this kind is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::SlackWebhook => "slack_webhook",
            Self::Sns => "sns",
            Self::Teams => "teams",
            Self::Webhook => "webhook",
        }
    }
}

impl Channel {
    /// The kind.
    pub fn kind(&self) -> ChannelKind {
        match self {
            Self::Slack(_) => ChannelKind::Slack,
            Self::SlackWebhook(_) => ChannelKind::SlackWebhook,
            Self::Sns(_) => ChannelKind::Sns,
            Self::Teams(_) => ChannelKind::Teams,
            Self::Webhook(_) => ChannelKind::Webhook,
        }
    }

    /// Whether messages can be changed later, and have threads, mentions and buttons.
    pub fn is_interactive(&self) -> bool {
        matches!(self, Self::Slack(_))
    }

    /// Whether a message may be sent again under the same id, since the receiver knows a repetition by it.
    pub fn knows_repetitions(&self) -> bool {
        matches!(self, Self::Webhook(_))
    }
}

/// A channel. Exactly one of its keys says what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::channel))]
#[serde(deny_unknown_fields)]
pub(crate) struct ChannelEntry {
    /// The id of a Slack channel that the app is a member of, such as `C0123456789`.
    #[serde(default, deserialize_with = "slack")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::slack_channel"))]
    slack: Option<String>,
    /// The name of the SSM parameter (SecureString) that holds the URL of an incoming webhook of Slack, such as
    /// `/stagegate/webhooks/releases`.
    #[serde(default, deserialize_with = "secret_url")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::optional_parameter_name"))]
    slack_webhook: Option<String>,
    /// The ARN of an SNS topic, whose subscribers may be people (e-mail) and programs.
    #[serde(default, deserialize_with = "sns")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::topic_arn"))]
    sns: Option<String>,
    /// The name of the SSM parameter (SecureString) that holds the URL of a workflow of Microsoft Teams ("When a Teams
    /// webhook request is received").
    #[serde(default, deserialize_with = "secret_url")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::optional_parameter_name"))]
    teams: Option<String>,
    /// A program that takes signed JSON.
    #[serde(default, deserialize_with = "webhook::entry")]
    webhook: Option<WebhookEntry>,
}

impl ChannelEntry {
    /// The channel that the keys make.
    pub(crate) fn channel(self) -> Result<Channel, Fault> {
        let Self { slack, slack_webhook, sns, teams, webhook } = self;
        let given = [
            slack.map(Channel::Slack),
            slack_webhook.map(Channel::SlackWebhook),
            sns.map(Channel::Sns),
            teams.map(Channel::Teams),
            webhook.map(WebhookEntry::channel).transpose()?.map(Channel::Webhook),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(channel), None) => Ok(channel),
            _ => {
                let keys = ChannelKind::ALL.map(|kind| format!("`{}`", kind.name()));
                Err(Fault::new(&[], format!("must have exactly one of {}", keys.join(", "))))
            }
        }
    }
}

fn slack<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(id) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    match is_slack_id(&id, "CGD") {
        true => Ok(Some(id)),
        false => Err(D::Error::custom(format!(
            "{id:?} is not the id of a Slack channel; write one such as C0123456789, which stands at the end of the channel's details in Slack"
        ))),
    }
}

fn secret_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(parameter_name).transpose()
}

/// The name of an SSM parameter, beginning with a slash.
fn parameter_name<E: Error>(name: String) -> Result<String, E> {
    if name.contains("://") {
        // The text is not repeated: whoever knows the URL can write to the channel.
        return Err(E::custom(
            "the URL of a webhook is a secret and does not belong here; store it as an SSM parameter (SecureString) and \
             write the parameter's name, such as /stagegate/webhooks/releases",
        ));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    match name.starts_with('/') && name.len() > 1 && name.len() <= MAX_PARAMETER_NAME && name.chars().all(is_plain) {
        true => Ok(name),
        false => Err(E::custom(format!(
            "{name:?} is not the name of an SSM parameter; write one such as /stagegate/webhooks/releases"
        ))),
    }
}

fn sns<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(arn) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let parts: Vec<_> = arn.split(':').collect();
    let is_topic = matches!(parts[..], ["arn", partition, "sns", region, account, name]
        if partition.starts_with("aws") && !region.is_empty() && !account.is_empty() && !name.is_empty());
    match is_topic {
        true => Ok(Some(arn)),
        false => Err(D::Error::custom(format!(
            "{arn:?} is not the ARN of an SNS topic; write one such as arn:aws:sns:eu-west-1:111122223333:oncall"
        ))),
    }
}

/// Whether a text is one of Slack's identifiers that begin with one of the letters `first`.
pub(crate) fn is_slack_id(text: &str, first: &str) -> bool {
    (3..=64).contains(&text.len())
        && text.starts_with(|c| first.contains(c))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}
