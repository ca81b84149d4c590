//! Opens connections: the one place from which bytes leave. Names are resolved, every address is judged, and the
//! judged address is the one that is connected to.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};

use stagegate_network_policy::{NetworkPolicy, Refusal};

/// A connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Finds the addresses of a name.
#[async_trait::async_trait]
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The addresses of `host`, in the order in which they should be tried.
    ///
    /// # Errors
    ///
    /// Whatever kept the name from being resolved.
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Connects to an address.
#[async_trait::async_trait]
pub trait Connector: fmt::Debug + Send + Sync {
    /// Opens a connection to `address`, which has been judged.
    ///
    /// # Errors
    ///
    /// Whatever kept the connection from being opened.
    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>>;
}

/// The resolver and the sockets of the system.
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

#[async_trait::async_trait]
impl Resolver for System {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

#[async_trait::async_trait]
impl Connector for System {
    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let stream = tokio::net::TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// How connections are opened: a policy, and what resolves and connects.
#[derive(Clone, Debug)]
pub struct Outbound {
    policy: NetworkPolicy,
    resolver: Arc<dyn Resolver>,
    connector: Arc<dyn Connector>,
}

impl Outbound {
    /// Connections of the system, under a policy.
    #[must_use]
    pub fn new(policy: NetworkPolicy) -> Self {
        Self { policy, resolver: Arc::new(System), connector: Arc::new(System) }
    }

    /// Uses another resolver.
    #[must_use]
    pub fn with_resolver(mut self, resolver: impl Resolver + 'static) -> Self {
        self.resolver = Arc::new(resolver);
        self
    }

    /// Uses another connector.
    #[must_use]
    pub fn with_connector(mut self, connector: impl Connector + 'static) -> Self {
        self.connector = Arc::new(connector);
        self
    }

    /// Resolves and judges. Addresses that the policy refuses are left out, as long as one remains.
    pub(crate) async fn addresses(&self, target: &Target, timeout: Duration) -> Result<Vec<SocketAddr>, OpenError> {
        self.policy.check_host(&target.host, target.port)?;
        let found = self.lookup(target, timeout).await?;
        let own = if target.addresses.is_some() { self.own_addresses(target, timeout).await } else { Vec::new() };
        let family = found.into_iter().filter(|ip| target.family.is_none_or(|family| family.accepts(*ip)));
        let mut refusal = None;
        let mut allowed = Vec::new();
        for ip in family {
            let address = SocketAddr::new(ip, target.port);
            let judged = match target.addresses {
                Some(_) => {
                    self.policy.check_substitute(address, &own).and_then(|()| self.policy.check_address(address))
                }
                None => self.policy.check_address(address),
            };
            match judged {
                Ok(()) => allowed.push(address),
                Err(refused) => refusal = Some(refused),
            }
        }
        match refusal {
            Some(refusal) if allowed.is_empty() => Err(refusal.into()),
            _ if allowed.is_empty() => Err(OpenError::Resolve(target.host.clone(), "no address was found".to_owned())),
            _ => Ok(allowed),
        }
    }

    /// The addresses that a host has by itself, where the policy asks for them: where others stand in for them.
    async fn own_addresses(&self, target: &Target, timeout: Duration) -> Vec<IpAddr> {
        if !self.policy.limits_hosts() {
            return Vec::new();
        }
        // A host that cannot be resolved has no address that an allowed one could be.
        self.lookup(&Target { addresses: None, ..target.clone() }, timeout).await.unwrap_or_default()
    }

    /// The addresses of a target, not judged yet.
    pub(crate) async fn lookup(&self, target: &Target, timeout: Duration) -> Result<Vec<IpAddr>, OpenError> {
        if let Some(addresses) = &target.addresses {
            return Ok(addresses.clone());
        }
        if let Ok(address) = target.host.parse() {
            return Ok(vec![address]);
        }
        match tokio::time::timeout(timeout, self.resolver.resolve(&target.host)).await {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(error)) => Err(OpenError::Resolve(target.host.clone(), error.to_string())),
            Err(_) => Err(OpenError::Timeout("resolving the name", timeout)),
        }
    }

    pub(crate) fn policy(&self) -> &NetworkPolicy {
        &self.policy
    }

    /// Opens a connection within `timeout`: the addresses are tried in order.
    pub(crate) async fn open(&self, target: &Target, timeout: Duration) -> Result<Opened, OpenError> {
        let begin = Instant::now();
        let addresses = self.addresses(target, timeout).await?;
        let dns = begin.elapsed();
        let mut last = None;
        for (index, address) in addresses.iter().enumerate() {
            let remaining = timeout.saturating_sub(begin.elapsed());
            let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
            // A silent address leaves time for the others.
            let share = if others > 1 { remaining / 2 } else { remaining };
            match tokio::time::timeout(share, self.connector.connect(*address)).await {
                Ok(Ok(stream)) => {
                    let connect = begin.elapsed().saturating_sub(dns);
                    return Ok(Opened { stream, address: *address, dns, connect });
                }
                Ok(Err(error)) => last = Some(OpenError::Connect(*address, error.to_string())),
                Err(_) => last = Some(OpenError::Timeout("connecting", timeout)),
            }
        }
        Err(last.unwrap_or(OpenError::Timeout("connecting", timeout)))
    }
}

/// Where a connection goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Addresses that stand in for the resolver's.
    pub(crate) addresses: Option<Vec<IpAddr>>,
    pub(crate) family: Option<Family>,
}

/// A version of IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    fn accepts(self, ip: IpAddr) -> bool {
        ip.is_ipv4() == (self == Self::V4)
    }
}

pub(crate) struct Opened {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) address: SocketAddr,
    pub(crate) dns: Duration,
    pub(crate) connect: Duration,
}

/// Why no connection was opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("the network policy refuses the connection: {0}")]
    Refused(#[from] Refusal),
    #[error("could not resolve host: {0} ({1})")]
    Resolve(String, String),
    #[error("could not connect to {0}: {1}")]
    Connect(SocketAddr, String),
    #[error("{0} took longer than {1:?}")]
    Timeout(&'static str, Duration),
}
