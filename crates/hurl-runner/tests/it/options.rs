//! Options of entries, and the bounds of a run.

use std::time::{Duration, Instant};

use stagegate_hurl_runner::{EntryOutcome, HurlFile, run_files};

use crate::server::Server;
use crate::support::{failures, options, passes, run, run_with};

#[tokio::test]
async fn retries_until_it_passes() {
    let server = Server::start().await;
    let source = "GET {{base}}/flaky/3\n[Options]\nretry: 5\nretry-interval: 10ms\nHTTP 200\n";
    let report = passes(&server.base, source).await;
    let outcomes: Vec<_> = report.entries.iter().map(|entry| entry.outcome).collect();
    assert_eq!(outcomes, [EntryOutcome::Retried, EntryOutcome::Retried, EntryOutcome::Passed]);
    let report = run(&server.base, "GET {{base}}/status/500\n[Options]\nretry: 2\nretry-interval: 1\nHTTP 200\n").await;
    assert_eq!((report.passed, report.entries.len()), (false, 3));
}

#[tokio::test]
async fn repeats_skips_delays_and_defines_variables() {
    let server = Server::start().await;
    let begin = Instant::now();
    let source = "GET {{base}}/echo?{{q}}\n[Options]\nvariable: q=a\nrepeat: 3\ndelay: 20ms\nHTTP 200\n\
        GET {{base}}/status/500\n[Options]\nskip: true\nHTTP 200\n\
        GET {{base}}/status/500\n[Options]\nrepeat: 0\nHTTP 200\n\
        GET {{base}}/echo?{{q}}\n[Options]\nverbose: true\ncompressed: {{yes}}\nHTTP 200\n";
    let mut options = options();
    options.variables.set("yes", true);
    let report = run_with(&server.base, source, options).await;
    assert!(report.passed, "{:?}", failures(&report));
    assert!(begin.elapsed() >= Duration::from_millis(60));
    let outcomes: Vec<_> = report.entries.iter().map(|entry| (entry.entry, entry.outcome)).collect();
    let (passed, skipped) = (EntryOutcome::Passed, EntryOutcome::Skipped);
    assert_eq!(outcomes, [(1, passed), (1, passed), (1, passed), (2, skipped), (3, skipped), (4, passed)]);
    let seen = server.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[3].headers["accept-encoding"], "gzip, deflate, br");
}

#[tokio::test]
async fn connections_go_elsewhere() {
    let server = Server::start().await;
    let port = server.port;
    for (url, option) in [
        (format!("http://name.invalid:{port}/echo"), format!("resolve: name.invalid:{port}:127.0.0.1")),
        ("http://name.invalid/echo".to_owned(), format!("connect-to: name.invalid:80:127.0.0.1:{port}")),
        ("http://name.invalid/echo".to_owned(), format!("connect-to: ::127.0.0.1:{port}")),
    ] {
        passes(&server.base, &format!("GET {url}\n[Options]\n{option}\nHTTP 200\n")).await;
        assert!(server.last().headers["host"].to_str().unwrap().starts_with("name.invalid"));
    }
    for option in ["resolve: x", "resolve: a:80:name", "connect-to: a:b", "aws-sigv4: osc:osc", "tls-min: 2"] {
        let report = run(&server.base, &format!("GET {{{{base}}}}/echo\n[Options]\n{option}\nHTTP 200\n")).await;
        assert_eq!(report.entries[0].failures[0].title, "Invalid option value", "{option}");
        assert_eq!(report.entries[0].failures[0].line, 3);
    }
}

#[tokio::test]
async fn headers_are_added_and_taken_away() {
    let server = Server::start().await;
    let source = "GET {{base}}/a/../echo\nX-A: 1\n[Options]\nheader: X-B: 2\nno-header: X-A\nno-header: Accept\n\
        path-as-is: true\nuser: u:p\nHTTP 404\n";
    passes(&server.base, source).await;
    let seen = server.last();
    assert!(!seen.headers.contains_key("x-a") && !seen.headers.contains_key("accept"));
    assert_eq!(seen.headers["x-b"], "2");
    assert_eq!(seen.headers["authorization"], "Basic dTpw");
    assert!(seen.head.starts_with("GET /a/../echo "), "{}", seen.head);
}

#[tokio::test]
async fn time_is_bounded() {
    let server = Server::start().await;
    let report = run(&server.base, "GET {{base}}/slow/5000\n[Options]\nmax-time: 50ms\nHTTP 200\n").await;
    assert_eq!(failures(&report), ["1: HTTP connection: operation timed out after 50ms"]);
    // 0 is no limit but the deadline.
    passes(&server.base, "GET {{base}}/slow/20\n[Options]\nmax-time: 0\nconnect-timeout: 0\nHTTP 200\n").await;
    for source in [
        "GET {{base}}/slow/5000\nHTTP 200\n",
        "GET {{base}}/echo\n[Options]\ndelay: 1h\nHTTP 200\n",
        "GET {{base}}/status/500\n[Options]\nretry: -1\nretry-interval: 20ms\nHTTP 200\n",
        "GET {{base}}/echo\n[Options]\nrepeat: -1\ndelay: 20ms\nHTTP 200\n",
    ] {
        let begin = Instant::now();
        let mut options = options();
        options.deadline = begin + Duration::from_millis(200);
        let report = run_with(&server.base, source, options).await;
        assert!(!report.passed, "{source}");
        assert!(begin.elapsed() < Duration::from_secs(3), "{source}");
    }
}

#[tokio::test]
async fn sizes_and_runs_are_bounded() {
    let server = Server::start().await;
    let mut small = options();
    small.limits.max_body_bytes = 3;
    let report = run_with(&server.base, "GET {{base}}/echo\nHTTP 200\n", small).await;
    assert_eq!(failures(&report), ["1: HTTP connection: exceeded the maximum allowed response size (3 bytes)"]);
    let mut few = options();
    few.limits.max_runs = 5;
    let report = run_with(&server.base, "GET {{base}}/echo\n[Options]\nrepeat: -1\nHTTP 200\n", few).await;
    assert_eq!(failures(&report), ["1: Too many runs: the file runs more than 5 entries"]);
    let mut headers = options();
    headers.limits.max_headers = 2;
    let report = run_with(&server.base, "GET {{base}}/cookies\nHTTP 200\n", headers).await;
    assert!(!report.passed);
    let mut short = options();
    short.limits.max_report_text = 10;
    let report = run_with(&server.base, "GET {{base}}/json\nHTTP 200\n[Asserts]\nbody == \"x\"\n", short).await;
    assert_eq!(report.entries[0].failures[0].actual.as_deref(), Some("string <{\"…"));
}

#[tokio::test]
async fn files_run_side_by_side_within_a_bound() {
    let server = Server::start().await;
    let source = format!("GET {}/slow/100\nHTTP 200\n", server.base);
    let files: Vec<_> = (0..8).map(|n| HurlFile::parse(&format!("{n}.hurl"), source.as_bytes()).unwrap()).collect();
    let begin = Instant::now();
    let reports = run_files(&files, 4, &options()).await;
    // Two rounds of 100 ms, and never one after the other.
    assert!(begin.elapsed() >= Duration::from_millis(200) && begin.elapsed() < Duration::from_millis(700));
    let names: Vec<_> = reports.iter().map(|report| report.file.clone()).collect();
    assert_eq!(names, ["0.hurl", "1.hurl", "2.hurl", "3.hurl", "4.hurl", "5.hurl", "6.hurl", "7.hurl"]);
    assert!(reports.iter().all(|report| report.passed));
}
