//! Checks that stand in a policy: whether a port answers, what TLS shows, what a name resolves to, what a URL answers.

use std::net::IpAddr;

use serde::Deserialize;

use super::thresholds::{Degraded, Share, Thresholds, repeat};
use crate::Length;

/// One check.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "CheckEntry")]
pub struct Check {
    /// What is checked.
    pub kind: CheckKind,
    /// How long one run of it may take.
    pub timeout: Option<Length>,
    /// How often it runs, and what its runs must keep to.
    pub thresholds: Thresholds,
}

/// What is checked. Texts may hold `{{name}}` for a variable, as in a Hurl file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// A port must take connections.
    Tcp {
        /// `host:port`.
        endpoint: String,
    },
    /// A TLS handshake must succeed.
    Tls {
        /// `host:port`; port 443 where it has none.
        endpoint: String,
        /// The name that the certificate must be for, where it is not the host.
        server_name: Option<String>,
        /// The oldest version that the server may accept.
        min_version: TlsVersion,
        /// The least number of days for which the certificate must still be valid.
        min_days_left: u32,
    },
    /// A name must resolve.
    Dns {
        /// The name.
        name: String,
        /// Addresses that it must have.
        addresses: Vec<IpAddr>,
        /// Whether it must have no others.
        exact: bool,
    },
    /// A URL must answer.
    Http {
        /// The URL, asked with GET; redirects are not followed.
        url: String,
        /// The status of the answer.
        status: u16,
    },
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum TlsVersion {
    /// TLS 1.2.
    #[default]
    #[serde(rename = "TLSv1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLSv1.3")]
    Tls13,
}

/// A check as it is written: one of `tcp`, `tls`, `dns` and `http`, and what belongs to it.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(transform = crate::schema::check))]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckEntry {
    /// A port that must take connections: `host:port`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::endpoint_with_port"))]
    tcp: Option<String>,
    /// A server whose certificate must be valid, of a known authority and for its name: `host:port`, or a host for port 443.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::endpoint"))]
    tls: Option<String>,
    /// A name that must resolve.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::host"))]
    dns: Option<String>,
    /// A URL that must answer to GET. For anything more, write a Hurl file.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::url"))]
    http: Option<String>,
    /// Of `tls`: the name that the certificate must be for, where it is not the host.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::host"))]
    server_name: Option<String>,
    /// Of `tls`: the oldest version that the server may accept. Older ones than TLS 1.2 are never offered, so with
    /// `TLSv1.2`, which holds where it is absent, nothing is found out about them.
    #[serde(default)]
    min_version: Option<TlsVersion>,
    /// Of `tls`: the least number of days for which the certificate must still be valid.
    #[serde(default)]
    min_days_left: Option<u32>,
    /// Of `dns`: addresses that the name must have.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::addresses"))]
    addresses: Option<Vec<IpAddr>>,
    /// Of `dns`: whether the name must have no other addresses.
    #[serde(default)]
    exact: Option<bool>,
    /// Of `http`: the status of the answer; 200 where it is absent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::status"))]
    status: Option<u16>,
    /// How long one run may take; 10s where it is absent.
    #[serde(default)]
    timeout: Option<Length>,
    /// How many times the check runs.
    #[serde(default, deserialize_with = "repeat")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::schema::repeat"))]
    repeat: Option<u32>,
    /// The longest that 95 of 100 runs which passed may take.
    #[serde(default)]
    p95: Option<Length>,
    /// The share of runs that may fail, from 0 to 1; none may where it is absent.
    #[serde(default)]
    error_rate: Option<Share>,
    /// Limits beyond which a person is asked instead.
    #[serde(default)]
    degraded: Option<Degraded>,
}

/// The keys that belong to one kind of check only.
pub(crate) const KEYS_OF_KINDS: [(&str, &[&str]); 4] = [
    ("tcp", &[]),
    ("tls", &["server_name", "min_version", "min_days_left"]),
    ("dns", &["addresses", "exact"]),
    ("http", &["status"]),
];

impl CheckEntry {
    /// The keys that are there, of those that depend on the kind.
    fn given(&self) -> Vec<&'static str> {
        let given = [
            ("tcp", self.tcp.is_some()),
            ("tls", self.tls.is_some()),
            ("dns", self.dns.is_some()),
            ("http", self.http.is_some()),
            ("server_name", self.server_name.is_some()),
            ("min_version", self.min_version.is_some()),
            ("min_days_left", self.min_days_left.is_some()),
            ("addresses", self.addresses.is_some()),
            ("exact", self.exact.is_some()),
            ("status", self.status.is_some()),
        ];
        given.into_iter().filter(|(_, is_given)| *is_given).map(|(key, _)| key).collect()
    }

    fn check_keys(&self) -> Result<(), String> {
        let given = self.given();
        let kinds: Vec<_> = KEYS_OF_KINDS.iter().filter(|(kind, _)| given.contains(kind)).collect();
        let [(kind, own)] = kinds.as_slice() else {
            let what = if kinds.is_empty() { "a check of nothing" } else { "two checks in one" };
            return Err(format!("{what}: a check has one of `tcp`, `tls`, `dns` and `http`"));
        };
        match given.iter().find(|key| *key != kind && !own.contains(key)) {
            Some(key) => Err(format!("`{key}` says nothing in a check of `{kind}`")),
            None => Ok(()),
        }
    }

    fn kind(self) -> Result<CheckKind, String> {
        if let Some(text) = self.tcp {
            checked(&text, |text| endpoint(text, None).map(drop))?;
            return Ok(CheckKind::Tcp { endpoint: text });
        }
        if let Some(text) = self.tls {
            checked(&text, |text| endpoint(text, Some(443)).map(drop))?;
            return Ok(CheckKind::Tls {
                endpoint: text,
                server_name: self.server_name,
                min_version: self.min_version.unwrap_or_default(),
                min_days_left: self.min_days_left.unwrap_or(0),
            });
        }
        if let Some(name) = self.dns {
            checked(&name, |name| host(name).map(drop))?;
            let (addresses, exact) = (self.addresses.unwrap_or_default(), self.exact.unwrap_or(false));
            if exact && addresses.is_empty() {
                return Err("`exact` needs the `addresses` that the name must have".to_owned());
            }
            return Ok(CheckKind::Dns { name, addresses, exact });
        }
        let url = self.http.unwrap_or_default();
        let status = self.status.unwrap_or(200);
        checked(&url, check_url)?;
        if !(100..=599).contains(&status) {
            return Err(format!("{status} is no status of HTTP; they are 100 to 599"));
        }
        Ok(CheckKind::Http { url, status })
    }
}

impl TryFrom<CheckEntry> for Check {
    type Error = String;

    fn try_from(entry: CheckEntry) -> Result<Self, String> {
        entry.check_keys()?;
        let thresholds = Thresholds::new(entry.repeat, entry.p95, entry.error_rate, entry.degraded)?;
        Ok(Self { timeout: entry.timeout, thresholds, kind: entry.kind()? })
    }
}

/// Checks a text now where it holds no variable; else, that is left to the run.
fn checked(text: &str, check: impl Fn(&str) -> Result<(), String>) -> Result<(), String> {
    if text.contains("{{") { Ok(()) } else { check(text) }
}

/// A host and a port out of `host:port`; an IPv6 address stands in brackets.
///
/// # Errors
///
/// What is wrong with the text.
pub fn endpoint(text: &str, default_port: Option<u16>) -> Result<(String, u16), String> {
    let example = "write one such as db.example.com:5432";
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || (name.starts_with('[') && name.ends_with(']')) => {
            let port = port.parse().ok().filter(|port| *port > 0);
            (name, Some(port.ok_or_else(|| format!("{text:?} has no port from 1 to 65535; {example}"))?))
        }
        _ => (text, default_port),
    };
    let port = port.ok_or_else(|| format!("{text:?} has no port; {example}"))?;
    Ok((host(name)?, port))
}

/// A name or an address; an IPv6 address may stand in brackets.
fn host(text: &str) -> Result<String, String> {
    let name = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'))
    };
    if is_name(name) || name.parse::<std::net::Ipv6Addr>().is_ok() {
        Ok(name.to_owned())
    } else {
        Err(format!("{text:?} is neither the name of a host nor an address"))
    }
}

fn check_url(url: &str) -> Result<(), String> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if !rest.is_empty() && !url.contains(char::is_whitespace) => Ok(()),
        _ => Err(format!("{url:?} is no URL; write one such as https://staging.example.com/health")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_taken_apart() {
        for (text, default, expected) in [
            ("db.internal:5432", None, Some(("db.internal", 5432))),
            ("db.internal", Some(443), Some(("db.internal", 443))),
            ("[::1]:80", None, Some(("::1", 80))),
            ("[::1]", Some(443), Some(("::1", 443))),
            ("::1", Some(443), Some(("::1", 443))),
            ("10.0.0.1:22", None, Some(("10.0.0.1", 22))),
            ("db.internal", None, None),
            ("db.internal:0", None, None),
            ("db.internal:99999", None, None),
            ("db internal:1", None, None),
            (":1", None, None),
            ("https://a:1", None, None),
        ] {
            let expected = expected.map(|(host, port): (&str, u16)| (host.to_owned(), port));
            assert_eq!(endpoint(text, default).ok(), expected, "{text}");
        }
    }
}
