//! An incoming webhook of Slack: one channel, no way back to a message.

use stagegate_slack::Webhook;
use tokio::time::Instant;

use crate::{Channels, Letter, Outcome};

impl Channels {
    pub(crate) async fn send_by_slack_webhook(
        &self,
        parameter: &str,
        letter: &Letter<'_>,
        deadline: Instant,
    ) -> Outcome {
        let message = match letter.say.slack(false) {
            Ok(message) => message,
            Err(error) => return Outcome::rejected(error.to_string()),
        };
        let url = match self.secrets.read(parameter).await {
            Ok(url) => url,
            Err(error) => return Outcome::of_secret(&error),
        };
        let webhook = match Webhook::new(self.http.clone(), &url) {
            Ok(webhook) => webhook,
            Err(error) => return Outcome::refused(format!("{error}; it is read from the SSM parameter {parameter}")),
        };
        match webhook.post(&message, deadline).await {
            Ok(()) => Outcome::Delivered { message: None },
            Err(error) => Outcome::of_slack(&error),
        }
    }
}
