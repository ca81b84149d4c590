//! One request and its response over a connection.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;

use super::HttpError;
use super::connection::{Connection, HttpVersion, describe};
use super::headers::{Headers, decode};

/// A request as it goes out.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) method: Method,
    /// `host` or `host:port`, as the URL has it.
    pub(super) authority: String,
    pub(super) is_https: bool,
    pub(super) path_and_query: String,
    /// With `Host`, which HTTP/2 sends as `:authority`.
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    pub(super) version: HttpVersion,
}

impl Outgoing {
    fn request(&self, is_http2: bool) -> Result<Request<Full<Bytes>>, HttpError> {
        let invalid = |what: &str, error: &dyn std::fmt::Display| {
            HttpError::connection(format!("the {what} can not be sent: {error}"))
        };
        let uri = if is_http2 {
            let scheme = if self.is_https { "https" } else { "http" };
            let authority = self.headers.first("Host").unwrap_or(&self.authority);
            format!("{scheme}://{authority}{}", self.path_and_query)
        } else {
            self.path_and_query.clone()
        };
        let uri: Uri = uri.parse().map_err(|error| invalid("URL", &error))?;
        let version = if self.version == HttpVersion::Http10 { http::Version::HTTP_10 } else { http::Version::HTTP_11 };
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = if is_http2 { http::Version::HTTP_2 } else { version };
        for (name, value) in self.headers.iter() {
            // HTTP/2 has no headers about the connection (RFC 9113, 8.2.2).
            let is_of_connection = ["host", "connection", "transfer-encoding", "keep-alive", "upgrade"];
            if is_http2 && is_of_connection.iter().any(|other| name.eq_ignore_ascii_case(other)) {
                continue;
            }
            let header = HeaderName::from_bytes(name.as_bytes()).map_err(|error| invalid("header name", &error))?;
            let value = HeaderValue::from_bytes(value.as_bytes())
                .map_err(|error| invalid(&format!("value of the header {name}"), &error))?;
            request.headers_mut().append(header, value);
        }
        Ok(request)
    }
}

/// What came back.
pub(super) struct Exchanged {
    pub(super) version: &'static str,
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    pub(super) first_byte: Duration,
}

/// The limits of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyLimits {
    pub(super) max_bytes: u64,
    /// Bytes per second.
    pub(super) rate: Option<u64>,
}

/// A failure, and whether the head of a response had come before it.
pub(super) struct ExchangeFailed {
    pub(super) error: HttpError,
    pub(super) was_answered: bool,
}

pub(super) async fn exchange(
    connection: &mut Connection,
    outgoing: &Outgoing,
    limits: BodyLimits,
) -> Result<Exchanged, ExchangeFailed> {
    let failed = |was_answered| move |error| ExchangeFailed { error, was_answered };
    let request = outgoing.request(connection.is_http2()).map_err(failed(false))?;
    let begin = Instant::now();
    if let Some(rate) = limits.rate {
        tokio::time::sleep(at_rate(outgoing.body.len() as u64, rate)).await;
    }
    let response = connection.send(request).await.map_err(failed(false))?;
    let first_byte = begin.elapsed();
    let version = match response.version() {
        http::Version::HTTP_2 => "HTTP/2",
        http::Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    };
    let mut headers = Headers::default();
    for (name, value) in response.headers() {
        headers.push(name.as_str(), decode(value.as_bytes()));
    }
    let status = response.status().as_u16();
    let body = collect(response.into_body(), limits).await.map_err(failed(true))?;
    Ok(Exchanged { version, status, headers, body, first_byte })
}

async fn collect(mut body: Incoming, limits: BodyLimits) -> Result<Bytes, HttpError> {
    let begin = Instant::now();
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| HttpError::connection(describe(&error)))?;
        if let Ok(data) = frame.into_data() {
            collected.extend_from_slice(&data);
        }
        let length = collected.len() as u64;
        if length > limits.max_bytes {
            let limit = limits.max_bytes;
            return Err(HttpError::connection(format!("exceeded the maximum allowed response size ({limit} bytes)")));
        }
        if let Some(rate) = limits.rate {
            tokio::time::sleep(at_rate(length, rate).saturating_sub(begin.elapsed())).await;
        }
    }
    Ok(collected.freeze())
}

/// How long so many bytes take at a rate.
fn at_rate(bytes: u64, rate: u64) -> Duration {
    Duration::from_millis(bytes.saturating_mul(1000) / rate.max(1))
}
