//! The HTTP request in the event of a function URL (AWS Lambda guide, "Invoking Lambda function URLs").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use stagegate_slack::interaction::MAX_BODY_BYTES;
use stagegate_slack::signature::{SIGNATURE_HEADER, SignedRequest, TIMESTAMP_HEADER};

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    method: String,
    timestamp: Option<String>,
    signature: Option<String>,
    body: Vec<u8>,
}

/// Why an event is no request that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Only POST can change anything.
    #[error("take the request: only POST is taken")]
    Method,
    /// The body is too large.
    #[error("take the request: its body is larger than {MAX_BODY_BYTES} bytes")]
    TooLarge,
    /// The body is not what the event says it is.
    #[error("take the request: its body is not the base64 that it is said to be")]
    Base64,
}

impl HttpRequest {
    /// The request of an event; `None` where the event is not one of a URL.
    ///
    /// # Errors
    ///
    /// If it is a request that is not looked at.
    pub fn read(event: &Value) -> Option<Result<Self, Unreadable>> {
        let method = event["requestContext"]["http"]["method"].as_str()?;
        Some(Self::of(event, method))
    }

    fn of(event: &Value, method: &str) -> Result<Self, Unreadable> {
        if method != "POST" {
            return Err(Unreadable::Method);
        }
        let body = event["body"].as_str().unwrap_or_default();
        // Base64 is longer than what it stands for.
        if body.len() > MAX_BODY_BYTES.div_ceil(3) * 4 {
            return Err(Unreadable::TooLarge);
        }
        let body = match event["isBase64Encoded"].as_bool() {
            Some(true) => STANDARD.decode(body).map_err(|_| Unreadable::Base64)?,
            _ => body.as_bytes().to_vec(),
        };
        if body.len() > MAX_BODY_BYTES {
            return Err(Unreadable::TooLarge);
        }
        let header = |wanted: &str| {
            let headers = event["headers"].as_object()?;
            let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.and_then(|(_, value)| value.as_str().map(str::to_owned))
        };
        Ok(Self {
            method: method.to_owned(),
            timestamp: header(TIMESTAMP_HEADER),
            signature: header(SIGNATURE_HEADER),
            body,
        })
    }

    /// What Slack has signed.
    pub fn signed(&self) -> SignedRequest<'_> {
        SignedRequest { timestamp: self.timestamp.as_deref(), signature: self.signature.as_deref(), body: &self.body }
    }
}

/// An answer without a body.
pub(crate) fn status(code: u16) -> Value {
    json!({"statusCode": code, "headers": {"content-type": "text/plain"}, "body": ""})
}

/// An answer to Slack.
pub(crate) fn answer(body: &Value) -> Value {
    json!({"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body.to_string()})
}
