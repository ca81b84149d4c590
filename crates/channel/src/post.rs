//! Posting JSON to a server that answers with a status.

use ::http::Method;
use ::http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use ::url::Url;
use bytes::Bytes;
use serde_json::Value;
use stagegate_http_client::{Answer, Call, DEFAULT_RETRY_AFTER, Failure, HttpClient, Patience, is_loopback};

use crate::Outcome;

/// A request with JSON, and whether its receiver recognises a repetition.
pub(crate) struct Post {
    /// What it is called in errors, reading after "failed to".
    pub(crate) name: &'static str,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) is_repeatable: bool,
    /// Whether a status says that this message is not taken, and that others may be.
    pub(crate) is_about_the_message: fn(u16) -> bool,
}

impl Post {
    /// A post of JSON. It may not be repeated.
    pub(crate) fn new(name: &'static str, url: Url, body: &Value) -> Self {
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8")),
            (ACCEPT, HeaderValue::from_static("application/json, text/plain;q=0.5, */*;q=0.1")),
        ];
        let body = Bytes::from(body.to_string());
        Self { name, url, headers, body, is_repeatable: false, is_about_the_message }
    }

    /// Sends it until it is answered or the patience is at its end.
    ///
    /// What a server answers with 500 and more, it says that it has not taken. Where it does not answer, it may have.
    pub(crate) async fn send(&self, http: &HttpClient, mut patience: Patience) -> Outcome {
        let call = Call {
            method: Method::POST,
            url: self.url.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
        };
        loop {
            let (outcome, wish) = match http.attempt(&call, patience.left()).await {
                Ok(answer) if (200..300).contains(&answer.status) => return Outcome::Delivered { message: None },
                Ok(answer) if is_passing(answer.status) => (self.later(&answer), answer.retry_after),
                Ok(answer) => return self.refusal(&answer),
                Err(failure @ Failure::Forbidden(_)) => {
                    return Outcome::refused(format!("{}: it {failure}", self.name));
                }
                Err(failure) => {
                    let why = format!("{}: it {failure}", self.name);
                    if failure.was_sent() && !self.is_repeatable {
                        return Outcome::Unknown { why: format!("{why}; it may have arrived all the same") };
                    }
                    (Outcome::later(None, why), None)
                }
            };
            let goes_on = match wish {
                Some(wish) => patience.wait(wish).await,
                None => patience.pause().await,
            };
            if !goes_on {
                return outcome;
            }
        }
    }

    fn later(&self, answer: &Answer) -> Outcome {
        let wish = answer.retry_after.or((answer.status == 429).then_some(DEFAULT_RETRY_AFTER));
        Outcome::later(wish, format!("{}: it answered with HTTP status {}", self.name, answer.status))
    }

    fn refusal(&self, answer: &Answer) -> Outcome {
        let advice = match answer.status {
            300..=399 => "; redirects are not followed, store the URL to which it leads",
            401 | 403 => "; check its URL and its key",
            404 | 410 => "; there is nothing at its URL any more, store a new one",
            413 => "; it does not take messages of this size",
            _ => "",
        };
        let why = format!("{}: it answered with HTTP status {}{advice}", self.name, answer.status);
        if (self.is_about_the_message)(answer.status) { Outcome::Rejected { why } } else { Outcome::Refused { why } }
    }
}

/// Whether a refusal is one of this message. All others are of the channel: its URL, its key, whoever lets us in.
fn is_about_the_message(status: u16) -> bool {
    !matches!(status, 300..=399 | 401..=405 | 407 | 410)
}

/// Whether the same request may succeed later: a timeout, a wish for a pause, or a failure of the server (RFC 9110).
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

/// A URL from a secret. The error reads after "failed to", and does not show it.
pub(crate) fn secret_url(text: &str, parameter: &str) -> Result<Url, String> {
    let unusable = |what| format!("use the URL in the SSM parameter {parameter}: {what}");
    let url = Url::parse(text).map_err(|_| unusable("it is not a URL"))?;
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
    if !is_safe || url.host().is_none() {
        return Err(unusable("it must begin with https://, or lead to this machine"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(unusable("a user name, a password or a fragment may not stand in it"));
    }
    Ok(url)
}
