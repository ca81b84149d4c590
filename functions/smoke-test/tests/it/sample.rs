//! One sample: what runs, what is found, what is never said.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use smoke_test::{Conditions, Sample, Suite, from_folder, judge, junit, outbound, run, variables};
use stagegate_config::{Config, SmokeGate};
use stagegate_verdict::{Execution, Outcome, Verdict};

use crate::server::Server;

const LOOPBACK: &str = "network: {allow_networks: [127.0.0.1]}";

fn gate(rules: &str) -> SmokeGate {
    let text = format!("gates: {{g: {{{rules}}}}}");
    Config::parse("stagegate.yaml", &text).unwrap().gate("g").unwrap().smoke().unwrap().clone()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

async fn sampled(policy: &SmokeGate, root: &Path, server: &Server) -> (Suite, Sample, Verdict) {
    let suite = Suite::new(policy, from_folder(policy, root).unwrap());
    let base = stagegate_config::smoke::VariableValue::Text(server.base.clone());
    let secrets = policy.secrets.keys().map(|name| (name.clone(), "s3cr3t".to_owned())).collect();
    let deadline = Instant::now() + policy.timeout.map_or(Duration::from_secs(60), |timeout| timeout.as_duration());
    let conditions = Conditions {
        outbound: outbound(&policy.network).unwrap(),
        variables: variables(&policy.variables, &BTreeMap::from([("base".to_owned(), base)]), &secrets),
        parallel: policy.parallel(),
        request_timeout: policy.request_timeout.map(|timeout| timeout.as_duration()),
        retry: policy.retry,
        deadline,
        always_deadline: deadline + Duration::from_secs(60),
    };
    let sample = run(&suite, &conditions, |_| {}).await;
    let verdict = judge("g", &suite, &sample, Execution::default()).build(Timestamp::UNIX_EPOCH);
    (suite, sample, verdict)
}

/// Whether a report has tests that passed and none that did not.
fn passes(xml: &str) -> bool {
    let mut summary = test_report::Summary::default();
    let format = Some(test_report::Format::JUnit);
    let read = test_report::read_report("junit", xml.as_bytes(), format, &test_report::Limits::default(), &mut summary);
    let tests = summary.tests();
    read.is_ok() && tests.passed > 0 && tests.failed + tests.errored == 0
}

const GOOD: &str = "GET {{base}}/good\nHTTP 200\n[Asserts]\nbody == \"body\"\n";
const BAD: &str =
    "GET {{base}}/good\nHTTP 200\n\n# The second one.\nGET {{base}}/missing\nHTTP 200\n\nGET {{base}}/good\nHTTP 200\n";

/// Everything but `/missing` is there; `/flaky` is from its third request on, `/often` fails one time in ten.
fn answers(number: usize, path: &str) -> Option<u16> {
    Some(match path {
        "/missing" => 404,
        "/flaky" if number < 2 => 503,
        "/often" if number % 10 == 3 => 500,
        _ => 200,
    })
}

#[tokio::test]
async fn what_fails_is_named_with_its_place() {
    let port_of_nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let closed = format!("checks: [{{tcp: '127.0.0.1:{port_of_nobody}'}}]");
    for (files, rules, outcome, words) in [
        (
            vec![("a.hurl", GOOD)],
            "hurl: ['*.hurl']".to_owned(),
            Outcome::Passed,
            vec!["1 smoke test: 1 passed; 1 request"],
        ),
        (
            vec![("smoke/a.hurl", BAD), ("smoke/b.hurl", GOOD)],
            "hurl: ['smoke/*.hurl']".to_owned(),
            Outcome::Failed,
            vec![
                "smoke/a.hurl:5: GET http://127.0.0.1:",
                "/missing → 404 in ",
                "Assert status code (line 6): actual 404, expected 200",
                "1 entries after it were not run",
            ],
        ),
        (
            vec![("a.txt", "")],
            "hurl: ['*.hurl']".to_owned(),
            Outcome::Failed,
            vec!["matches \"*.hurl\", so nothing was tested"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/\nHTTP 200\n[Asserts]\nnonsense\n"), ("b.hurl", GOOD)],
            "hurl: ['*.hurl']".to_owned(),
            Outcome::Failed,
            vec!["the file cannot be run: a.hurl:4:"],
        ),
        (
            vec![("a.hurl", "# nothing\n")],
            "hurl: ['*.hurl']".to_owned(),
            Outcome::Failed,
            vec!["no entry was run, so nothing was tested"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/\n[Options]\nskip: true\nHTTP 200\n")],
            "hurl: ['*.hurl']".to_owned(),
            Outcome::Failed,
            vec!["no entry was run"],
        ),
        (
            vec![("a.hurl", "GET {{nobody}}/\nHTTP 200\n")],
            "hurl: ['*.hurl']".to_owned(),
            Outcome::Failed,
            vec!["you must set the variable nobody"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/flaky\nHTTP 200\n")],
            "hurl: ['*.hurl'], retry: {attempts: 3, backoff: 1ms}".to_owned(),
            Outcome::Passed,
            vec!["1 smoke test: 1 passed"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/flaky\nHTTP 200\n")],
            "hurl: ['*.hurl'], retry: {attempts: 2, backoff: 1ms}".to_owned(),
            Outcome::Failed,
            vec!["actual 503", "(attempt 2)"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/often\nHTTP 200\n")],
            "hurl: [{files: '*.hurl', repeat: 20, error_rate: 0.2}]".to_owned(),
            Outcome::Passed,
            vec!["1 passed; 20 requests"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/often\nHTTP 200\n")],
            "hurl: [{files: '*.hurl', repeat: 20, error_rate: 0.2, degraded: {error_rate: 0.05}}]".to_owned(),
            Outcome::Inconclusive,
            vec!["2 of 20"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/often\nHTTP 200\n")],
            "hurl: [{files: '*.hurl', repeat: 20, error_rate: 0.05}]".to_owned(),
            Outcome::Failed,
            vec!["2 of 20 samples failed"],
        ),
        (
            vec![],
            "checks: [{http: '{{base}}/good'}, {http: '{{base}}/missing', status: 404}]".to_owned(),
            Outcome::Passed,
            vec!["2 passed; 2 requests"],
        ),
        (vec![], "checks: [{http: '{{base}}/missing'}]".to_owned(), Outcome::Failed, vec!["actual 404, expected 200"]),
        (
            vec![],
            "checks: [{tcp: '{{nobody}}:1'}]".to_owned(),
            Outcome::Failed,
            vec!["you must set the variable nobody"],
        ),
        (vec![], closed, Outcome::Failed, vec!["could not connect to 127.0.0.1:"]),
        (
            vec![("a.hurl", BAD), ("z/clean.hurl", GOOD)],
            "hurl: ['**/*.hurl'], always: ['z/*.hurl']".to_owned(),
            Outcome::Failed,
            vec!["a.hurl:5: GET"],
        ),
        (
            vec![("a.hurl", GOOD), ("z/clean.hurl", BAD)],
            "hurl: ['*.hurl'], always: ['z/*.hurl']".to_owned(),
            Outcome::Inconclusive,
            vec!["the clean-up did not succeed: z/clean.hurl:5"],
        ),
        (
            vec![("a.hurl", GOOD)],
            "hurl: ['*.hurl', 'more/*.hurl']".to_owned(),
            Outcome::Failed,
            vec!["matches \"more/*.hurl\", so nothing was tested by it"],
        ),
        (
            vec![("a.hurl", "GET {{base}}/good\n[Options]\ndelay: 60000\nHTTP 200\n")],
            "hurl: ['*.hurl'], timeout: 200ms".to_owned(),
            Outcome::Failed,
            vec!["Time is up"],
        ),
    ] {
        let server = Server::start(answers).await;
        let folder = folder(&files);
        let policy = gate(&format!("{rules}, {LOOPBACK}"));
        let (suite, sample, verdict) = sampled(&policy, folder.path(), &server).await;
        let text = format!("{}\n{}", verdict.summary(), verdict.failure_message());
        assert_eq!(verdict.outcome(), outcome, "{rules}: {text}");
        let figures = verdict.checks().unwrap();
        assert_eq!(figures.total, figures.passed + figures.degraded + figures.failed, "{rules}");
        for word in words {
            assert!(text.contains(word), "{rules} lacks {word:?}: {text}");
        }
        // A test gate that judges the JUnit report comes to the same.
        let xml = junit("g", &suite, &sample);
        assert_eq!(passes(&xml), outcome == Outcome::Passed, "{rules}: {xml}");
    }
}

#[tokio::test]
async fn the_clean_up_runs_whatever_happened() {
    let server = Server::start(answers).await;
    let folder = folder(&[("a.hurl", BAD), ("z/clean.hurl", "DELETE {{base}}/clean\nHTTP 200\n")]);
    let policy = gate(&format!("hurl: ['*.hurl'], always: ['z/*.hurl'], {LOOPBACK}"));
    sampled(&policy, folder.path(), &server).await;
    assert_eq!(server.seen.lock().unwrap().last().map(String::as_str), Some("/clean"));
}

#[tokio::test]
async fn loopback_is_refused_unless_the_policy_opens_it() {
    let server = Server::start(answers).await;
    let folder = folder(&[("a.hurl", GOOD)]);
    for rules in ["hurl: [a.hurl]", "checks: [{tcp: '127.0.0.1:PORT'}]", "checks: [{http: '{{base}}/'}]"] {
        let policy = gate(&rules.replace("PORT", &server.port.to_string()));
        let (_, _, verdict) = sampled(&policy, folder.path(), &server).await;
        assert_eq!(verdict.outcome(), Outcome::Failed);
        assert!(verdict.summary().contains("is a loopback address"), "{rules}: {}", verdict.summary());
    }
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn a_secret_is_in_nothing_that_leaves() {
    let server = Server::start(answers).await;
    let text = "GET {{base}}/missing?token={{token}}\nAuthorization: Bearer {{token}}\nHTTP 200\n";
    let folder = folder(&[("a.hurl", text)]);
    let rules = format!(
        "hurl: [a.hurl], checks: [{{http: '{{{{base}}}}/missing?t={{{{token}}}}'}}, {{tcp: '{{{{token}}}}:x'}}], secrets: {{token: /x}}, {LOOPBACK}"
    );
    let policy = gate(&rules);
    let (suite, sample, verdict) = sampled(&policy, folder.path(), &server).await;
    assert!(server.seen.lock().unwrap().iter().any(|uri| uri.contains("s3cr3t")), "the secret is used");
    let all = [
        serde_json::to_string(&verdict).unwrap(),
        verdict.to_markdown(),
        verdict.to_junit(),
        verdict.failure_message(),
        format!("{:?}", verdict.output_variables()),
        junit("g", &suite, &sample),
        format!("{sample:?}"),
    ];
    for text in all {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    assert!(verdict.failure_message().contains("token=***"));
}

#[tokio::test]
async fn files_run_at_once_within_the_bound() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    // Each request is held until all that may run at a time are there, so that a smaller number would never end.
    for parallel in [1, 3] {
        let most = Arc::new(AtomicUsize::new(0));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (now, seen) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&most));
        let gathered = Arc::new(tokio::sync::Barrier::new(parallel));
        let app = axum::Router::new().fallback(async move || {
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            gathered.wait().await;
            now.fetch_sub(1, Ordering::SeqCst);
            "body"
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        let files: Vec<_> = (0..6).map(|number| format!("{number}.hurl")).collect();
        let files: Vec<_> = files.iter().map(|name| (name.as_str(), "GET {{base}}/\nHTTP 200\n")).collect();
        let folder = folder(&files);
        let policy = gate(&format!("hurl: ['*.hurl'], parallel: {parallel}, {LOOPBACK}"));
        let server = Server { base, port: 0, seen: Arc::default() };
        let (_, sample, verdict) = sampled(&policy, folder.path(), &server).await;
        assert_eq!(verdict.outcome(), Outcome::Passed, "{}", verdict.failure_message());
        assert_eq!(most.load(Ordering::SeqCst), parallel);
        let names: Vec<_> = sample.units.iter().map(|unit| unit.name.as_str()).collect();
        assert_eq!(names, ["0.hurl", "1.hurl", "2.hurl", "3.hurl", "4.hurl", "5.hurl"]);
    }
}
