//! The stand-in as the app's functions see it, through the real client, and as people see it, through its page.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod api;
mod app;
mod browser;
mod clicks;
mod page;
mod refusals;

use std::time::Duration;

use stagegate_local_slack::{Options, Slack};
use stagegate_slack::{ApiUrl, BotToken, ChannelId, HttpClient, SlackClient};
use tokio::time::Instant;

/// A Slack whose people have time, since the machine may be busy.
pub(crate) async fn slack() -> Slack {
    let long = Duration::from_secs(60);
    Slack::start(Options { acknowledge_within: long, trigger_lifetime: long, ..Options::default() }).await.unwrap()
}

pub(crate) fn client(slack: &Slack) -> SlackClient {
    SlackClient::new(HttpClient::new(), ApiUrl::new(&slack.api_url()).unwrap(), BotToken::new(slack.bot_token()))
}

pub(crate) fn releases() -> ChannelId {
    "C0001".parse().unwrap()
}

pub(crate) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}
