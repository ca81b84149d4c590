//! A program behind a URL, which takes signed JSON.

use http::HeaderValue;
use http::header::HeaderName;
use jiff::Timestamp;
use stagegate_config::{WebhookChannel, WebhookUrl};
use stagegate_http_client::Patience;
use tokio::time::Instant;

use crate::post::{Post, secret_url};
use crate::signature::{Key, id_of};
use crate::{Channels, Letter, Outcome};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

impl Channels {
    pub(crate) async fn send_to_webhook(
        &self,
        webhook: &WebhookChannel,
        letter: &Letter<'_>,
        deadline: Instant,
    ) -> Outcome {
        let http = match self.guarded(&webhook.network) {
            Ok(http) => http,
            Err(why) => return Outcome::Refused { why },
        };
        let url = match &webhook.url {
            WebhookUrl::Public(url) => {
                url.parse().map_err(|_| "use the URL of the webhook: it is not a URL".to_owned())
            }
            WebhookUrl::Parameter(name) => match self.secrets.read(name).await {
                Ok(url) => secret_url(&url, name),
                Err(error) => return Outcome::of_secret(&error),
            },
        };
        let url = match url {
            Ok(url) => url,
            Err(why) => return Outcome::Refused { why },
        };
        let key = match self.secrets.read(&webhook.secret).await {
            Ok(key) => Key::read(&key),
            Err(error) => return Outcome::of_secret(&error),
        };
        let key = match key {
            Ok(key) => key,
            Err(error) => {
                return Outcome::refused(format!("{error}; it is read from the SSM parameter {}", webhook.secret));
            }
        };
        let mut post = Post::new("call the webhook", url, &letter.say.webhook_data());
        let id = id_of(letter.id);
        let timestamp = Timestamp::now().as_second();
        let signature = key.sign(&id, timestamp, &post.body);
        let header = |text: String| HeaderValue::try_from(text).ok();
        let headers = [(ID, header(id)), (TIMESTAMP, header(timestamp.to_string())), (SIGNATURE, header(signature))];
        post.headers.extend(headers.into_iter().filter_map(|(name, value)| Some((name, value?))));
        // Whoever receives it knows a repetition by the id.
        post.is_repeatable = true;
        post.send(&http, Patience::until(deadline)).await
    }
}
