//! JUnit reports, read back by the reader that gates use.

use std::time::Duration;

use stagegate_hurl_runner::{HurlFile, Junit, probe, run_file};
use test_report::{CountedOnly, Limits, Outcome, Problem, Sink, Summary, TestCase, read_report};

use crate::server::Server;
use crate::support::{options, run, run_with};

/// Name and outcome of each test.
#[derive(Default)]
struct Names(Vec<(String, Outcome)>);

impl Sink for Names {
    fn case(&mut self, case: &TestCase<'_>) {
        self.0.push((case.name.to_owned(), case.outcome));
    }

    fn counted_only(&mut self, _: &CountedOnly<'_>) {}

    fn problem(&mut self, problem: Problem) {
        panic!("{problem:?}");
    }
}

fn read(xml: &str, sink: &mut dyn Sink) {
    read_report("smoke.xml", xml.as_bytes(), None, &Limits::default(), sink).unwrap_or_else(|e| panic!("{e}\n{xml}"));
}

fn summary(xml: &str) -> Summary {
    let mut summary = Summary::default();
    read(xml, &mut summary);
    assert!(summary.problems().is_empty(), "{:?}\n{xml}", summary.problems());
    summary
}

#[tokio::test]
async fn each_run_of_an_entry_is_a_test() {
    let server = Server::start().await;
    let source = "GET {{base}}/echo\n[Options]\nrepeat: 2\nHTTP 200\n\
        GET {{base}}/flaky/2\n[Options]\nretry: 3\nretry-interval: 1ms\nHTTP 200\n\
        GET {{base}}/echo\n[Options]\nskip: true\nHTTP 200\n\
        GET {{base}}/json?<\"&>\nHTTP 200\n[Asserts]\njsonpath \"$.age\" == 31\nbody == \"x\"\n\
        GET {{base}}/echo\nHTTP 200\n";
    let mut junit = Junit::new("web-smoke");
    junit.file(&run(&server.base, source).await);
    let xml = junit.finish();
    let mut names = Names::default();
    read(&xml, &mut names);
    let expected = [
        ("entry 1: GET {{base}}/echo", Outcome::Passed),
        ("entry 1: GET {{base}}/echo (2)", Outcome::Passed),
        ("entry 2: GET {{base}}/flaky/2", Outcome::Passed),
        ("entry 3: GET {{base}}/echo", Outcome::Skipped),
        ("entry 4: GET {{base}}/json?<\"&>", Outcome::Failed),
        ("entry 5", Outcome::Skipped),
    ];
    assert_eq!(names.0, expected.map(|(name, outcome)| (name.to_owned(), outcome)), "{xml}");
    let summary = summary(&xml);
    let tests = summary.tests();
    assert_eq!((tests.total, tests.passed, tests.failed, tests.skipped, tests.flaky), (6, 3, 1, 2, 0));
    for text in [
        "<testsuite name=\"test.hurl\" tests=\"6\" failures=\"1\" errors=\"0\" skipped=\"2\"",
        "classname=\"test.hurl\" name=\"entry 4: GET {{base}}/json?&lt;&quot;&amp;&gt;\" file=\"test.hurl\" line=\"14\"",
        "<failure type=\"Assert failure\" message=\"Assert failure: actual integer &lt;30&gt;, expected integer &lt;31&gt;\">",
        "   --&gt; test.hurl:17:",
        "17 | jsonpath &quot;$.age&quot; == 31",
        "   | expected: string &lt;x&gt;",
        "<property name=\"status\" value=\"200\"/>",
        "<property name=\"total_us\" value=\"",
    ] {
        assert!(xml.contains(text), "{text}\n{xml}");
    }
}

#[tokio::test]
async fn what_could_not_be_judged_is_an_error() {
    let server = Server::start().await;
    let mut junit = Junit::new("web-smoke");
    junit.file(&run(&server.base, "GET http://127.0.0.1:1/\nHTTP 200\n").await);
    junit.file(&run(&server.base, "GET {{nope}}\nHTTP 200\n").await);
    let refused = HurlFile::parse("broken.hurl", b"GET http://a\n[Options]\nntlm: true\nHTTP 200\n").unwrap_err();
    junit.refused(&refused);
    let xml = junit.finish();
    let tests = summary(&xml).tests();
    assert_eq!((tests.total, tests.passed, tests.errored), (3, 0, 3), "{xml}");
    assert!(xml.contains("broken.hurl:3:1: Unsupported option"), "{xml}");
}

#[tokio::test]
async fn probes_and_thresholds_are_tests() {
    let outbound = options().outbound;
    let timeout = Duration::from_secs(5);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let open = listener.local_addr().unwrap().port();
    let mut junit = Junit::new("web-smoke");
    let sample = |ms| probe::Sample { passed: true, duration: Duration::from_millis(ms) };
    let degraded = probe::DegradedFrom { p95: Some(Duration::from_millis(10)), error_rate: None };
    let thresholds = probe::Thresholds { repeat: 2, degraded: Some(degraded), ..Default::default() };
    for (ms, state) in [(10, probe::State::Ok), (11, probe::State::Degraded)] {
        let judgement = probe::judge(&[sample(ms), sample(ms)], &thresholds);
        assert_eq!(judgement.state, state);
        junit.judgement("tcp db:5432", &judgement);
    }
    junit.probe(&probe::tcp(&outbound, "127.0.0.1", open, timeout).await);
    junit.probe(&probe::tcp(&outbound, "169.254.169.254", 80, timeout).await);
    let xml = junit.finish();
    let tests = summary(&xml).tests();
    assert_eq!((tests.total, tests.passed, tests.failed), (4, 2, 2), "{xml}");
    for text in ["type=\"degraded\"", "is a metadata service", "<property name=\"p95_us\" value=\"11000\"/>"] {
        assert!(xml.contains(text), "{text}\n{xml}");
    }
}

#[tokio::test]
async fn no_secret_and_no_character_that_xml_lacks_gets_into_it() {
    let server = Server::start().await;
    let source = "GET {{base}}/echo?k={{key}}\nHTTP 200\n[Asserts]\nbody == \"{{key}}\\u{1}\"\nurl == \"a\"\n";
    let mut options = options();
    options.variables.set_secret("key", "s3cr3t");
    let mut junit = Junit::new("web-smoke");
    junit.file(&run_with(&server.base, source, options).await);
    let xml = junit.finish();
    assert!(!xml.contains("s3cr3t") && !xml.contains('\u{1}'), "{xml}");
    assert_eq!(summary(&xml).tests().failed, 1);
}

#[tokio::test]
async fn a_file_without_entries_adds_no_test() {
    let mut junit = Junit::new("web-smoke");
    junit.file(&run_file(&HurlFile::parse("empty.hurl", b"").unwrap(), &options()).await);
    assert!(junit.finish().contains("<testsuite name=\"empty.hurl\" tests=\"0\""));
}
