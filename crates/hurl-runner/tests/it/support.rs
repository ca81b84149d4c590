//! What the tests have in common.

use std::time::{Duration, Instant};

use stagegate_hurl_runner::{FileReport, HurlFile, NetworkPolicy, Outbound, RunOptions, run_file};

/// Options that may reach loopback and nothing else that is refused by default.
pub(crate) fn options() -> RunOptions {
    let policy = NetworkPolicy::new().allow_network("127.0.0.0/8".parse().unwrap());
    RunOptions::new(Outbound::new(policy), Instant::now() + Duration::from_secs(20))
}

/// Runs a file in which `{{base}}` is the server.
pub(crate) async fn run_with(base: &str, source: &str, mut options: RunOptions) -> FileReport {
    options.variables.set("base", base);
    let file = HurlFile::parse("test.hurl", source.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    run_file(&file, &options).await
}

pub(crate) async fn run(base: &str, source: &str) -> FileReport {
    run_with(base, source, options()).await
}

/// The failures of a report, each with its line, for a comparison.
pub(crate) fn failures(report: &FileReport) -> Vec<String> {
    let failures = report.failed().flat_map(|entry| &entry.failures);
    failures.map(|failure| format!("{}: {}: {}", failure.line, failure.title, failure.message)).collect()
}

/// Runs a file that must pass.
pub(crate) async fn passes(base: &str, source: &str) -> FileReport {
    let report = run(base, source).await;
    assert!(report.passed, "{source}\n{:#?}", failures(&report));
    report
}
