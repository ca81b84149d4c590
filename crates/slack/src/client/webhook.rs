//! Incoming webhooks and the URLs that answer interactions: no token, one channel, no way back to a message.

use std::fmt;

use ::http::Method;
use ::url::Url;
use bytes::Bytes;
use serde_json::{Map, Value};
use stagegate_http_client::{HttpClient, Patience};
use tokio::time::Instant;

use super::api::Visibility;
use super::error::{Problem, SlackError};
use super::http::{self, Answer, Call};
use super::url::{ResponseUrl, UnusableUrl, safe};
use crate::blocks::Message;

const INCOMING: &str = "incoming webhook";
const RESPONSE: &str = "response URL";

/// An incoming webhook. Whoever knows its URL can write to the channel, so nothing shows it.
#[derive(Clone)]
pub struct Webhook {
    http: HttpClient,
    url: Url,
}

impl Webhook {
    /// Takes the URL as it is stored.
    ///
    /// # Errors
    ///
    /// If it is neither `https` nor on this machine.
    pub fn new(http: HttpClient, url: &str) -> Result<Self, UnusableUrl> {
        Ok(Self { http, url: safe(url, "the webhook's URL")? })
    }

    /// Posts a message. It cannot be updated later.
    ///
    /// # Errors
    ///
    /// Why Slack has not taken it, or that this is not known.
    pub async fn post(&self, message: &Message, deadline: Instant) -> Result<(), SlackError> {
        send(&self.http, INCOMING, &self.url, message.to_fields(), false, deadline).await
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(redacted)")
    }
}

impl ResponseUrl {
    /// Answers the interaction with a message of its own. Slack takes five answers within 30 minutes.
    ///
    /// # Errors
    ///
    /// Why Slack has not taken it, or that this is not known.
    pub async fn reply(
        &self,
        http: &HttpClient,
        visibility: Visibility,
        message: &Message,
        deadline: Instant,
    ) -> Result<(), SlackError> {
        let mut body = message.to_fields();
        let kind = match visibility {
            Visibility::Channel => "in_channel",
            Visibility::Ephemeral => "ephemeral",
        };
        body.insert("response_type".into(), kind.into());
        body.insert("replace_original".into(), false.into());
        send(http, RESPONSE, self.url(), body, false, deadline).await
    }

    /// Replaces the message that was clicked in.
    ///
    /// # Errors
    ///
    /// Why Slack has not done it.
    pub async fn replace_original(
        &self,
        http: &HttpClient,
        message: &Message,
        deadline: Instant,
    ) -> Result<(), SlackError> {
        let mut body = message.to_fields();
        body.insert("replace_original".into(), true.into());
        send(http, RESPONSE, self.url(), body, true, deadline).await
    }
}

async fn send(
    http: &HttpClient,
    name: &'static str,
    url: &Url,
    body: Map<String, Value>,
    is_repeatable: bool,
    deadline: Instant,
) -> Result<(), SlackError> {
    let body = Bytes::from(Value::Object(body).to_string());
    let call = Call { name, method: Method::POST, url: url.clone(), authorization: None, body, is_repeatable };
    let answer = http::send(http, &call, &mut Patience::until(deadline)).await;
    let answer = answer.map_err(|(problem, may_have_been_done)| SlackError::new(name, problem, may_have_been_done))?;
    accepted(&answer).map_err(|problem| SlackError::new(name, problem, false))
}

/// Slack answers with a word; the URL of an interaction also with the JSON of a method.
fn accepted(answer: &Answer) -> Result<(), Problem> {
    let is_refused = answer.json.as_ref().is_some_and(|json| json.get("ok") == Some(&Value::Bool(false)));
    if answer.status == 200 && !is_refused {
        return Ok(());
    }
    let word = if is_refused { answer.code() } else { String::from_utf8_lossy(&answer.body).trim().to_owned() };
    let is_word = !word.is_empty() && word.len() <= 80 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    Err(if is_word { Problem::Refused { code: word, detail: None } } else { Problem::Status { status: answer.status } })
}
