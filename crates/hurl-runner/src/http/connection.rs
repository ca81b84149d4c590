//! A connection that requests can be sent over.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::HttpError;
use super::certificate::Certificate;
use super::tls::{self, TlsOptions};
use crate::outbound::{Outbound, Stream, Target};

/// The version of HTTP that a request asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum HttpVersion {
    /// HTTP/2 where TLS negotiates it, else HTTP/1.1.
    #[default]
    Negotiated,
    Http10,
    Http11,
    /// HTTP/2 without negotiation.
    Http2PriorKnowledge,
}

/// What a connection is opened with, and may be used again for.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) target: Target,
    /// The name that the server proves to have; `None` without TLS.
    pub(super) tls: Option<(String, TlsOptions)>,
    pub(super) version: HttpVersion,
}

pub(super) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

pub(super) struct Connection {
    pub(super) sender: Sender,
    pub(super) ip: IpAddr,
    pub(super) certificate: Option<Arc<Certificate>>,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// How long the phases before a request took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Phases {
    pub(super) dns: Duration,
    pub(super) connect: Duration,
    pub(super) tls: Duration,
}

/// The limits of a response's head.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadLimits {
    pub(super) max_headers: usize,
    pub(super) max_bytes: usize,
}

impl Connection {
    /// Opens a connection within `timeout`.
    pub(super) async fn open(
        outbound: &Outbound,
        key: &Key,
        timeout: Duration,
        limits: HeadLimits,
    ) -> Result<(Self, Phases), HttpError> {
        let begin = Instant::now();
        let opened = outbound.open(&key.target, timeout).await;
        let opened = opened.map_err(|error| HttpError::connection(error.to_string()))?;
        let mut phases = Phases { dns: opened.dns, connect: opened.connect, tls: Duration::ZERO };
        let ip = opened.address.ip();
        let Some((name, options)) = &key.tls else {
            let is_http2 = key.version == HttpVersion::Http2PriorKnowledge;
            return Ok((Self::handshake(opened.stream, ip, None, is_http2, limits).await?, phases));
        };
        let tls_begin = Instant::now();
        let remaining = timeout.saturating_sub(begin.elapsed());
        let alpn: &[&str] = match key.version {
            HttpVersion::Negotiated => &["h2", "http/1.1"],
            HttpVersion::Http10 => &["http/1.0"],
            HttpVersion::Http11 => &["http/1.1"],
            HttpVersion::Http2PriorKnowledge => &["h2"],
        };
        let stream = encrypt(opened.stream, name, options, alpn, remaining).await?;
        phases.tls = tls_begin.elapsed();
        let session = stream.get_ref().1;
        let is_http2 = session.alpn_protocol() == Some(b"h2") || key.version == HttpVersion::Http2PriorKnowledge;
        let leaf = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = leaf.and_then(|leaf| Certificate::parse(leaf)).map(Arc::new);
        Ok((Self::handshake(stream, ip, certificate, is_http2, limits).await?, phases))
    }

    async fn handshake(
        stream: impl Stream + 'static,
        ip: IpAddr,
        certificate: Option<Arc<Certificate>>,
        is_http2: bool,
        limits: HeadLimits,
    ) -> Result<Self, HttpError> {
        let io = TokioIo::new(stream);
        let failed = |error: hyper::Error| HttpError::connection(describe(&error));
        if is_http2 {
            let max_bytes = u32::try_from(limits.max_bytes).unwrap_or(u32::MAX);
            let mut builder = http2::Builder::new(TokioExecutor::new());
            let (sender, connection) = builder.max_header_list_size(max_bytes).handshake(io).await.map_err(failed)?;
            let driver = tokio::spawn(async move {
                // The fault of a connection shows in the request that it carries.
                let _ = connection.await;
            });
            return Ok(Self { sender: Sender::Http2(sender), ip, certificate, driver });
        }
        let mut builder = http1::Builder::new();
        builder.title_case_headers(true).max_headers(limits.max_headers).max_buf_size(limits.max_bytes.max(8192));
        let (sender, connection) = builder.handshake(io).await.map_err(failed)?;
        let driver = tokio::spawn(async move {
            // The fault of a connection shows in the request that it carries.
            let _ = connection.await;
        });
        Ok(Self { sender: Sender::Http1(sender), ip, certificate, driver })
    }

    /// Whether another request can be sent.
    pub(super) async fn is_reusable(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => !sender.is_closed() && sender.ready().await.is_ok(),
            Sender::Http2(sender) => !sender.is_closed() && sender.ready().await.is_ok(),
        }
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self.sender, Sender::Http2(_))
    }

    pub(super) async fn send(
        &mut self,
        request: http::Request<Full<Bytes>>,
    ) -> Result<http::Response<Incoming>, HttpError> {
        let sent = match &mut self.sender {
            Sender::Http1(sender) => sender.send_request(request).await,
            Sender::Http2(sender) => sender.send_request(request).await,
        };
        sent.map_err(|error| HttpError::connection(describe(&error)))
    }
}

/// How a failure begins in which the two sides did not agree.
const TLS_PROBLEM: &str = "SSL connection problem";

/// How a failure begins in which the server said that it does not speak the version.
pub(crate) const VERSION_REFUSED: &str = "SSL connection problem, the server refuses the version";

/// Shakes hands over an open connection.
pub(crate) async fn encrypt(
    stream: Box<dyn Stream>,
    name: &str,
    options: &TlsOptions,
    alpn: &[&str],
    timeout: Duration,
) -> Result<TlsStream<Box<dyn Stream>>, HttpError> {
    let config = tls::config(options, alpn).map_err(HttpError::connection)?;
    let server = ServerName::try_from(name.to_owned());
    let server = server.map_err(|_| HttpError::connection(format!("{name} is not a name that TLS can verify")))?;
    match tokio::time::timeout(timeout, TlsConnector::from(config).connect(server, stream)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => {
            let problem = if refuses_version(&error) { VERSION_REFUSED } else { TLS_PROBLEM };
            Err(HttpError::connection(format!("{problem}: {error}")))
        }
        Err(_) => Err(HttpError::connection(format!("the TLS handshake took longer than {timeout:?}"))),
    }
}

fn refuses_version(error: &std::io::Error) -> bool {
    let error = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>());
    error == Some(&rustls::Error::AlertReceived(rustls::AlertDescription::ProtocolVersion))
}

/// An error with its causes, which say more than itself.
pub(super) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}
