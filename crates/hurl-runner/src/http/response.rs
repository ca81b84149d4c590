//! A response, and the text of its body.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::certificate::Certificate;
use super::headers::Headers;
use super::{HttpError, decode};
use crate::value::{Value, json};
use crate::xpath::Document;

/// A response with its whole body.
#[derive(Clone)]
pub(crate) struct Response {
    /// `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`.
    pub(crate) version: &'static str,
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
    /// The URL that was requested.
    pub(crate) url: Url,
    pub(crate) ip: IpAddr,
    pub(crate) certificate: Option<Arc<Certificate>>,
    pub(crate) duration: Duration,
    /// The longest body after decompression, in bytes.
    pub(crate) max_bytes: u64,
}

impl Response {
    /// The body without its compression.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, HttpError> {
        match self.headers.first("Content-Encoding") {
            Some(encodings) => decode::decompress(&self.body, encodings, self.max_bytes),
            None => Ok(self.body.to_vec()),
        }
    }

    /// The body as text, in the character set that the response names, by default UTF-8.
    pub(crate) fn text(&self) -> Result<String, HttpError> {
        let encoding = match self.charset() {
            None => encoding_rs::UTF_8,
            Some(label) => encoding_rs::Encoding::for_label(label.as_bytes())
                .ok_or_else(|| HttpError::new("Invalid charset", format!("the charset '{label}' is not valid")))?,
        };
        let bytes = self.bytes()?;
        encoding.decode_without_bom_handling_and_without_replacement(&bytes).map(|text| text.into_owned()).ok_or_else(
            || {
                let message = format!("could not decode response body with charset '{}'", encoding.name());
                HttpError::new("Invalid decoding", message)
            },
        )
    }

    fn charset(&self) -> Option<&str> {
        self.headers.first("Content-Type")?.split(';').find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("charset").then_some(value.trim().trim_matches('"'))
        })
    }

    fn is_html(&self) -> bool {
        self.headers.first("Content-Type").is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/html"))
    }
}

/// The documents of a response, each read once.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    json: OnceCell<Option<Value>>,
    markup: OnceCell<Option<Document>>,
}

impl Documents {
    /// The body as JSON; `None` where it is not JSON.
    pub(crate) fn json(&self, response: &Response) -> Result<Option<&Value>, HttpError> {
        if let Some(parsed) = self.json.get() {
            return Ok(parsed.as_ref());
        }
        let text = response.text()?;
        Ok(self.json.get_or_init(|| json::parse(&text)).as_ref())
    }

    /// The body as HTML or XML, by its content type; `None` where it is neither.
    pub(crate) fn markup(&self, response: &Response) -> Result<Option<&Document>, HttpError> {
        if let Some(parsed) = self.markup.get() {
            return Ok(parsed.as_ref());
        }
        let text = response.text()?;
        let parse = if response.is_html() { Document::parse_html } else { Document::parse_xml };
        Ok(self.markup.get_or_init(|| parse(&text)).as_ref())
    }
}

/// One `Set-Cookie` header of a response.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ResponseCookie<'r> {
    pub(crate) value: &'r str,
    attributes: Vec<(&'r str, Option<&'r str>)>,
}

impl<'r> ResponseCookie<'r> {
    /// The first cookie of that name which the response sets.
    pub(crate) fn find(response: &'r Response, name: &str) -> Option<Self> {
        response.headers.values("Set-Cookie").into_iter().find_map(|header| {
            let (cookie, rest) = header.split_once('=')?;
            let mut parts = rest.split(';');
            let value = parts.next()?;
            let attributes = parts.filter(|part| !part.is_empty()).map(|part| match part.split_once('=') {
                Some((key, value)) => (key.trim(), Some(value)),
                None => (part.trim(), None),
            });
            (cookie == name).then(|| Self { value, attributes: attributes.collect() })
        })
    }

    /// The value of an attribute; the inner `None` is an attribute without a value.
    pub(crate) fn attribute(&self, name: &str) -> Option<Option<&'r str>> {
        self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}
