//! A workflow of Microsoft Teams that posts an Adaptive Card.

use stagegate_http_client::Patience;
use tokio::time::Instant;

use crate::post::{Post, secret_url};
use crate::{Channels, Letter, Outcome};

impl Channels {
    pub(crate) async fn send_to_teams(&self, parameter: &str, letter: &Letter<'_>, deadline: Instant) -> Outcome {
        let card = match letter.say.card() {
            Ok(card) => card,
            Err(error) => return Outcome::rejected(error.to_string()),
        };
        let url = match self.secrets.read(parameter).await {
            Ok(url) => url,
            Err(error) => return Outcome::of_secret(&error),
        };
        let url = match secret_url(&url, parameter) {
            Ok(url) => url,
            Err(why) => return Outcome::Refused { why },
        };
        let mut post = Post::new("call the workflow of Teams", url, &card.to_json());
        // A workflow answers before it looks at the card; with 400 it says that it does not run.
        post.is_about_the_message = |status| status == 413;
        post.send(&self.http, Patience::until(deadline)).await
    }
}
