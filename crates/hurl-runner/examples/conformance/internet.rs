//! Stands in for the two hosts on the internet that files of the suite ask.
//!
//! Their names get public addresses, and connections to these addresses lead to a server in this process. Everything
//! else is resolved and connected to by the system.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use stagegate_hurl_runner::{Connector, Outbound, Resolver, Stream, System};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Name and address; the suite asserts on the second one.
const HOSTS: [(&str, Ipv4Addr); 2] =
    [("google.com", Ipv4Addr::new(203, 0, 113, 80)), ("hurl.dev", Ipv4Addr::new(145, 239, 78, 213))];

/// The server and how to get to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Internet {
    server: SocketAddr,
}

impl Internet {
    /// Starts the server with a certificate and its key, both in PEM.
    pub(crate) async fn start(certificate: &Path, key: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let chain = vec![CertificateDer::from_pem_file(certificate)?];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = builder.with_no_client_auth().with_single_cert(chain, PrivateKeyDer::from_pem_file(key)?)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let server = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(acceptor.clone(), stream));
            }
        });
        Ok(Self { server })
    }

    pub(crate) fn reached_by(self, outbound: Outbound) -> Outbound {
        outbound.with_resolver(self).with_connector(self)
    }
}

/// Answers one request in the version in which it came, as both hosts do.
async fn answer(acceptor: TlsAcceptor, stream: TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(acceptor.accept(stream).await?);
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut line = first.clone();
    while line.trim_end() != "" {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    let version = if first.trim_end().ends_with("HTTP/1.0") { "HTTP/1.0" } else { "HTTP/1.1" };
    stream.write_all(format!("{version} 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    stream.shutdown().await
}

#[async_trait]
impl Resolver for Internet {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match HOSTS.iter().find(|(name, _)| *name == host) {
            Some((_, address)) => Ok(vec![IpAddr::V4(*address)]),
            None => System.resolve(host).await,
        }
    }
}

#[async_trait]
impl Connector for Internet {
    async fn connect(&self, address: SocketAddr) -> io::Result<Box<dyn Stream>> {
        let is_host = HOSTS.iter().any(|(_, host)| IpAddr::V4(*host) == address.ip());
        System.connect(if is_host { self.server } else { address }).await
    }
}
