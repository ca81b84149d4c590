//! One look: every condition over the wire, and what is wrong with a call or a policy.

use axum::Router;
use axum::routing::get;
use jiff::SignedDuration;
use serde_json::{Value, json};
use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_verdict::Outcome;

use crate::world::{World, changing, parameters};

/// A server that says how it is.
async fn status_page() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let json = |body: &'static str| get(move || async move { ([("content-type", "application/json")], body) });
    let router = Router::new()
        .route("/good", json(r#"{"canary":{"error_rate":0.004}}"#))
        .route("/bad", json(r#"{"canary":{"error_rate":0.2}}"#))
        .route("/none", json("{}"))
        .route("/html", get(async || "<html>"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn probe(url: &str) -> String {
    format!(
        "probes: [{{url: '{url}', jsonpath: $.canary.error_rate, predicate: < 0.01, network: {{allow_networks: [127.0.0.1]}}}}]"
    )
}

#[tokio::test]
async fn conditions_are_measured_where_they_are() {
    let page = status_page().await;
    let metric = "metrics: [{name: error rate, queries: {e: {namespace: Web, metric: errors, stat: Sum}, r: {namespace: Web, metric: requests, stat: Sum}}, \
        expression: 100 * e / r, over: 10m, max: 1}]";
    let christmas = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nSUMMARY:thanksgiving\nDTSTART;VALUE=DATE:20261125\nEND:VEVENT\nEND:VCALENDAR\n";
    let in_artifact = "calendars: [{file: c.ics, artifact: Source, zone: UTC}]";
    for (keys, files, outcome, part) in [
        ("alarms: {names: [ok]}".to_owned(), vec![], Outcome::Passed, "web passed"),
        ("alarms: {names: [red]}".to_owned(), vec![], Outcome::Failed, "the alarm red is in ALARM"),
        ("alarms: {names: [gone]}".to_owned(), vec![], Outcome::Failed, "there is no alarm gone"),
        ("alarms: {names: [ok], ok_for: 1h}\notherwise: ask".to_owned(), vec![], Outcome::Inconclusive, "OK for"),
        (metric.to_owned(), vec![], Outcome::Passed, "web passed"),
        (
            metric.replace("max: 1}", "max: 0.1}"),
            vec![],
            Outcome::Failed,
            "error rate is 0.5 and should be 0.1 or less",
        ),
        // Where there was no error, there is no value of errors.
        (metric.replace("metric: errors", "metric: none"), vec![], Outcome::Failed, "error rate has no value yet"),
        (
            metric.replace("metric: errors", "metric: none").replace("100 * e / r", "'100 * FILL(e, 0) / r'"),
            vec![],
            Outcome::Passed,
            "web passed",
        ),
        (metric.replace("Web", "Nobody"), vec![], Outcome::Failed, "error rate has no value yet"),
        (metric.replace("100 *", "NOPE(r) *"), vec![], Outcome::Inconclusive, "CloudWatch refused GetMetricData"),
        (probe(&format!("{page}/good")), vec![], Outcome::Passed, "web passed"),
        (probe(&format!("{page}/bad")), vec![], Outcome::Failed, "does not hold: it is"),
        (probe(&format!("{page}/none")), vec![], Outcome::Failed, "does not hold"),
        (probe(&format!("{page}/html")), vec![], Outcome::Inconclusive, "not a valid JSON"),
        (probe(&format!("{page}/404")), vec![], Outcome::Inconclusive, "another status than 200"),
        // Without the network in the policy, this machine is not to be reached.
        (
            probe(&format!("{page}/good")).replace(", network: {allow_networks: [127.0.0.1]}", ""),
            vec![],
            Outcome::Inconclusive,
            "loopback",
        ),
        ("soak: {stage: Source, for: 1ms}".to_owned(), vec![], Outcome::Passed, "web passed"),
        ("soak: {stage: Source, for: 3h}".to_owned(), vec![], Outcome::Failed, "the stage Source succeeded"),
        ("soak: {stage: Nowhere, for: 1s}".to_owned(), vec![], Outcome::Failed, "the stage Nowhere has no action"),
        ("windows: [{days: [wed], zone: UTC}]".to_owned(), vec![], Outcome::Passed, "web passed"),
        (
            "calendars: [{file: c.ics, zone: UTC}]".to_owned(),
            vec![("c.ics", christmas)],
            Outcome::Failed,
            "thanksgiving",
        ),
        (
            "calendars: [{file: c.ics, zone: UTC, except: {pipelines: [w*]}}]".to_owned(),
            vec![("c.ics", christmas)],
            Outcome::Passed,
            "web passed",
        ),
        (
            "calendars: [{file: c.ics, zone: UTC, except: {variables: {kind: hotfix}}}]".to_owned(),
            vec![("c.ics", christmas)],
            Outcome::Passed,
            "web passed",
        ),
        (
            "calendars: [{file: c.ics, zone: UTC, except: {variables: {kind: other}}}]".to_owned(),
            vec![("c.ics", christmas)],
            Outcome::Failed,
            "thanksgiving",
        ),
        (
            "calendars: [{file: c.ics, zone: UTC}]".to_owned(),
            vec![("c.ics", "BEGIN:VCALENDAR")],
            Outcome::Inconclusive,
            "is it complete?",
        ),
        (
            "calendars: [{file: c.ics, zone: UTC}]".to_owned(),
            vec![],
            Outcome::Inconclusive,
            "the calendar c.ics cannot be read",
        ),
        (in_artifact.to_owned(), vec![("source/c.ics", christmas)], Outcome::Failed, "thanksgiving"),
        (in_artifact.to_owned(), vec![], Outcome::Inconclusive, "the artifact Source has no file c.ics"),
    ] {
        let world = World::new(&keys, &files, None).await;
        world.alarm("ok", "OK");
        world.alarm("red", "ALARM");
        let now = world.clock.now().as_second();
        let datum = |name: &str, value: f64| json!({"MetricName": name, "Value": value, "Timestamp": now - 120});
        let data = json!({"Namespace": "Web", "MetricData": [datum("errors", 5.0), datum("requests", 1000.0)]});
        world.aws.cloudwatch().call("PutMetricData", &data).unwrap();
        let ended = world.run(&parameters()).await;
        assert_eq!(ended.verdict.as_ref().map(|verdict| verdict.outcome()), Some(outcome), "{keys}: {ended:?}");
        assert!(ended.message.contains(part), "{keys}: {ended:?}");
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn verdicts_of_other_gates_are_read_from_the_state() {
    let keys =
        "verdicts: {gates: [web-tests], max_age: 2h}\nsampling: {every: 30s, failure_limit: 0, give_up_after: 30m}";
    for (given, outcome, part) in [
        (Outcome::Passed, Outcome::Passed, "web passed"),
        (Outcome::Failed, Outcome::Failed, "the gate web-tests is failed: 3 of 9 tests"),
        (Outcome::Inconclusive, Outcome::Failed, "the gate web-tests is inconclusive"),
    ] {
        let world = World::new(keys, &[], None).await;
        let id = world.start(&parameters()).await;
        world.says(&id, "the gate web-tests has given no verdict about this execution yet").await;
        world.verdict("web-tests", "of-another-execution", Outcome::Passed).await;
        world.verdict("web-tests", &id, given).await;
        let ended = world.end(&id).await;
        assert_eq!(ended.verdict.as_ref().map(|verdict| verdict.outcome()), Some(outcome), "{ended:?}");
        assert!(ended.message.contains(part), "{ended:?}");
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn an_override_lets_its_execution_through_and_no_other() {
    let keys = "alarms: {names: [red]}\nsampling: {every: 30s, give_up_after: 30m}";
    let world = World::new(keys, &[], None).await;
    world.alarm("red", "ALARM");
    let id = world.start(&parameters()).await;
    world.says(&id, "the alarm red is in ALARM").await;
    // For another gate, for another execution, and one that is over: none of these counts.
    world.give_override(&id, "other", SignedDuration::from_hours(1)).await;
    world.give_override("another", "web", SignedDuration::from_hours(1)).await;
    world.give_override(&id, "web", SignedDuration::ZERO).await;
    world.says(&id, "2 with a failed measurement").await;
    world.give_override(&id, "web", SignedDuration::from_hours(1)).await;
    let ended = world.end(&id).await;
    assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    assert!(ended.message.contains("erin has overridden the gate until"), "{ended:?}");
    let verdict = ended.verdict.unwrap();
    let red = verdict.findings().iter().find(|finding| finding.rule == "alarms").unwrap();
    assert!(red.shadow && red.outcome == Outcome::Failed, "{verdict:?}");
    world.aws.shutdown().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said_at_once() {
    let verdicts = "verdicts: [web-tests]";
    for (keys, parameters, part) in [
        (verdicts, json!({"gate": "web"}), "nothing says which execution this is"),
        (verdicts, json!({"gate": "wob"}), "did you mean \"web\"?"),
        (verdicts, json!({"gate": "web", "build": "b"}), "build"),
        (
            "soak: {stage: Source, for: 1m}",
            json!({"gate": "web", "execution": "x"}),
            "nothing says which pipeline this is",
        ),
        (
            "tests: {reports: [a.xml]}",
            parameters(),
            "it judges reports, so name it in an action of the function test-gate",
        ),
        ("windows: [{days: [mo], zone: UTC}]", parameters(), "did you mean \"mon\"?"),
        (
            "calendars: [{file: c.ics, artifact: Other, zone: UTC}]",
            parameters(),
            "the action has no input artifact Other",
        ),
        (
            "probes: [{url: 'https://a.b/', jsonpath: '$.[', predicate: exists}]",
            parameters(),
            "its `jsonpath` cannot be read",
        ),
    ] {
        let world = World::new(keys, &[], None).await;
        let ended = world.run(&parameters).await;
        assert_eq!(ended.code, "ConfigurationError", "{keys}: {ended:?}");
        assert!(ended.message.contains(part), "{keys}: {ended:?}");
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn a_token_that_is_none_of_ours_is_refused() {
    let keys = "alarms: {names: [ok]}";
    let change = |mut event: Value| {
        event["CodePipeline.job"]["data"]["continuationToken"] = json!("made up");
        event
    };
    let world = World::new(keys, &[], changing(change)).await;
    world.alarm("ok", "OK");
    let ended = world.run(&parameters()).await;
    assert_eq!((ended.status, ended.verdict.is_none()), (ExecutionStatus::Failed, true), "{ended:?}");
    assert!(ended.message.contains("token"), "{ended:?}");
    world.aws.shutdown().await;
}
