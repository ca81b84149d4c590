//! Opens connections, to addresses that were judged.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use stagegate_network_policy::{NetworkPolicy, normalized};
use tokio::net::TcpStream;
use tower_service::Service;

/// How long one address has to take a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Opens connections under a policy, where there is one. Without TLS, to this machine only.
#[derive(Clone, Debug, Default)]
pub(crate) struct Connector {
    pub(crate) policy: Option<Arc<NetworkPolicy>>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let policy = self.policy.clone();
        Box::pin(async move { connect(&uri, policy.as_deref()).await.map(TokioIo::new) })
    }
}

async fn connect(uri: &Uri, policy: Option<&NetworkPolicy>) -> io::Result<TcpStream> {
    let is_secure = uri.scheme_str() == Some("https");
    let host = normalized(uri.host().unwrap_or_default());
    let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
    if let Some(policy) = policy {
        policy.check_host(&host, port).map_err(io::Error::other)?;
    }
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), port)).await?.collect();
    let mut last = io::Error::other("its name stands for no address");
    for address in addresses {
        if let Err(refusal) = policy.map_or(Ok(()), |policy| policy.check_address(address)) {
            last = io::Error::other(refusal);
            continue;
        }
        if !is_secure && !address.ip().to_canonical().is_loopback() {
            last = io::Error::other("only https leaves this machine");
            continue;
        }
        match tokio::time::timeout(CONNECT_WITHIN, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::new(io::ErrorKind::TimedOut, "no connection within 5 s"),
        }
    }
    Err(last)
}
