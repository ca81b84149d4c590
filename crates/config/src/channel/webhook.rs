//! A program behind a URL that takes signed JSON.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::parameter_name;
use crate::gate::Fault;
use crate::smoke::NetworkRules;

/// A program behind a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookChannel {
    /// Where it is.
    pub url: WebhookUrl,
    /// The SSM parameter that holds the key of the signatures.
    pub secret: String,
    /// What the URL's host may resolve to.
    pub network: NetworkRules,
}

/// Where a program is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookUrl {
    /// At this URL, which is no secret.
    Public(String),
    /// At the URL that an SSM parameter of this name holds.
    Parameter(String),
}

/// A program that takes signed JSON.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::webhook))]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookEntry {
    /// The URL, where it is no secret: `https`. Plain `http` leads to this machine only.
    #[serde(default, deserialize_with = "url")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::webhook_url"))]
    url: Option<String>,
    /// The name of the SSM parameter (SecureString) that holds the URL, where it is a secret.
    #[serde(default, deserialize_with = "optional_parameter")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::optional_parameter_name"))]
    url_parameter: Option<String>,
    /// The name of the SSM parameter (SecureString) that holds the key by which the receiver knows that a request is
    /// genuine.
    #[serde(deserialize_with = "parameter")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::parameter_name"))]
    secret: String,
    /// What the URL's host may resolve to; as for smoke tests.
    #[serde(default)]
    network: NetworkRules,
}

impl WebhookEntry {
    pub(super) fn channel(self) -> Result<WebhookChannel, Fault> {
        let Self { url, url_parameter, secret, network } = self;
        let url = match (url, url_parameter) {
            (Some(url), None) => WebhookUrl::Public(url),
            (None, Some(name)) => WebhookUrl::Parameter(name),
            _ => return Err(Fault::new(&["webhook"], "must have exactly one of `url` and `url_parameter`")),
        };
        if let WebhookUrl::Public(url) = &url
            && is_this_machine(host(url).unwrap_or_default())
            && network.allow_networks.is_empty()
        {
            let what = "leads to this machine, which is refused unless `network.allow_networks` has its address, such as 127.0.0.1";
            return Err(Fault::new(&["webhook", "url"], what));
        }
        Ok(WebhookChannel { url, secret, network })
    }
}

/// Reads the map; of a text, it says what to write instead.
pub(super) fn entry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<WebhookEntry>, D::Error> {
    struct EntryVisitor;

    impl<'de> Visitor<'de> for EntryVisitor {
        type Value = Option<WebhookEntry>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map with `url` or `url_parameter`, and `secret`")
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E: Error>(self, _: &str) -> Result<Self::Value, E> {
            Err(E::custom(
                "a webhook is a map with `url` or `url_parameter`, and `secret`; an incoming webhook of Slack is written \
                 `slack_webhook: /stagegate/webhooks/releases`",
            ))
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            WebhookEntry::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }

    deserializer.deserialize_any(EntryVisitor)
}

fn parameter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    parameter_name(String::deserialize(deserializer)?)
}

fn optional_parameter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<String>::deserialize(deserializer)?.map(parameter_name).transpose()
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(url) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let Some(host) = host(&url) else {
        return Err(D::Error::custom(
            "this is no URL of a webhook; write one such as https://example.com/hooks/releases, without a user name, a \
             password and a fragment",
        ));
    };
    if url.starts_with("http://") && !is_this_machine(host) {
        return Err(D::Error::custom(format!("a webhook at {host:?} is reached by https only; write https://")));
    }
    Ok(Some(url))
}

/// The host of a URL that has nothing but what a webhook's may have.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic() && !br#"#"<>\^`{|}"#.contains(&byte));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "443"),
    };
    (is_plain && !host.is_empty() && !authority.contains('@') && port.parse::<u16>().is_ok()).then_some(host)
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host == "[::1]" || host.parse().is_ok_and(|ip: std::net::Ipv4Addr| ip.is_loopback())
}
