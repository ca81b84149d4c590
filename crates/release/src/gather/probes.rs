//! Asks URLs, behind the guard on connections.

use std::time::{Duration, Instant};

use stagegate_hurl_runner::{FileReport, Limits, Outbound, RunOptions, run_file};

use crate::facts::{Known, ProbeFact, Unmeasured};
use crate::plan::ReadyProbe;

/// The most bytes of an answer.
const MAX_BODY: u64 = 1 << 20;

pub(super) async fn ask(probe: &ReadyProbe) -> Known<ProbeFact> {
    let deadline = Instant::now() + probe.timeout + Duration::from_secs(1);
    let mut options = RunOptions::new(Outbound::new(probe.network.clone()), deadline);
    options.limits = Limits {
        max_body_bytes: MAX_BODY,
        connect_timeout: probe.timeout,
        max_time: probe.timeout,
        max_report_text: 300,
        ..Limits::default()
    };
    options.user_agent = concat!("stagegate/", env!("CARGO_PKG_VERSION")).to_owned();
    let report = Box::pin(run_file(&probe.file, &options)).await;
    read(&report)
}

/// A predicate that does not hold is a measurement. Anything else that went wrong (no connection, another status, no JSON)
/// kept it from being made.
fn read(report: &FileReport) -> Known<ProbeFact> {
    if report.passed {
        return match report.requests() {
            0 => Err(Unmeasured::new("nothing was asked")),
            _ => Ok(ProbeFact::Holds),
        };
    }
    let failures = || report.entries.iter().flat_map(|entry| &entry.failures);
    match failures().find(|failure| failure.title != "Assert failure") {
        None => match failures().next() {
            Some(failure) => {
                Ok(ProbeFact::DoesNotHold { actual: failure.actual.clone(), expected: failure.expected.clone() })
            }
            None => Err(Unmeasured::new("the time was up before it was asked")),
        },
        Some(failure) => {
            let status = failure.title == "Assert status code";
            let message = failure.message.replace('\n', " ");
            let what = if status {
                format!("it answered with another status than 200: {message}")
            } else {
                format!("{}: {message}", failure.title)
            };
            Err(Unmeasured::new(what))
        }
    }
}
