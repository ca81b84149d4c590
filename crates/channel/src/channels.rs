//! All channels.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use stagegate_config::Channel;
use stagegate_config::smoke::NetworkRules;
use stagegate_http_client::HttpClient;
use stagegate_network_policy::NetworkPolicy;
use stagegate_notice::Message;
use stagegate_slack::ApiUrl;
use tokio::time::Instant;

use crate::{Outcome, Say, Secrets};

/// Sends to channels. Make it once and keep it, with its connections.
pub struct Channels {
    pub(crate) http: HttpClient,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) sns: aws_sdk_sns::Client,
    /// Another Slack than that of the environment, and the parameter with its bot token.
    pub(crate) slack: Option<(ApiUrl, String)>,
    /// By the rules that bind them, clients for URLs whose addresses are judged.
    guarded: Mutex<HashMap<String, HttpClient>>,
}

/// Something to be sent.
pub struct Letter<'a> {
    /// The name of the channel, for the log.
    pub to: &'a str,
    /// By what a receiver recognises that it was sent before: the same for each attempt, and different for all else.
    pub id: &'a str,
    /// What is said.
    pub say: &'a dyn Say,
    /// The message that it stands below, in channels that have threads.
    pub below: Option<&'a Message>,
    /// The message that it replaces; elsewhere than in a Slack channel of the app, none can be replaced.
    pub replaces: Option<&'a Message>,
}

impl Channels {
    /// Channels that are reached by this configuration. Connections to Slack and to webhooks are those of `http`.
    pub fn new(sdk: &SdkConfig, http: HttpClient, secrets: Arc<Secrets>) -> Self {
        // A publication that may have been taken must not be repeated, so the SDK does not try again by itself.
        let sns = aws_sdk_sns::config::Builder::from(sdk).retry_config(RetryConfig::disabled()).build();
        Self { http, secrets, sns: aws_sdk_sns::Client::from_conf(sns), slack: None, guarded: Mutex::default() }
    }

    /// The same, with a Slack that is elsewhere than the environment says, and the parameter that holds its bot token.
    #[must_use]
    pub fn with_slack(mut self, base: ApiUrl, bot_token_parameter: &str) -> Self {
        self.slack = Some((base, bot_token_parameter.to_owned()));
        self
    }

    /// Sends something to a channel. It is over by the deadline; until then, what was certainly not taken is tried again.
    pub async fn send(&self, channel: &Channel, letter: &Letter<'_>, deadline: Instant) -> Outcome {
        let outcome = match channel {
            Channel::Slack(id) => self.send_by_bot(id, letter, deadline).await,
            Channel::SlackWebhook(parameter) => self.send_by_slack_webhook(parameter, letter, deadline).await,
            Channel::Sns(topic) => self.publish(topic, letter, deadline).await,
            Channel::Teams(parameter) => self.send_to_teams(parameter, letter, deadline).await,
            Channel::Webhook(webhook) => self.send_to_webhook(webhook, letter, deadline).await,
        };
        if let Some(why) = outcome.why() {
            let kind = channel.kind().name();
            tracing::warn!(channel = letter.to, kind, letter = letter.id, why, "not delivered");
        }
        outcome
    }

    /// A client that opens connections under the rules of a channel.
    pub(crate) fn guarded(&self, rules: &NetworkRules) -> Result<HttpClient, String> {
        let key = format!("{rules:?}");
        // A panic under the lock leaves a map that is whole.
        let mut clients = self.guarded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let policy = NetworkPolicy::written(rules.hosts(), rules.networks(), rules.deny_private);
        let policy = policy.map_err(|error| format!("use the network rules of the channel: {error}"))?;
        let client = HttpClient::guarded(policy);
        clients.insert(key, client.clone());
        Ok(client)
    }
}
