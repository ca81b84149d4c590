//! Where requests go: over TLS, or to this machine.

use std::fmt;

use ::url::Url;
use stagegate_http_client::is_loopback;

/// The environment variable that names another Slack, such as the local stand-in.
pub const SLACK_URL_VARIABLE: &str = "STAGEGATE_SLACK_URL";

const SLACK: &str = "https://slack.com/api/";

/// Slack's hosts for response URLs and webhooks.
const HOOKS: [&str; 2] = ["hooks.slack.com", "hooks.slack-gov.com"];

/// A URL is not taken. Reads after "failed to"; never shows the URL, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableUrl {
    /// It is no URL.
    #[error("use {0}: it is not a URL")]
    NotAUrl(&'static str),
    /// It is neither `https` nor on this machine.
    #[error("use {0}: it must begin with https://, or lead to this machine")]
    NotSecure(&'static str),
    /// It belongs to somebody else.
    #[error("use {0}: it does not lead to Slack")]
    NotSlack(&'static str),
    /// It holds a user name, a password, a query or a fragment.
    #[error("use {0}: only a host and a path may stand in it")]
    Decorated(&'static str),
}

/// The base of the Web API's methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiUrl(Url);

impl ApiUrl {
    /// Slack's own.
    pub fn slack() -> Self {
        Self(SLACK.parse().expect("the URL is a constant"))
    }

    /// That of [`SLACK_URL_VARIABLE`], or Slack's own where the variable is not set.
    ///
    /// # Errors
    ///
    /// If the variable's value is not taken.
    pub fn from_environment() -> Result<Self, UnusableUrl> {
        match std::env::var(SLACK_URL_VARIABLE) {
            Ok(text) if !text.is_empty() => Self::new(&text),
            _ => Ok(Self::slack()),
        }
    }

    /// Another one, such as `http://127.0.0.1:8080/api/`.
    ///
    /// # Errors
    ///
    /// If it is neither `https` nor on this machine.
    pub fn new(text: &str) -> Result<Self, UnusableUrl> {
        let mut url = safe(text, SLACK_URL_VARIABLE)?;
        if url.query().is_some() {
            return Err(UnusableUrl::Decorated(SLACK_URL_VARIABLE));
        }
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    pub(crate) fn method(&self, name: &str) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{name}", self.0.path()));
        url
    }
}

/// Where an interaction is answered without a token. Whoever knows it can write to the channel, so nothing shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct ResponseUrl(Url);

impl ResponseUrl {
    /// Takes what Slack sent.
    ///
    /// # Errors
    ///
    /// If it leads neither to Slack nor to this machine.
    pub fn new(text: &str) -> Result<Self, UnusableUrl> {
        const NAME: &str = "the response URL";
        let url = safe(text, NAME)?;
        let is_slack = url.host_str().is_some_and(|host| HOOKS.contains(&host)) && url.port().is_none();
        if is_slack || is_loopback(&url) { Ok(Self(url)) } else { Err(UnusableUrl::NotSlack(NAME)) }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The URL itself, for storing it until the work is done. It is a secret.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for ResponseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseUrl(redacted)")
    }
}

pub(crate) fn safe(text: &str, name: &'static str) -> Result<Url, UnusableUrl> {
    let url = Url::parse(text.trim()).map_err(|_| UnusableUrl::NotAUrl(name))?;
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
    if !is_safe || url.host().is_none() {
        return Err(UnusableUrl::NotSecure(name));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(UnusableUrl::Decorated(name));
    }
    Ok(url)
}
