//! What a server shows in a TLS handshake.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{ProbeReport, target};
use crate::http::certificate::Certificate;
use crate::http::connection::{VERSION_REFUSED, encrypt};
use crate::http::tls::{TlsOptions, TlsVersion};
use crate::outbound::Outbound;
use crate::report::micros;

const TLS12: &str = "TLSv1.2";
const TLS13: &str = "TLSv1.3";

/// What a TLS handshake is expected to show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsExpectation {
    /// The name that the certificate must be for, where it is not the host.
    pub server_name: Option<String>,
    /// The least number of days for which the certificate must still be valid.
    pub min_days_left: i64,
    /// Whether TLS 1.2 must be refused by the server, so that TLS 1.3 is the least.
    pub require_tls13: bool,
    /// Certificates of authorities in PEM, in place of those of the system.
    pub authorities: Option<Vec<u8>>,
}

/// What a server showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsSeen {
    /// What was agreed on: `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// The versions that the server was found to accept, oldest first. Older ones than TLS 1.2 are not offered.
    #[serde(default)]
    pub versions: Vec<String>,
    /// The subject of the server's certificate.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// The names that it is for.
    pub names: Option<String>,
    /// When it expires, in RFC 3339.
    pub expires: String,
    /// The whole days until then; negative after it.
    pub days_left: i64,
    /// The subjects of the chain as the server sent it, its own certificate first.
    pub chain: Vec<String>,
}

/// Shakes hands with a server within `timeout`: its chain must lead to an authority, be for the name and be valid.
/// Where it is not, a second handshake without verification finds out what it shows.
pub async fn tls(
    outbound: &Outbound,
    host: &str,
    port: u16,
    expectation: &TlsExpectation,
    timeout: Duration,
) -> ProbeReport {
    let begin = Instant::now();
    let mut report = ProbeReport::new(format!("tls {host}:{port}"));
    let name = expectation.server_name.as_deref().unwrap_or(host);
    let verified = TlsOptions { authorities: expectation.authorities.clone(), ..TlsOptions::default() };
    let remaining = || timeout.saturating_sub(begin.elapsed());
    let mut seen = handshake(outbound, host, port, name, &verified, remaining(), &mut report).await;
    if let Err(failure) = &seen {
        report.fail(failure.clone());
        let lenient = TlsOptions { insecure: true, ..TlsOptions::default() };
        let mut unverified = ProbeReport::new(String::new());
        seen = handshake(outbound, host, port, name, &lenient, remaining(), &mut unverified).await;
    }
    let Ok(mut shown) = seen else {
        return report.finished(begin);
    };
    if shown.days_left < expectation.min_days_left {
        report.fail(format!(
            "the certificate is valid for {} more days (until {}), and at least {} are expected",
            shown.days_left, shown.expires, expectation.min_days_left
        ));
    }
    let tls12 =
        if shown.version == TLS12 { Ok(true) } else { accepts_tls12(outbound, host, port, name, remaining()).await };
    if tls12 == Ok(true) && shown.version != TLS12 {
        shown.versions.insert(0, TLS12.to_owned());
    }
    match tls12 {
        Ok(true) if expectation.require_tls13 => {
            report.fail("the server accepts TLS 1.2, and at least TLS 1.3 is expected");
        }
        Err(reason) if expectation.require_tls13 => {
            report.fail(format!("whether the server accepts TLS 1.2 could not be found out: {reason}"));
        }
        _ => {}
    }
    report.tls = Some(shown);
    report.finished(begin)
}

/// Offers TLS 1.2 and nothing newer. Only the alert that the version is not spoken is a refusal: a connection that is
/// reset, or one whose ciphers are not taken, does not show that TLS 1.2 is never accepted.
async fn accepts_tls12(
    outbound: &Outbound,
    host: &str,
    port: u16,
    name: &str,
    timeout: Duration,
) -> Result<bool, String> {
    let old = TlsOptions { insecure: true, max: Some(TlsVersion::Tls12), ..TlsOptions::default() };
    let mut ignored = ProbeReport::new(String::new());
    match handshake(outbound, host, port, name, &old, timeout, &mut ignored).await {
        Ok(_) => Ok(true),
        Err(reason) if reason.starts_with(VERSION_REFUSED) => Ok(false),
        Err(reason) => Err(reason),
    }
}

/// One handshake; its phases and address are noted in `report`.
async fn handshake(
    outbound: &Outbound,
    host: &str,
    port: u16,
    name: &str,
    options: &TlsOptions,
    timeout: Duration,
    report: &mut ProbeReport,
) -> Result<TlsSeen, String> {
    let begin = Instant::now();
    let opened = outbound.open(&target(host, port), timeout).await.map_err(|error| error.to_string())?;
    report.addresses.push(opened.address.ip());
    report.timings.dns_us = micros(opened.dns);
    report.timings.connect_us = micros(opened.connect);
    let handshake_begin = Instant::now();
    let remaining = timeout.saturating_sub(begin.elapsed());
    let name = stagegate_network_policy::normalized(name);
    let stream = encrypt(opened.stream, &name, options, &["h2", "http/1.1"], remaining).await;
    let stream = stream.map_err(|error| error.message)?;
    report.timings.tls_us = micros(handshake_begin.elapsed());
    let session = stream.get_ref().1;
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => TLS13,
        _ => TLS12,
    };
    let chain = session.peer_certificates().unwrap_or_default().iter();
    let chain: Vec<Certificate> = chain.filter_map(|certificate| Certificate::parse(certificate)).collect();
    let leaf = chain.first().ok_or("the certificate of the server can not be read")?;
    let now: DateTime<Utc> = std::time::SystemTime::now().into();
    Ok(TlsSeen {
        version: version.to_owned(),
        versions: vec![version.to_owned()],
        subject: leaf.subject.clone(),
        issuer: leaf.issuer.clone(),
        names: leaf.subject_alt_name.clone(),
        expires: leaf.expire_date.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        days_left: leaf.expire_date.signed_duration_since(now).num_days(),
        chain: chain.iter().map(|certificate| certificate.subject.clone()).collect(),
    })
}
