//! Which hosts and addresses may be reached.
//!
//! A Hurl file can come from the commit that is being judged, and a name can be made to resolve to anything; what runs
//! inside of a network has a position that others do not have. So every connection is judged by its address, after the
//! name was resolved and before it is opened.

mod host;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

pub use host::HostPattern;

/// What connections a run may open. By default: every public and private address, and neither loopback, link-local,
/// metadata, multicast nor unspecified addresses.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    allow_hosts: Vec<HostPattern>,
    allow_networks: Vec<Network>,
    deny_private: bool,
    never: Vec<SocketAddr>,
}

impl NetworkPolicy {
    /// The default policy.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The policy that rules of a configuration make: hosts, networks, and whether private addresses are refused. The
    /// Runtime API of Lambda is never reached.
    ///
    /// # Errors
    ///
    /// If one of them is no host or no network.
    pub fn written<'a>(
        hosts: impl IntoIterator<Item = &'a str>,
        networks: impl IntoIterator<Item = &'a str>,
        deny_private: bool,
    ) -> Result<Self, InvalidPolicy> {
        let mut policy = Self::new();
        for host in hosts {
            policy = policy.allow_host(host.parse()?);
        }
        for network in networks {
            policy = policy.allow_network(network.parse()?);
        }
        if deny_private {
            policy = policy.deny_private();
        }
        Ok(policy.never_the_runtime_api())
    }

    /// Limits a run to hosts that match a pattern: `staging.example.com`, `*.example.com`, each with or without a port.
    /// As soon as one pattern is given, every other host is refused.
    #[must_use]
    pub fn allow_host(mut self, pattern: HostPattern) -> Self {
        self.allow_hosts.push(pattern);
        self
    }

    /// Opens a network that is refused by default. A metadata service is opened only by its own address, written
    /// alone, and never by a network around it.
    #[must_use]
    pub fn allow_network(mut self, network: Network) -> Self {
        self.allow_networks.push(network);
        self
    }

    /// Refuses private addresses (RFC 1918, RFC 4193, RFC 6598) too, except those in an allowed network.
    #[must_use]
    pub fn deny_private(mut self) -> Self {
        self.deny_private = true;
        self
    }

    /// Refuses one address and port whatever else is allowed: the Lambda Runtime API, for one. Where the address is this
    /// machine, every other address of this machine is refused at that port too: what listens on one of them may listen
    /// on all.
    #[must_use]
    pub fn never(mut self, address: SocketAddr) -> Self {
        self.never.push(address);
        self
    }

    /// Refuses the Runtime API that the environment names in `AWS_LAMBDA_RUNTIME_API`, as [`Self::never`] does.
    #[must_use]
    pub fn never_the_runtime_api(self) -> Self {
        match std::env::var("AWS_LAMBDA_RUNTIME_API").ok().and_then(|address| address.parse().ok()) {
            Some(address) => self.never(address),
            None => self,
        }
    }

    /// Judges a host by name, before it is resolved.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where patterns are given and none matches.
    pub fn check_host(&self, host: &str, port: u16) -> Result<(), Refusal> {
        let host = normalized(host);
        if self.allow_hosts.is_empty() || self.allow_hosts.iter().any(|pattern| pattern.matches(&host, port)) {
            Ok(())
        } else {
            Err(Refusal { target: format!("{host}:{port}"), reason: "is not among the allowed hosts" })
        }
    }

    /// Judges a host of which only the name is asked for, at no port.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where patterns are given and none has the name.
    pub fn check_name(&self, host: &str) -> Result<(), Refusal> {
        let host = normalized(host);
        if self.allow_hosts.is_empty() || self.allow_hosts.iter().any(|pattern| pattern.has_name(&host)) {
            Ok(())
        } else {
            Err(Refusal { target: host, reason: "is not among the allowed hosts" })
        }
    }

    /// Judges an address that was given for an allowed host in place of those that it has (`known`): who limits a run
    /// to hosts has allowed where these are, and not where a file says that they are.
    ///
    /// # Errors
    ///
    /// [`Refusal`] where hosts are limited, the address is not the host's, and nothing allows it by itself.
    pub fn check_substitute(&self, address: SocketAddr, known: &[IpAddr]) -> Result<(), Refusal> {
        let ip = address.ip();
        let is_allowed = !self.limits_hosts()
            || known.contains(&ip)
            || self.check_host(&ip.to_string(), address.port()).is_ok()
            || self.allow_networks.iter().any(|network| network.contains(ip));
        let reason = "is given in place of the addresses of an allowed host, and is none of them";
        if is_allowed { Ok(()) } else { Err(Refusal { target: address.to_string(), reason }) }
    }

    /// Whether only some hosts may be reached.
    #[must_use]
    pub fn limits_hosts(&self) -> bool {
        !self.allow_hosts.is_empty()
    }

    /// Judges an address that a connection would be opened to, in every form in which it may stand for another.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with what kind of address it is.
    pub fn check_address(&self, address: SocketAddr) -> Result<(), Refusal> {
        let refuse = |reason| Err(Refusal { target: address.to_string(), reason });
        for ip in forms(address.ip()) {
            let is_never =
                |never: &SocketAddr| never.port() == address.port() && forms(never.ip()).any(|form| is_same(form, ip));
            if self.never.iter().any(is_never) {
                return refuse("is never to be reached");
            }
            let is_allowed = match Class::of(ip) {
                Class::Public => true,
                Class::Private => !self.deny_private || self.allow_networks.iter().any(|network| network.contains(ip)),
                Class::Metadata => self.allow_networks.iter().any(|network| network.is_single(ip)),
                _ => self.allow_networks.iter().any(|network| network.contains(ip)),
            };
            if !is_allowed {
                return refuse(Class::of(ip).reason());
            }
        }
        Ok(())
    }
}

/// A connection that the policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{target} {reason}")]
pub struct Refusal {
    target: String,
    reason: &'static str,
}

/// Text that is not a pattern or a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct InvalidPolicy {
    text: String,
    expected: &'static str,
}

/// A network in CIDR notation, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u32,
}

impl Network {
    fn contains(&self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(network), IpAddr::V4(ip)) => {
                let mask = u32::MAX.checked_shl(32 - self.prefix).unwrap_or(0);
                network.to_bits() & mask == ip.to_bits() & mask
            }
            (IpAddr::V6(network), IpAddr::V6(ip)) => {
                let mask = u128::MAX.checked_shl(128 - self.prefix).unwrap_or(0);
                network.to_bits() & mask == ip.to_bits() & mask
            }
            _ => false,
        }
    }

    fn is_single(&self, ip: IpAddr) -> bool {
        self.address == ip && self.prefix == if ip.is_ipv4() { 32 } else { 128 }
    }
}

impl FromStr for Network {
    type Err = InvalidPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let invalid =
            || InvalidPolicy { text: text.to_owned(), expected: "an address or a network such as 10.0.0.0/8" };
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        let address: IpAddr = address.parse().map_err(|_| invalid())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => longest,
            Some(prefix) => prefix.parse().ok().filter(|prefix| *prefix <= longest).ok_or_else(invalid)?,
        };
        Ok(Self { address, prefix })
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// Lower case, without the dot of the root and without the brackets of an IPv6 address.
pub fn normalized(host: &str) -> String {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// Whether two addresses lead to the same place. A connection to the unspecified address goes to this machine.
fn is_same(left: IpAddr, right: IpAddr) -> bool {
    let is_here = |ip| matches!(Class::of(ip), Class::Loopback | Class::Unspecified);
    left == right || (is_here(left) && is_here(right))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Public,
    Private,
    Metadata,
    Loopback,
    LinkLocal,
    Unspecified,
    Multicast,
    Reserved,
}

impl Class {
    fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        match ip.octets() {
            // Instance metadata, credentials of ECS tasks and of EKS pods.
            [169, 254, 169, 254] | [169, 254, 170, 2 | 23] => Self::Metadata,
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] | [198, 18..=19, ..] => Self::Private,
            [192, 0, 0, _] | [240..=255, ..] => Self::Reserved,
            [224..=239, ..] => Self::Multicast,
            _ => Self::Public,
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        match ip.segments() {
            // Instance metadata and credentials of EKS pods.
            [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254 | 0x23] => Self::Metadata,
            [0, 0, 0, 0, 0, 0, 0, 0] => Self::Unspecified,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] => Self::Private,
            [0xff00..=0xffff, ..] => Self::Multicast,
            [0x100, 0, 0, 0, ..] => Self::Reserved,
            _ => Self::Public,
        }
    }

    fn reason(self) -> &'static str {
        match self {
            Self::Public => "is a public address",
            Self::Private => "is a private address, which the policy denies",
            Self::Metadata => "is a metadata service",
            Self::Loopback => "is a loopback address",
            Self::LinkLocal => "is a link-local address",
            Self::Unspecified => "is an unspecified address",
            Self::Multicast => "is a multicast address",
            Self::Reserved => "is a reserved address",
        }
    }
}

/// The address, and the IPv4 address that it stands for where it embeds one.
fn forms(ip: IpAddr) -> impl Iterator<Item = IpAddr> {
    let embedded = match ip {
        IpAddr::V4(_) => None,
        IpAddr::V6(ip) => embedded_v4(ip).map(IpAddr::V4),
    };
    std::iter::once(ip).chain(embedded)
}

fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let segments = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match segments {
        // Unspecified and loopback are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        // Mapped (RFC 4291), compatible (RFC 4291, deprecated) and translated (RFC 2765).
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] => Some(v4(high, low)),
        // NAT64, well-known and local-use prefix (RFC 6052, RFC 8215).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => Some(v4(high, low)),
        // 6to4 (RFC 3056).
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // Teredo (RFC 4380): the client's address is inverted.
        [0x2001, 0, _, _, _, _, high, low] => Some(v4(!high, !low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(policy: &NetworkPolicy, ip: &str) -> bool {
        policy.check_address(SocketAddr::new(ip.parse().unwrap(), 80)).is_ok()
    }

    #[test]
    fn dangerous_addresses_are_refused_in_every_form() {
        for ip in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "169.254.0.1",
            "169.254.170.2",
            "224.0.0.1",
            "255.255.255.255",
            "240.0.0.1",
            "192.0.0.192",
            "::",
            "::1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:169.254.169.254",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::127.0.0.1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2001:0:1:2:3:4:5601:5601",
        ] {
            assert!(!is_allowed(&NetworkPolicy::new(), ip), "{ip}");
        }
        for ip in ["93.184.216.34", "10.0.0.1", "2606:2800::1", "::ffff:93.184.216.34", "fd12::1", "100.64.0.1"] {
            assert!(is_allowed(&NetworkPolicy::new(), ip), "{ip}");
        }
    }

    #[test]
    fn private_addresses_can_be_denied_and_networks_opened() {
        let policy = NetworkPolicy::new()
            .deny_private()
            .allow_network("10.1.0.0/16".parse().unwrap())
            .allow_network("127.0.0.0/8".parse().unwrap())
            .allow_network("169.254.0.0/16".parse().unwrap())
            .never("127.0.0.1:9001".parse().unwrap());
        for (ip, expected) in [
            ("10.1.2.3", true),
            ("10.2.2.3", false),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("fd12::1", false),
            ("::ffff:10.2.0.1", false),
            ("127.0.0.1", true),
            ("169.254.1.1", true),
            // A network around it does not open the metadata service.
            ("169.254.169.254", false),
            ("93.184.216.34", true),
        ] {
            assert_eq!(is_allowed(&policy, ip), expected, "{ip}");
        }
        for address in ["127.0.0.1:9001", "[::ffff:127.0.0.1]:9001", "[64:ff9b::127.0.0.1]:9001"] {
            assert!(policy.check_address(address.parse().unwrap()).is_err(), "{address}");
        }
        let opened = NetworkPolicy::new().allow_network("169.254.169.254".parse().unwrap());
        assert!(is_allowed(&opened, "169.254.169.254") && !is_allowed(&opened, "169.254.169.253"));
    }

    #[test]
    fn what_is_never_reached_is_reached_by_no_address_of_this_machine() {
        let all = || {
            let policy = NetworkPolicy::new().allow_network("0.0.0.0/0".parse().unwrap());
            policy.allow_network("::/0".parse().unwrap())
        };
        for never in ["127.0.0.1:9001", "[::1]:9001", "0.0.0.0:9001", "[::ffff:127.0.0.1]:9001"] {
            let policy = all().never(never.parse().unwrap());
            for ip in
                ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::"]
            {
                let address = |port| SocketAddr::new(ip.parse().unwrap(), port);
                assert!(all().check_address(address(9001)).is_ok(), "{ip}");
                assert!(policy.check_address(address(9001)).is_err(), "{never} {ip}");
                assert!(policy.check_address(address(9002)).is_ok(), "{never} {ip}");
            }
            assert!(policy.check_address("10.0.0.1:9001".parse().unwrap()).is_ok());
        }
    }

    #[test]
    fn hosts_are_matched_as_names() {
        let policy = NetworkPolicy::new()
            .allow_host("staging.example.com".parse().unwrap())
            .allow_host("*.test.example.com:8443".parse().unwrap())
            .allow_host("[::1]:80".parse().unwrap());
        for (host, port, expected) in [
            ("staging.example.com", 80, true),
            ("STAGING.example.com.", 443, true),
            ("evil-staging.example.com", 80, false),
            ("staging.example.com.evil.com", 80, false),
            ("a.test.example.com", 8443, true),
            ("a.b.test.example.com", 8443, true),
            ("test.example.com", 8443, false),
            ("a.test.example.com", 443, false),
            ("atest.example.com", 8443, false),
            ("[::1]", 80, true),
        ] {
            assert_eq!(policy.check_host(host, port).is_ok(), expected, "{host}:{port}");
        }
    }

    #[test]
    fn patterns_and_networks_are_checked() {
        for text in ["", "*.", "a b", "http://a", "a:b", "*", "a/8"] {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
        for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a", "10.0.0.0/"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("8.8.8.8".parse().unwrap()));
        assert!("::/0".parse::<Network>().unwrap().contains("1::".parse().unwrap()));
    }
}
