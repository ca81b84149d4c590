//! Sends the requests of one file: with its cookies, over connections that are kept, and along redirects.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use base64::Engine as _;
use http::Method;
use url::Url;

use super::connection::{Connection, HeadLimits, HttpVersion, Key, Phases};
use super::cookies::CookieJar;
use super::exchange::{BodyLimits, Exchanged, Outgoing, exchange};
use super::headers::Headers;
use super::request::{RequestSpec, encode_params};
use super::response::Response;
use super::{HttpError, redirect, signature, url as urls};
use crate::limits::Limits;
use crate::options::{EntryOptions, Follow};
use crate::outbound::{Outbound, Target};

/// How long the phases of a call took, in whole microseconds when they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timings {
    pub(crate) dns: Duration,
    pub(crate) connect: Duration,
    pub(crate) tls: Duration,
    /// From the sending of the request to the head of the response.
    pub(crate) first_byte: Duration,
    pub(crate) total: Duration,
}

/// A request that was sent, and its response.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) response: Response,
    pub(crate) timings: Timings,
}

/// The HTTP state of one file's run.
pub(crate) struct Client {
    outbound: Outbound,
    limits: Limits,
    user_agent: String,
    pub(crate) cookies: CookieJar,
    idle: HashMap<Key, Connection>,
}

impl Client {
    pub(crate) fn new(outbound: Outbound, limits: Limits, user_agent: String) -> Self {
        Self { outbound, limits, user_agent, cookies: CookieJar::default(), idle: HashMap::new() }
    }

    /// Sends a request, and follows redirects where the options say so. The calls that were made are kept in `calls`
    /// also where a later one fails.
    pub(crate) async fn execute(
        &mut self,
        spec: &RequestSpec,
        options: &EntryOptions,
        deadline: Instant,
        calls: &mut Vec<Call>,
    ) -> Result<(), HttpError> {
        let origin = spec.url.clone();
        let mut spec = spec.clone();
        let original = spec.clone();
        let mut options = options.clone();
        let (user, option_headers) = (options.user.clone(), options.headers.clone());
        let mut redirects = 0;
        loop {
            let remaining = deadline.saturating_duration_since(Instant::now());
            let timeout = options.max_time.min(remaining);
            let call = match tokio::time::timeout(timeout, self.call(&spec, &options)).await {
                Ok(call) => call?,
                Err(_) => return Err(HttpError::connection(format!("operation timed out after {timeout:?}"))),
            };
            let next = if options.follow == Follow::No { None } else { redirect::location(&call.response)? };
            let status = call.response.status;
            calls.push(call);
            let Some(next) = next else { return Ok(()) };
            redirects += 1;
            if options.max_redirects.is_some_and(|max| redirects > max) || redirects > self.limits.max_redirects {
                return Err(HttpError::connection("too many redirect"));
            }
            let method = redirect::method(status, &spec.method);
            let keeps_body = method == spec.method;
            let mut followed = original.redirected(next.clone(), method);
            if !keeps_body || !spec.has_body() {
                followed.drop_body();
            }
            options.user.clone_from(&user);
            options.headers.clone_from(&option_headers);
            if options.follow == Follow::SameOriginCredentials && !urls::same_origin(&origin, &next) {
                followed.drop_credentials();
                options.headers.remove("Authorization");
                options.headers.remove("Cookie");
                options.user = None;
                // What is given for a machine by name is meant for it, and the default for the first one.
                if let Some(netrc) = &mut options.netrc {
                    netrc.drop_default();
                }
            }
            spec = followed;
        }
    }

    async fn call(&mut self, spec: &RequestSpec, options: &EntryOptions) -> Result<Call, HttpError> {
        let begin = Instant::now();
        let url = requested_url(spec)?;
        let outgoing = self.outgoing(spec, &url, options)?;
        let key = key(&url, options);
        let (exchanged, connection, phases) = self.exchange(&key, &outgoing, options).await?;
        let total = begin.elapsed();
        let timings = Timings {
            dns: phases.dns,
            connect: phases.connect,
            tls: phases.tls,
            first_byte: exchanged.first_byte,
            total,
        };
        let response = Response {
            version: exchanged.version,
            status: exchanged.status,
            headers: exchanged.headers,
            body: exchanged.body,
            url: url.clone(),
            ip: connection.ip,
            certificate: connection.certificate.clone(),
            duration: total,
            max_bytes: self.limits.max_body_bytes,
        };
        self.idle.insert(key, connection);
        for header in response.headers.values("Set-Cookie") {
            self.cookies.set(&url, header);
        }
        Ok(Call { method: spec.method.clone(), response, timings })
    }

    /// Sends over a kept connection or a new one. The server may have closed a kept connection in the meantime, so a
    /// request that got no answer over it is sent again over a new one, as curl does.
    async fn exchange(
        &mut self,
        key: &Key,
        outgoing: &Outgoing,
        options: &EntryOptions,
    ) -> Result<(Exchanged, Connection, Phases), HttpError> {
        let body = BodyLimits { max_bytes: self.limits.max_body_bytes, rate: options.limit_rate };
        if let Some(mut kept) = self.idle.remove(key)
            && kept.is_reusable().await
        {
            match exchange(&mut kept, outgoing, body).await {
                Ok(exchanged) => return Ok((exchanged, kept, Phases::default())),
                Err(failed) if failed.was_answered => return Err(failed.error),
                Err(_) => {}
            }
        }
        let head = HeadLimits { max_headers: self.limits.max_headers, max_bytes: self.limits.max_header_bytes };
        let (mut connection, phases) = Connection::open(&self.outbound, key, options.connect_timeout, head).await?;
        let exchanged = exchange(&mut connection, outgoing, body).await.map_err(|failed| failed.error)?;
        Ok((exchanged, connection, phases))
    }

    fn outgoing(&self, spec: &RequestSpec, url: &Url, options: &EntryOptions) -> Result<Outgoing, HttpError> {
        let (body, content_type) = spec.encoded_body();
        let mut given = spec.headers.clone();
        for (name, value) in options.headers.iter() {
            given.push(name, value);
        }
        if let Some(content_type) = content_type
            && !given.has("Content-Type")
        {
            given.push("Content-Type", content_type);
        }
        if !given.has("User-Agent") {
            given.push("User-Agent", &self.user_agent);
        }
        let is_signed = options.aws_sigv4.is_some();
        let of_host = || options.netrc.as_ref().and_then(|netrc| netrc.user(&urls::host(url)));
        if let Some(user) = options.user.clone().or_else(of_host).or_else(|| user_of(url))
            && !is_signed
            && !given.has("Authorization")
        {
            let encoded = base64::prelude::BASE64_STANDARD.encode(user);
            given.push("Authorization", format!("Basic {encoded}"));
        }
        if options.compressed && !given.has("Accept-Encoding") {
            given.push("Accept-Encoding", "gzip, deflate, br");
        }
        if let (Some(scope), Some(user)) = (&options.aws_sigv4, &options.user) {
            let host = urls::host(url);
            if !given.has("Host") {
                given.push("Host", urls::authority(url));
            }
            signature::add(scope, user, spec.method.as_str(), url.as_str(), &host, &body, &mut given)?;
        }
        for name in &options.no_headers {
            given.remove(name);
        }
        Ok(Outgoing {
            method: spec.method.clone(),
            authority: urls::authority(url),
            is_https: url.scheme() == "https",
            path_and_query: urls::path_and_query(url, &requested_text(spec), options.path_as_is),
            headers: self.in_order(spec, url, given, options),
            body,
            version: options.http_version,
        })
    }

    /// The headers in curl's order: its own first, then those that are given. An own header that is given is sent as
    /// given, once.
    fn in_order(&self, spec: &RequestSpec, url: &Url, given: Headers, options: &EntryOptions) -> Headers {
        let mut headers = Headers::default();
        let is_wanted = |name: &str| !options.no_headers.iter().any(|other| other.eq_ignore_ascii_case(name));
        if let Some(host) = given.first("Host") {
            headers.push("Host", host);
        } else if is_wanted("Host") {
            headers.push("Host", urls::authority(url));
        }
        if !given.has("Accept") && is_wanted("Accept") {
            headers.push("Accept", "*/*");
        }
        let mut cookies = self.cookies.for_url(url);
        cookies.extend(spec.cookies.iter().map(|(name, value)| format!("{name}={value}")));
        if !cookies.is_empty() && is_wanted("Cookie") {
            headers.push("Cookie", cookies.join("; "));
        }
        for (name, value) in given.iter() {
            if !name.eq_ignore_ascii_case("Host") {
                headers.push(name, value);
            }
        }
        headers
    }
}

/// The URL as it is written, with the parameters of the query section.
fn requested_text(spec: &RequestSpec) -> String {
    if spec.query.is_empty() {
        return spec.written.clone();
    }
    let written = spec.written.split('#').next().unwrap_or_default();
    let separator = if written.ends_with('?') {
        ""
    } else if written.contains('?') {
        "&"
    } else {
        "?"
    };
    format!("{written}{separator}{}", encode_params(&spec.query))
}

fn requested_url(spec: &RequestSpec) -> Result<Url, HttpError> {
    let text = requested_text(spec);
    urls::parse(&text).map_err(|reason| HttpError::new("Invalid URL", format!("invalid URL <{text}> ({reason})")))
}

/// User name and password that stand in a URL.
fn user_of(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some(format!("{}:{}", decode(url.username()), decode(url.password().unwrap_or_default())))
}

fn key(url: &Url, options: &EntryOptions) -> Key {
    let host = urls::host(url);
    let port = urls::port(url);
    let (target_host, target_port) = options
        .connect_to
        .iter()
        .find(|rule| rule.applies_to(&host, port))
        .map_or((host.clone(), port), |rule| rule.target(&host, port));
    let addresses = options
        .resolve
        .iter()
        .rev()
        .find(|rule| rule.applies_to(&target_host, target_port))
        .map(|rule| rule.addresses.clone());
    let tls = (url.scheme() == "https").then(|| (host, options.tls.clone()));
    let is_http2 = options.http_version == HttpVersion::Http2PriorKnowledge;
    let version = if tls.is_none() && !is_http2 { HttpVersion::Negotiated } else { options.http_version };
    Key { target: Target { host: target_host, port: target_port, addresses, family: options.family }, tls, version }
}
