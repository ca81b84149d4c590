//! Running one check of a policy once.

use std::time::{Duration, Instant};

use stagegate_config::smoke::{Check, CheckKind, TlsVersion, endpoint};
use stagegate_hurl_runner::probe::{self, ProbeReport, TlsExpectation};
use stagegate_hurl_runner::{FileReport, HurlFile, RunOptions, TimingsReport, run_file};

use crate::variables::filled;

/// How long one run of a check may take where it does not say.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a check found.
pub(crate) enum Checked {
    Probe(Box<ProbeReport>),
    Http(Box<FileReport>),
}

/// Runs a check within its timeout and the deadline of `options`.
pub(crate) async fn check(check: &Check, name: &str, options: &RunOptions) -> Checked {
    let timeout = check.timeout.map_or(TIMEOUT, |timeout| timeout.as_duration());
    let timeout = timeout.min(options.deadline.saturating_duration_since(Instant::now()));
    if let CheckKind::Http { url, status } = &check.kind {
        return http(name, url, *status, timeout, options).await;
    }
    match probe(&check.kind, timeout, options).await {
        Ok(mut report) => {
            report.check = options.variables.redact(&report.check);
            for failure in &mut report.failures {
                *failure = options.variables.redact(failure);
            }
            Checked::Probe(Box::new(report))
        }
        Err(reason) => Checked::Probe(Box::new(broken(name, options.variables.redact(&reason)))),
    }
}

async fn probe(kind: &CheckKind, timeout: Duration, options: &RunOptions) -> Result<ProbeReport, String> {
    let outbound = &options.outbound;
    let text = |text: &str| filled(text, &options.variables);
    match kind {
        CheckKind::Tcp { endpoint: written } => {
            let (host, port) = endpoint(&text(written)?, None)?;
            Ok(probe::tcp(outbound, &host, port, timeout).await)
        }
        CheckKind::Tls { endpoint: written, server_name, min_version, min_days_left } => {
            let (host, port) = endpoint(&text(written)?, Some(443))?;
            let expectation = TlsExpectation {
                server_name: server_name.as_deref().map(text).transpose()?,
                min_days_left: i64::from(*min_days_left),
                require_tls13: *min_version == TlsVersion::Tls13,
                authorities: None,
            };
            Ok(probe::tls(outbound, &host, port, &expectation, timeout).await)
        }
        CheckKind::Dns { name, addresses, exact } => {
            Ok(probe::dns(outbound, &text(name)?, addresses, *exact, timeout).await)
        }
        CheckKind::Http { .. } => Err("a check of HTTP is no probe".to_owned()),
    }
}

/// A URL is asked as a Hurl file would ask it, so that variables, the guard and the report are the same.
async fn http(name: &str, url: &str, status: u16, timeout: Duration, options: &RunOptions) -> Checked {
    let source = format!("GET {url}\nHTTP {status}\n");
    let mut options = options.clone();
    options.limits.max_time = timeout;
    options.limits.connect_timeout = options.limits.connect_timeout.min(timeout);
    match HurlFile::parse(name, source.as_bytes()) {
        Ok(file) => {
            let mut report = run_file(&file, &options).await;
            report.file = options.variables.redact(&report.file);
            Checked::Http(Box::new(report))
        }
        Err(error) => Checked::Probe(Box::new(broken(name, options.variables.redact(&error.to_string())))),
    }
}

fn broken(name: &str, reason: String) -> ProbeReport {
    ProbeReport {
        check: name.to_owned(),
        passed: false,
        failures: vec![reason],
        addresses: Vec::new(),
        tls: None,
        timings: TimingsReport::default(),
    }
}
