//! Connections, and one request on one of them.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::aws_lc_rs;
use stagegate_network_policy::NetworkPolicy;
use url::{Host, Url};

use crate::connector::Connector;
use crate::{Answer, Call, Failure};

/// A connection is not used again after so long without use: a function may have been frozen, and the server have hung up.
const IDLE: Duration = Duration::from_secs(20);

/// Connections. Make one client when the function starts and keep it: clones share the connections.
#[derive(Clone)]
pub struct HttpClient {
    secure: Arc<OnceLock<Client<HttpsConnector<Connector>, Full<Bytes>>>>,
    loopback: Client<Connector, Full<Bytes>>,
    connector: Connector,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient {
    /// No connection yet; not even the certificates of the system are read. For URLs that this program or its owner
    /// chooses.
    pub fn new() -> Self {
        Self::with(Connector::default())
    }

    /// The same, for URLs whose names others can make to resolve to anything: every address is judged.
    pub fn guarded(policy: NetworkPolicy) -> Self {
        Self::with(Connector { policy: Some(Arc::new(policy)) })
    }

    fn with(connector: Connector) -> Self {
        Self { secure: Arc::default(), loopback: client(connector.clone()), connector }
    }

    /// Reads the certificates of the system, so that the first request does not have to.
    ///
    /// # Errors
    ///
    /// If there are none. Reads after "failed to".
    pub fn warm(&self) -> Result<(), String> {
        self.secure().map(|_| ())
    }

    fn secure(&self) -> Result<&Client<HttpsConnector<Connector>, Full<Bytes>>, String> {
        if let Some(client) = self.secure.get() {
            return Ok(client);
        }
        let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(aws_lc_rs::default_provider());
        let builder = builder.map_err(|error| format!("read the certificates of the system: {error}"))?;
        let connector = builder.https_only().enable_http1().wrap_connector(self.connector.clone());
        Ok(self.secure.get_or_init(|| client(connector)))
    }

    /// Sends a request once.
    ///
    /// # Errors
    ///
    /// If there is no answer within the time.
    pub async fn attempt(&self, call: &Call, within: Duration) -> Result<Answer, Failure> {
        let answer = tokio::time::timeout(within, self.exchange(call)).await;
        answer.unwrap_or_else(|_| Err(Failure::Unanswered(format!("nothing within {:.1} s", within.as_secs_f64()))))
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, Failure> {
        let request = call.request().map_err(|error| Failure::Unreachable(error.to_string()))?;
        let response = if call.url.scheme() == "https" {
            let client = self.secure().map_err(|error| Failure::Unreachable(format!("failed to {error}")))?;
            client.request(request).await
        } else if is_loopback(&call.url) {
            self.loopback.request(request).await
        } else {
            return Err(Failure::Forbidden("only https leaves this machine".to_owned()));
        };
        Ok(Answer::read(response.map_err(|error| Failure::of(&error))?).await)
    }
}

fn client<C>(connector: C) -> Client<C, Full<Bytes>>
where
    C: Connect + Clone,
{
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).pool_max_idle_per_host(4).build(connector)
}

/// Whether an address of this machine stands there. A name that only resolves to one is not enough.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
