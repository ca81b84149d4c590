//! Looks against systems that answer as the test says.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::{Credentials, SharedCredentialsProvider};
use jiff::SignedDuration;
use stagegate_release::{Calendars, Looked, Override, Plan, Progress, Sources, Subject, look};
use stagegate_state_store::StateStore;
use stagegate_verdict::{Execution, Outcome, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;

use crate::{at, gate};

const NOW: &str = "2026-11-25T12:00:00Z";
const EXECUTION: &str = "7cb1f2d4";
/// What S3 says of a document that is not there, and of one that may not be read.
const MISSING: &str = "404 Not Found\r\n\r\n<Error><Code>NoSuchKey</Code><Message>none</Message></Error>";
const DENIED: &str = "403 Forbidden\r\n\r\n<Error><Code>AccessDenied</Code><Message>no</Message></Error>";

/// A server that answers when so many requests are open: `/status` with a value, everything else with `answer`.
async fn server(open: usize, answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let barrier = Arc::new(Barrier::new(open));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer_one(stream, barrier.clone(), answer));
        }
    });
    address
}

async fn answer_one(mut stream: TcpStream, barrier: Arc<Barrier>, answer: &'static str) {
    let mut request = Vec::new();
    let mut part = [0; 4096];
    let is_whole = |request: &[u8]| {
        let text = String::from_utf8_lossy(request).to_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let head = request.windows(4).position(|four| four == b"\r\n\r\n");
        head.is_some_and(|head| request.len() >= head + 4 + length.unwrap_or(0))
    };
    while !is_whole(&request) {
        match stream.read(&mut part).await {
            Ok(count) if count > 0 => request.extend_from_slice(&part[..count]),
            _ => return,
        }
    }
    barrier.wait().await;
    let answer = match request.starts_with(b"GET /status") {
        true => "200 OK\r\ncontent-type: application/json\r\n\r\n{\"ready\":true}",
        false => answer,
    };
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let answer = format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn sources(address: SocketAddr) -> Sources {
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .endpoint_url(format!("http://{address}"))
        .retry_config(RetryConfig::disabled())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("k", "s", None, None, "test")))
        .build();
    Sources::new(&sdk, Some(StateStore::new(&sdk, "state", None)))
}

fn subject(overridden: Option<Override>) -> Subject {
    let execution = Execution {
        pipeline: Some("web".to_owned()),
        stage: Some("Production".to_owned()),
        execution: Some(EXECUTION.to_owned()),
    };
    Subject { gate: "web".to_owned(), execution, overridden }
}

/// A probe of the server whose predicate holds, or does not.
fn probe(address: SocketAddr, holds: bool) -> String {
    format!(
        "{{url: 'http://{address}/status', jsonpath: $.ready, predicate: == {holds}, network: {{allow_networks: [127.0.0.1]}}}}"
    )
}

async fn looked(keys: &str, subject: &Subject, progress: Option<Progress>, sources: &Sources, seconds: i64) -> Looked {
    let plan = Plan::new(&gate(keys)).unwrap();
    let now = at(NOW) + SignedDuration::from_secs(seconds);
    Box::pin(look(&plan, subject, progress, sources, &Calendars::new(), now)).await.unwrap()
}

fn done(looked: Looked) -> Verdict {
    match looked {
        Looked::Done(verdict) => *verdict,
        Looked::Waiting { summary, .. } => panic!("it looks again: {summary}"),
    }
}

fn waiting(looked: Looked) -> (Progress, String) {
    match looked {
        Looked::Waiting { progress, summary, .. } => (progress, summary),
        Looked::Done(verdict) => panic!("it is done: {verdict:?}"),
    }
}

/// Each system is given 20 seconds, and the function a minute for all of them.
#[tokio::test]
async fn everything_is_asked_at_the_same_time() {
    // Two verdicts, two metrics, two probes, and the override.
    let address = server(7, DENIED).await;
    let metric =
        |name: &str| format!("{{name: {name}, queries: {{e: {{namespace: Web, metric: {name}, stat: Sum}}}}, max: 1}}");
    let keys = format!(
        "verdicts: [tests, smoke]\nmetrics: [{}, {}]\nprobes: [{}, {}]",
        metric("errors"),
        metric("faults"),
        probe(address, true),
        probe(address, true)
    );
    let verdict = done(looked(&keys, &subject(None), None, &sources(address), 0).await);
    assert_eq!(verdict.findings().len(), 7, "{verdict:?}");
    for finding in verdict.findings() {
        assert!(!finding.message.contains("no answer within"), "{finding:?}");
        let expected = if finding.rule == "probes" { Outcome::Passed } else { Outcome::Inconclusive };
        assert_eq!(finding.outcome, expected, "{finding:?}");
    }
}

/// Where it is not known whether somebody has overridden the gate, what is red does not fail it.
#[tokio::test]
async fn a_gate_does_not_fail_where_an_override_cannot_be_read() {
    let closed = "windows: [{days: [sat], zone: UTC}]";
    for (answer, holds, outcome) in [
        (DENIED, true, Outcome::Passed),
        (DENIED, false, Outcome::Inconclusive),
        (MISSING, true, Outcome::Passed),
        (MISSING, false, Outcome::Failed),
    ] {
        let address = server(1, answer).await;
        let probes = format!("probes: [{}]", probe(address, holds));
        let verdict = done(looked(&probes, &subject(None), None, &sources(address), 0).await);
        assert_eq!(verdict.outcome(), outcome, "{answer} {holds}: {verdict:?}");
        let unread = verdict.findings().iter().find(|finding| finding.rule == "override");
        assert_eq!(unread.is_some(), outcome == Outcome::Inconclusive, "{answer} {holds}: {verdict:?}");
        if let Some(unread) = unread {
            assert!(unread.message.contains("whether somebody has overridden the gate is not known"), "{unread:?}");
        }
        // A gate that samples counts an error in place of a failure, and goes on.
        let sampling = format!("{probes}\nsampling: {{failure_limit: 1, green_for: 2m, give_up_after: 10m}}");
        let (progress, summary) = waiting(looked(&sampling, &subject(None), None, &sources(address), 0).await);
        let counts = match (answer == DENIED, holds) {
            (_, true) => (0, 0),
            (true, false) => (0, 1),
            (false, false) => (1, 0),
        };
        assert_eq!((progress.failed(), progress.errors()), counts, "{answer} {holds}: {summary}");
        let verdict = done(looked(closed, &subject(None), None, &sources(address), 0).await);
        let expected = if answer == DENIED { Outcome::Inconclusive } else { Outcome::Failed };
        assert_eq!(verdict.outcome(), expected, "{answer}: {verdict:?}");
    }
}

/// An override that whoever asks knows of lets this look through, and no other asker's.
#[tokio::test]
async fn an_override_of_the_asker_holds_for_the_asker() {
    let given = Override {
        pipeline: "web".to_owned(),
        execution: EXECUTION.to_owned(),
        gate: "web".to_owned(),
        who: "Ada Adler (U0001)".to_owned(),
        why: "the outage".to_owned(),
        at: at(NOW),
        until: at("2026-11-25T13:00:00Z"),
    };
    for (overridden, seconds, answer, outcome) in [
        (Some(given.clone()), 0, MISSING, Outcome::Passed),
        // What is known needs no S3.
        (Some(given.clone()), 0, DENIED, Outcome::Passed),
        (Some(given.clone()), 3600, MISSING, Outcome::Failed),
        (Some(Override { gate: "other".to_owned(), ..given.clone() }), 0, MISSING, Outcome::Failed),
        (Some(Override { execution: "other".to_owned(), ..given.clone() }), 0, MISSING, Outcome::Failed),
        (None, 0, MISSING, Outcome::Failed),
    ] {
        let address = server(1, answer).await;
        let subject = subject(overridden);
        let closed = "windows: [{days: [sat], zone: UTC}]";
        let verdict = done(looked(closed, &subject, None, &sources(address), seconds).await);
        assert_eq!(verdict.outcome(), outcome, "{subject:?} {seconds}: {verdict:?}");
        // It does not wait for the next look.
        let sampling = format!("{closed}\nsampling: {{every: 10m, green_for: 20m, give_up_after: 10d}}");
        let (progress, _) = waiting(looked(&sampling, &self::subject(None), None, &sources(address), seconds).await);
        let early = looked(&sampling, &subject, Some(progress), &sources(address), seconds + 1).await;
        assert_eq!(matches!(early, Looked::Done(_)), outcome == Outcome::Passed, "{subject:?} {seconds}: {early:?}");
    }
}

#[tokio::test]
async fn a_call_before_the_next_look_says_why_it_waits() {
    let address = server(1, MISSING).await;
    let keys = "windows: [{days: [sat], zone: UTC}]\nsampling: {every: 10m, give_up_after: 10d}";
    let (progress, summary) = waiting(looked(keys, &subject(None), None, &sources(address), 0).await);
    let part = "no change window is open at Wed 2026-11-25 12:00 UTC; it is open again at Sat 2026-11-28 00:00 UTC";
    assert!(summary.contains(part), "{summary}");
    let (again, early) = waiting(looked(keys, &subject(None), Some(progress.clone()), &sources(address), 30).await);
    assert_eq!((early, again), (summary, progress.clone()));
    // What was kept by an older version has no reason.
    let mut old = serde_json::to_value(&progress).unwrap();
    old.as_object_mut().unwrap().remove("reason");
    let old = serde_json::from_value(old).unwrap();
    let (_, early) = waiting(looked(keys, &subject(None), Some(old), &sources(address), 30).await);
    assert_eq!(early, "waiting: green for 0s of 0s after 1 sample");
}
