//! HTTP as Hurl speaks it: requests as they are written, redirects and cookies as curl handles them.

pub(crate) mod certificate;
pub(crate) mod client;
pub(crate) mod connection;
pub(crate) mod cookies;
mod decode;
mod exchange;
pub(crate) mod headers;
pub(crate) mod netrc;
mod redirect;
pub(crate) mod request;
pub(crate) mod response;
pub(crate) mod signature;
pub(crate) mod tls;
pub(crate) mod url;

/// Why there is no response, or no text of one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct HttpError {
    /// Hurl's headline.
    pub(crate) title: &'static str,
    pub(crate) message: String,
}

impl HttpError {
    pub(crate) fn new(title: &'static str, message: impl Into<String>) -> Self {
        Self { title, message: message.into() }
    }

    pub(crate) fn connection(message: impl Into<String>) -> Self {
        Self::new("HTTP connection", message)
    }
}
