//! Patterns of hosts.

use std::str::FromStr;

use crate::{InvalidPolicy, normalized};

/// A host name, or all names below one, with or without a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    name: String,
    below: bool,
    port: Option<u16>,
}

impl HostPattern {
    pub(crate) fn matches(&self, host: &str, port: u16) -> bool {
        self.has_name(host) && self.port.is_none_or(|wanted| wanted == port)
    }

    pub(crate) fn has_name(&self, host: &str) -> bool {
        if self.below {
            host.strip_suffix(&self.name).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.name
        }
    }
}

impl FromStr for HostPattern {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let invalid = || InvalidPolicy {
            text: text.to_owned(),
            expected: "a host, `*.` and a domain, or one of these and a port",
        };
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
                (name, Some(port.parse().map_err(|_| invalid())?))
            }
            _ => (text, None),
        };
        let (below, name) = name.strip_prefix("*.").map_or((false, name), |name| (true, name));
        let name = normalized(name);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | ':');
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(invalid());
        }
        Ok(Self { name, below, port })
    }
}
