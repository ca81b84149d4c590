//! Entries under `channels`: the places where people hear of something.

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// The most characters of an SSM parameter's name (AWS SSM model: PSParameterName is longer, with the ARN around it).
const MAX_PARAMETER_NAME: usize = 1011;

/// A place where people hear of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A Slack channel, by its id, through the app's bot: messages can be changed later, and have buttons.
    Slack(String),
    /// The SSM parameter that holds the URL of an incoming webhook of Slack: text that cannot be changed later.
    Webhook(String),
    /// The ARN of an SNS topic: plain text.
    Sns(String),
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
    /// The name of the SSM parameter (SecureString) that holds the URL of an incoming webhook, such as
    /// `/stagegate/webhooks/releases`.
    #[serde(default, deserialize_with = "webhook")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::parameter_name"))]
    webhook: Option<String>,
    /// The ARN of an SNS topic.
    #[serde(default, deserialize_with = "sns")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::topic_arn"))]
    sns: Option<String>,
}

impl ChannelEntry {
    /// The channel that the keys make; `None` where they are not exactly one.
    pub(crate) fn channel(self) -> Option<Channel> {
        match self {
            Self { slack: Some(id), webhook: None, sns: None } => Some(Channel::Slack(id)),
            Self { slack: None, webhook: Some(name), sns: None } => Some(Channel::Webhook(name)),
            Self { slack: None, webhook: None, sns: Some(arn) } => Some(Channel::Sns(arn)),
            _ => None,
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

fn webhook<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    if name.contains("://") {
        // The text is not repeated: whoever knows the URL can write to the channel.
        return Err(D::Error::custom(
            "the URL of a webhook is a secret and does not belong here; store it as an SSM parameter (SecureString) and \
             write the parameter's name, such as /stagegate/webhooks/releases",
        ));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-/".contains(c);
    match name.starts_with('/') && name.len() > 1 && name.len() <= MAX_PARAMETER_NAME && name.chars().all(is_plain) {
        true => Ok(Some(name)),
        false => Err(D::Error::custom(format!(
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
