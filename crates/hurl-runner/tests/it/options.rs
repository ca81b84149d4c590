//! Options of entries, and the bounds of a run.

use std::time::{Duration, Instant};

use stagegate_hurl_runner::{EntryOutcome, FileRoot, HurlFile, RunOptions, run_files};

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
async fn two_hundred_checks_take_four_rounds_of_fifty() {
    let server = Server::start().await;
    let source = format!("GET {}/together/50/50\nHTTP 200\n", server.base);
    let files: Vec<_> = (0..200).map(|n| HurlFile::parse(&format!("{n}.hurl"), source.as_bytes()).unwrap()).collect();
    let begin = Instant::now();
    let reports = run_files(&files, 50, &options()).await;
    let taken = begin.elapsed();
    assert!(reports.iter().all(|report| report.passed));
    // The benchmark measures it; here the machine may be busy.
    assert!(taken >= Duration::from_millis(200), "{taken:?}");
    assert_eq!(server.slow.most(), 50);
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
    let source = format!("GET {}/together/4/100\nHTTP 200\n", server.base);
    let files: Vec<_> = (0..8).map(|n| HurlFile::parse(&format!("{n}.hurl"), source.as_bytes()).unwrap()).collect();
    let begin = Instant::now();
    let reports = run_files(&files, 4, &options()).await;
    // Two rounds of 100 ms.
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(server.slow.most(), 4);
    let names: Vec<_> = reports.iter().map(|report| report.file.clone()).collect();
    assert_eq!(names, ["0.hurl", "1.hurl", "2.hurl", "3.hurl", "4.hurl", "5.hurl", "6.hurl", "7.hurl"]);
    assert!(reports.iter().all(|report| report.passed));
}

#[tokio::test]
async fn an_output_is_read_by_later_entries_and_written_nowhere() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let files = || FileRoot::new(folder.path(), 1000);
    let source = "GET {{base}}/gzip\n[Options]\noutput: raw.bin\nHTTP 200\n\
        GET {{base}}/gzip\n[Options]\ncompressed: true\noutput: {{name}}.txt\nHTTP 200\n\
        GET {{base}}/status/500\n[Options]\nretry: 1\nretry-interval: 1\noutput: out.txt\nHTTP *\n[Asserts]\nstatus == 500\n\
        GET {{base}}/echo\n[Options]\noutput: -\nHTTP 200\n\
        POST {{base}}/echo\nfile,text.txt;\nHTTP 200\n[Asserts]\nbody == \"echo\"\n\
        POST {{base}}/echo\nfile,raw.bin;\nHTTP 200\n";
    let mut with_files = RunOptions { files: files(), ..options() };
    with_files.variables.set("name", "text");
    let report = run_with(&server.base, source, with_files.clone()).await;
    assert!(report.passed, "{:?}", failures(&report));
    let bodies: Vec<String> = server.seen.lock().unwrap().iter().map(|seen| seen.body.clone()).collect();
    assert_eq!(bodies[4], "compressed");
    assert!(bodies[5].contains('\u{fffd}') && bodies[5].len() > 10, "{:?}", bodies[5]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // Another run knows nothing of it.
    let report = run_with(&server.base, "POST {{base}}/echo\nfile,text.txt;\nHTTP 200\n", with_files).await;
    assert_eq!(failures(&report), ["2: File read access: file text.txt can not be read"]);
}

#[tokio::test]
async fn an_output_that_can_not_be_kept_fails_and_is_not_tried_again() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    for (name, failure) in [
        (
            "../a.bin",
            "Unauthorized file access: unauthorized access to file ../a.bin, which is not below the file root",
        ),
        (
            "/tmp/a.bin",
            "Unauthorized file access: unauthorized access to file /tmp/a.bin, which is not below the file root",
        ),
        ("sub", "File write access: sub is a folder"),
    ] {
        let source = format!("GET {{{{base}}}}/echo\n[Options]\nretry: 3\noutput: {name}\nHTTP 200\n");
        let with_files = RunOptions { files: FileRoot::new(folder.path(), 1000), ..options() };
        let report = run_with(&server.base, &source, with_files).await;
        assert_eq!(failures(&report), [format!("4: {failure}")]);
        assert_eq!(report.entries.len(), 1);
        assert_eq!(run(&server.base, &source).await.entries[0].failures[0].title, "Unauthorized file access");
    }
    // All outputs of a file together are as long as one body may be.
    let mut small = RunOptions { files: FileRoot::new(folder.path(), 1000), ..options() };
    small.limits.max_body_bytes = 7;
    let source = "GET {{base}}/echo\n[Options]\nrepeat: 2\noutput: a\nHTTP 200\n\
        GET {{base}}/echo\n[Options]\noutput: b\nHTTP 200\n";
    let report = run_with(&server.base, source, small).await;
    assert_eq!(failures(&report), ["8: File write access: with b, the outputs would be longer than 7 bytes together"]);
}

#[tokio::test]
async fn credentials_come_from_a_netrc_file() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let netrc = "machine 127.0.0.1 login u password p4ss\ndefault login d password d4ss\n";
    std::fs::write(folder.path().join("netrc"), netrc).unwrap();
    std::fs::write(folder.path().join("broken"), "hello").unwrap();
    let run = async |source: &str| {
        let with_files = RunOptions { files: FileRoot::new(folder.path(), 1000), ..options() };
        run_with(&server.base, source, with_files).await
    };
    let authorization = || {
        let value = server.last().headers.get("authorization").cloned();
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let named = "Basic dTpwNHNz";
    let default = "Basic ZDpkNHNz";
    let at_localhost = format!("http://localhost:{}", server.port);
    for (source, expected) in [
        ("GET {{base}}/echo\n[Options]\nnetrc-file: netrc\nHTTP 200\n".to_owned(), Some(named)),
        ("GET {{base}}/echo\n[Options]\nnetrc-file: netrc\nuser: a:b\nHTTP 200\n".to_owned(), Some("Basic YTpi")),
        (format!("GET {at_localhost}/echo\n[Options]\nnetrc-file: netrc\nHTTP 200\n"), Some(default)),
        // Along a redirect to another host, a machine gets its own credentials, and no host the default ones.
        (
            format!(
                "GET {at_localhost}/redirect/302/http/127.0.0.1:{}/echo\n[Options]\nnetrc-file: netrc\nlocation: true\nHTTP 200\n",
                server.port
            ),
            Some(named),
        ),
        (
            format!(
                "GET {{{{base}}}}/redirect/302/http/localhost:{}/echo\n[Options]\nnetrc-file: netrc\nlocation: true\nHTTP 200\n",
                server.port
            ),
            None,
        ),
    ] {
        let report = run(&source).await;
        assert!(report.passed, "{source} {:?}", failures(&report));
        assert_eq!(authorization().as_deref(), expected, "{source}");
    }
    let report = run("GET {{base}}/echo\n[Options]\nnetrc-file: broken\nHTTP 200\n").await;
    assert_eq!(report.entries[0].failures[0].title, "Invalid option value");
    let report = run("GET {{base}}/echo\n[Options]\nnetrc-file: ../netrc\nHTTP 200\n").await;
    assert_eq!(report.entries[0].failures[0].title, "Unauthorized file access");
    let report = run("GET {{base}}/echo\n[Options]\nnetrc-file: netrc\nHTTP 200\n[Asserts]\nbody == \"p4ss\"\n").await;
    let text = format!("{report:?}");
    assert!(!text.contains("p4ss"), "{text}");
}
