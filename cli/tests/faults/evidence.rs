//! What the gates of these tests look at, and their policies.

use crate::server::Server;

pub(crate) const TEST_GATE: &str = "stagegate-test-gate";
pub(crate) const SMOKE_TEST: &str = "stagegate-smoke-test";
pub(crate) const RELEASE_GATE: &str = "stagegate-release-gate";
pub(crate) const GUARD: &str = "stagegate-job-guard";
pub(crate) const WORKER: &str = "stagegate-job-worker";

/// `stagegate.yaml`: for each function a gate that passes (`-pass`), one that fails (`-fail`), and others whose work ends
/// in no time.
pub(crate) fn config(server: &Server) -> String {
    let base = &server.base;
    let probe = format!(
        "probes: [{{url: '{base}/hang', jsonpath: $.a, predicate: == 1, network: {{allow_networks: [127.0.0.1]}}}}]"
    );
    let network = "network: {allow_networks: [127.0.0.1]}";
    format!(
        "gates:
  test-pass: {{tests: {{reports: ['pass/TEST-*.xml']}}}}
  test-fail: {{tests: {{reports: ['fail/TEST-*.xml']}}}}
  test-s3: {{tests: {{reports: ['pass/TEST-*.xml']}}}}
  test-artifact: {{tests: {{reports: ['pass/TEST-*.xml']}}}}
  test-http: {{tests: {{codebuild: {{project: web, build: 'web:1'}}}}}}
  test-cpu: {{tests: {{reports: ['cpu/TEST-*.xml']}}}}
  smoke-pass: {{hurl: [smoke/pass.hurl], {network}}}
  smoke-fail: {{hurl: [smoke/fail.hurl], {network}}}
  smoke-s3: {{hurl: [smoke/pass.hurl], {network}}}
  smoke-artifact: {{hurl: [smoke/pass.hurl], {network}}}
  smoke-cpu: {{hurl: [smoke/cpu.hurl], {network}}}
  smoke-http: {{hurl: [smoke/hang.hurl], {network}}}
  smoke-secret: {{hurl: [smoke/pass.hurl], {network}, secrets: {{token: /stagegate/smoke/missing}}}}
  release-pass: {{alarms: {{names: [green]}}}}
  release-fail: {{alarms: {{names: [red]}}}}
  release-cpu: {{calendars: [{{file: heavy.ics, zone: UTC}}]}}
  release-s3: {{verdicts: {{gates: [test-pass]}}}}
  release-http: {{{probe}}}
  release-artifact: {{calendars: [{{file: c.ics, artifact: Code, zone: UTC}}]}}
  release-steady: {{alarms: {{names: [green]}}, sampling: {{every: 30s, green_for: 2m, give_up_after: 20m}}}}
"
    )
}

/// The files of the source.
pub(crate) fn source(server: &Server) -> Vec<(&'static str, String)> {
    let base = &server.base;
    let case = |n: usize| format!(r#"<testcase classname="web" name="t{n}"/>"#);
    let passing: String = (0..20).map(case).collect();
    let failing = r#"<testcase classname="web" name="broken"><failure message="no"/></testcase>"#;
    let queries = "jsonpath \"$..[?(@.name == 'item')].a.b.c[3].d\" count == 20000\n".repeat(200);
    vec![
        ("pass/TEST-web.xml", format!("<testsuite>{passing}</testsuite>")),
        ("fail/TEST-web.xml", format!("<testsuite>{passing}{failing}</testsuite>")),
        ("smoke/pass.hurl", format!("GET {base}/ok\nHTTP 200\n")),
        ("smoke/fail.hurl", format!("GET {base}/bad\nHTTP 200\n")),
        ("smoke/hang.hurl", format!("GET {base}/hang\nHTTP 200\n")),
        ("smoke/cpu.hurl", format!("GET {base}/big\nHTTP 200\n[Asserts]\n{queries}")),
        ("c.ics", "BEGIN:VCALENDAR\nEND:VCALENDAR\n".to_owned()),
    ]
}

/// A calendar whose events take long to work out, and of which none takes place.
pub(crate) fn heavy_calendar() -> String {
    let event = |n: usize| {
        format!("BEGIN:VEVENT\nUID:{n}\nDTSTART:19900101T000000Z\nDURATION:PT1S\nRRULE:FREQ=DAILY\nEND:VEVENT\n")
    };
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", (0..5000).map(event).collect::<String>())
}

/// The files of the source with a report that is so large that it takes long to read.
pub(crate) fn heavy_artifact(server: &Server) -> Vec<u8> {
    use std::io::Write as _;
    let case = r#"<testcase classname="web.login.form" name="accepts a name and a password" time="0.01"/>"#;
    let report = format!("<testsuite>{}</testsuite>", case.repeat(1_000_000));
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (path, text) in source(server).into_iter().chain([("cpu/TEST-web.xml", report)]) {
        zip.start_file(path, stored).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
