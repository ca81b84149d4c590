//! Checks without HTTP: whether a port answers, what TLS shows, and what a name resolves to; and thresholds over
//! repeated checks. Connections go through the same policy as those of Hurl files.

mod sample;
mod tls;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub use sample::{DegradedFrom, InvalidThresholds, Judgement, Sample, State, Thresholds, judge, repeat};
pub use tls::{TlsExpectation, TlsSeen, tls};

use crate::outbound::{OpenError, Outbound, Target};
use crate::report::{TimingsReport, micros};

/// What a check without HTTP found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeReport {
    /// What was checked: `tcp db.internal:5432`.
    pub check: String,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not as expected, for people.
    pub failures: Vec<String>,
    /// The addresses: of the connection, or all that a name has.
    pub addresses: Vec<IpAddr>,
    /// What a server showed in the TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<TlsSeen>,
    /// How long it took; phases that a check does not have are 0.
    pub timings: TimingsReport,
}

impl ProbeReport {
    fn new(check: String) -> Self {
        Self {
            check,
            passed: true,
            failures: Vec::new(),
            addresses: Vec::new(),
            tls: None,
            timings: TimingsReport::default(),
        }
    }

    fn fail(&mut self, failure: impl Into<String>) {
        self.passed = false;
        self.failures.push(failure.into());
    }

    fn finished(mut self, begin: Instant) -> Self {
        self.timings.total_us = micros(begin.elapsed());
        self
    }
}

/// Opens a connection to a port, within `timeout`, and closes it again.
pub async fn tcp(outbound: &Outbound, host: &str, port: u16, timeout: Duration) -> ProbeReport {
    let begin = Instant::now();
    let mut report = ProbeReport::new(format!("tcp {host}:{port}"));
    match outbound.open(&target(host, port), timeout).await {
        Ok(opened) => {
            report.addresses.push(opened.address.ip());
            report.timings.dns_us = micros(opened.dns);
            report.timings.connect_us = micros(opened.connect);
        }
        Err(error) => report.fail(error.to_string()),
    }
    report.finished(begin)
}

/// Resolves a name within `timeout`. Every address in `expected` must be among those found; with `exact`, no other may
/// be. Without `expected`, one address is enough. Nothing is connected to, so only the hosts of the policy count, and
/// not its addresses.
pub async fn dns(outbound: &Outbound, host: &str, expected: &[IpAddr], exact: bool, timeout: Duration) -> ProbeReport {
    let begin = Instant::now();
    let mut report = ProbeReport::new(format!("dns {host}"));
    match outbound.resolve(&target(host, 0), timeout).await {
        Ok(addresses) => {
            let mut addresses = addresses;
            addresses.sort_unstable();
            addresses.dedup();
            for missing in expected.iter().filter(|address| !addresses.contains(address)) {
                report.fail(format!("{host} does not resolve to {missing}"));
            }
            for other in addresses.iter().filter(|address| exact && !expected.contains(address)) {
                report.fail(format!("{host} resolves to {other}, which is not expected"));
            }
            report.addresses = addresses;
        }
        Err(error) => report.fail(error.to_string()),
    }
    if report.passed && report.addresses.is_empty() {
        report.fail(format!("{host} has no address"));
    }
    report.timings.dns_us = micros(begin.elapsed());
    report.finished(begin)
}

fn target(host: &str, port: u16) -> Target {
    Target { host: stagegate_network_policy::normalized(host), port, addresses: None, family: None }
}

impl Outbound {
    /// The addresses of a name, without judging them.
    async fn resolve(&self, target: &Target, timeout: Duration) -> Result<Vec<IpAddr>, OpenError> {
        self.policy().check_name(&target.host)?;
        self.lookup(target, timeout).await
    }
}
