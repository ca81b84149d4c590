//! A Slack channel, through the app's bot.

use stagegate_notice::Message;
use stagegate_slack::{ApiUrl, BotToken, ChannelId, Posted, SlackClient};
use tokio::time::Instant;

use crate::{Channels, Letter, Outcome};

impl Channels {
    pub(crate) async fn send_by_bot(&self, channel: &str, letter: &Letter<'_>, deadline: Instant) -> Outcome {
        let message = match letter.say.slack(true) {
            Ok(message) => message,
            Err(error) => return Outcome::refused(error.to_string()),
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
        match slack.post_message(&id, thread.as_ref(), &message, deadline).await {
            Ok(posted) => {
                let message = Message { channel: posted.channel.to_string(), ts: posted.ts.to_string() };
                Outcome::Delivered { message: Some(message) }
            }
            Err(error) => Outcome::of_slack(&error),
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

fn posted(place: &Message) -> Option<Posted> {
    Some(Posted { channel: place.channel.parse().ok()?, ts: place.ts.parse().ok()? })
}
