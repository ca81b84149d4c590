//! A Slack channel, through the app's bot.

use std::time::Duration;

use stagegate_config::Channel;
use stagegate_notice::Message;
use stagegate_slack::{ApiUrl, BotToken, ChannelId, Posted, SlackClient, SlackError};
use tokio::time::Instant;

use crate::{Channels, Found, Letter, Outcome};

impl Channels {
    pub(crate) async fn send_by_bot(&self, channel: &str, letter: &Letter<'_>, deadline: Instant) -> Outcome {
        let message = match letter.say.slack(true) {
            Ok(message) => message.marked(letter.id),
            Err(error) => return Outcome::rejected(error.to_string()),
        };
        let slack = match self.slack().await {
            Ok(slack) => slack,
            Err(outcome) => return outcome,
        };
        if let Some(place) = letter.replaces {
            let Some(posted) = posted(place) else {
                return Outcome::refused("change a message: what is known of its place is not one of Slack's");
            };
            return match slack.update(&posted, &message, deadline).await {
                Ok(()) => Outcome::Delivered { message: Some(place.clone()) },
                Err(error) => Outcome::of_slack(&error),
            };
        }
        let id: ChannelId = match channel.parse() {
            Ok(id) => id,
            Err(error) => return Outcome::refused(format!("{error}")),
        };
        let thread = letter.below.and_then(posted).map(|parent| parent.ts);
        let mut outcome = slack.post_message(&id, thread.as_ref(), &message, deadline).await;
        if thread.is_some() && outcome.as_ref().is_err_and(has_no_thread) {
            // Somebody has deleted the message that it was to stand below.
            outcome = slack.post_message(&id, None, &message, deadline).await;
        }
        match outcome {
            Ok(posted) => {
                let message = Message { channel: posted.channel.to_string(), ts: posted.ts.to_string() };
                Outcome::Delivered { message: Some(message) }
            }
            Err(error) => Outcome::of_slack(&error),
        }
    }

    /// Whether a letter is there whose outcome was not known. `below` is the message that it stands below, `since` the time
    /// in seconds since 1970 after which it was sent. Only a Slack channel of the app can be searched; one that knows a
    /// repetition need not be, since sending it again does no harm.
    pub async fn find(
        &self,
        channel: &Channel,
        id: &str,
        below: Option<&Message>,
        since: i64,
        deadline: Instant,
    ) -> Found {
        let Channel::Slack(channel) = channel else {
            return if channel.knows_repetitions() { Found::NotThere } else { Found::Unknown };
        };
        let slack = match self.slack().await {
            Ok(slack) => slack,
            Err(Outcome::Later { after, .. }) => return Found::Later { after },
            Err(_) => return Found::Unknown,
        };
        let Ok(channel) = channel.parse::<ChannelId>() else { return Found::Unknown };
        let thread = below.and_then(posted).map(|parent| parent.ts);
        match slack.find_marked(&channel, thread.as_ref(), id, since, deadline).await {
            Ok(Some(found)) => Found::There(Message { channel: found.channel.to_string(), ts: found.ts.to_string() }),
            Ok(None) => Found::NotThere,
            Err(error) => {
                tracing::warn!(why = error.to_string(), "whether a message was posted is not known");
                match error.is_retryable() && !error.is_unlike() {
                    true => Found::Later { after: error.retry_after().unwrap_or(Duration::from_secs(30)) },
                    false => Found::Unknown,
                }
            }
        }
    }

    /// The person in Slack with an e-mail address, by id; `None` where there is none, or where it cannot be found out.
    pub async fn slack_user(&self, email: &str, deadline: Instant) -> Option<String> {
        let slack = self.slack().await.ok()?;
        match slack.user_by_email(email, deadline).await {
            Ok(user) => user.filter(|user| !user.is_deleted && !user.is_bot).map(|user| user.id.to_string()),
            Err(error) => {
                tracing::warn!(why = error.to_string(), "who the author is in Slack is not known");
                None
            }
        }
    }

    /// Slack as the app's bot.
    async fn slack(&self) -> Result<SlackClient, Outcome> {
        let (base, token) = match &self.slack {
            Some((base, parameter)) => {
                (Ok(base.clone()), self.secrets.read(parameter).await.map(|token| BotToken::new(&token)))
            }
            None => (ApiUrl::from_environment(), self.secrets.bot_token().await),
        };
        let base = base.map_err(|error| Outcome::refused(error.to_string()))?;
        let token = token.map_err(|error| Outcome::of_secret(&error))?;
        Ok(SlackClient::new(self.http.clone(), base, token))
    }
}

fn has_no_thread(error: &SlackError) -> bool {
    matches!(error.code(), Some("thread_not_found" | "cannot_reply_to_message"))
}

fn posted(place: &Message) -> Option<Posted> {
    Some(Posted { channel: place.channel.parse().ok()?, ts: place.ts.parse().ok()? })
}
