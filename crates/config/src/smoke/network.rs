//! What smoke tests may reach.

use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// What connections may be opened, beside and except what is by default: public and private addresses are open; loopback,
/// link-local and metadata addresses are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NetworkRules {
    /// The only hosts that may be reached: a name, or `*.` and a domain for all names below it, each with or without a port.
    /// An address that `resolve` of a Hurl file gives such a host must be one that the host has, or be allowed itself.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::host_patterns"))]
    pub allow_hosts: Vec<HostName>,
    /// Networks, such as 127.0.0.0/8, that are open although they are refused by default.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::networks"))]
    pub allow_networks: Vec<NetworkPattern>,
    /// Whether private addresses are refused too, except those of `allow_networks`.
    #[serde(default)]
    pub deny_private: bool,
}

impl NetworkRules {
    /// The hosts as they were written.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.allow_hosts.iter().map(HostName::as_str)
    }

    /// The networks as they were written.
    pub fn networks(&self) -> impl Iterator<Item = &str> {
        self.allow_networks.iter().map(NetworkPattern::as_str)
    }
}

/// A host that may be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
            _ => (text.as_str(), None),
        };
        let name = name.strip_prefix("*.").unwrap_or(name);
        let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
        let named = !name.trim_end_matches('.').is_empty() && name.chars().all(is_name);
        if named && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|_| !port.starts_with('+'))) {
            return Ok(Self(text));
        }
        let reason = if text.contains("://") || text.contains('/') { ", without a scheme and a path" } else { "" };
        Err(D::Error::custom(format!(
            "{text:?} is no host; write a name such as staging.example.com, *.example.com or staging.example.com:8443{reason}"
        )))
    }
}

/// A network in CIDR notation, or one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkPattern(String);

impl NetworkPattern {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for NetworkPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (address, prefix) =
            text.split_once('/').map_or((text.as_str(), None), |(address, prefix)| (address, Some(prefix)));
        let longest = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
        let is_prefix = |prefix: &str, longest: u32| {
            prefix.bytes().all(|byte| byte.is_ascii_digit())
                && prefix.parse().is_ok_and(|prefix: u32| prefix <= longest)
        };
        let address: Option<IpAddr> = address.parse().ok();
        if address.is_some_and(|address| prefix.is_none_or(|prefix| is_prefix(prefix, longest(address)))) {
            return Ok(Self(text));
        }
        Err(D::Error::custom(format!("{text:?} is no network; write an address or a network such as 10.0.0.0/8")))
    }
}
