//! Looks over time, each in an invocation of its own, with the state in the continuation token.

use stagegate_local_codepipeline::engine::ExecutionStatus;
use stagegate_verdict::Outcome;

use crate::world::{Ended, World, parameters};

const STEADY: &str =
    "alarms: {names: [web-5xx]}\nsampling: {every: 30s, green_for: 2m, failure_limit: 2, give_up_after: 20m}";

fn check(ended: &Ended, outcome: Outcome, parts: &[&str]) {
    let passed = outcome == Outcome::Passed;
    let expected = if passed { ExecutionStatus::Succeeded } else { ExecutionStatus::Failed };
    assert_eq!(ended.status, expected, "{ended:?}");
    assert_eq!(ended.code, if passed { "" } else { "JobFailed" }, "{ended:?}");
    assert_eq!(ended.verdict.as_ref().map(|verdict| verdict.outcome()), Some(outcome), "{ended:?}");
    for part in parts {
        assert!(ended.message.contains(part), "lacks {part:?}: {ended:?}");
    }
}

#[tokio::test]
async fn steady_green_passes_after_its_time() {
    let world = World::new(STEADY, &[], None).await;
    world.alarm("web-5xx", "OK");
    let before = world.clock.now();
    let ended = world.run(&parameters()).await;
    check(&ended, Outcome::Passed, &["web passed"]);
    let verdict = ended.verdict.unwrap();
    assert!(verdict.at().duration_since(before).as_secs() >= 120, "{verdict:?}");
    let rules: Vec<_> = verdict.findings().iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["alarms", "sampling"]);
    assert!(verdict.findings()[1].message.contains("green for"), "{verdict:?}");
    // A look asks CloudWatch once, and the answers of all but the last were "go on". How many of them there are in two
    // minutes depends on the machine, for which a minute is a second.
    let looks = world.calls("cloudwatch", "DescribeAlarms");
    assert!(looks >= 2, "{looks}");
    assert_eq!(world.calls("codepipeline", "PutJobFailureResult"), 0);
    assert!(world.calls("codepipeline", "PutJobSuccessResult") >= looks);
    world.aws.shutdown().await;
}

#[tokio::test]
async fn one_red_restarts_the_time() {
    let world = World::new(STEADY, &[], None).await;
    world.alarm("web-5xx", "OK");
    let id = world.start(&parameters()).await;
    world.says(&id, "green for").await;
    world.alarm("web-5xx", "ALARM");
    world.says(&id, "1 with a failed measurement").await;
    let red = world.clock.now();
    world.alarm("web-5xx", "OK");
    let ended = world.end(&id).await;
    check(&ended, Outcome::Passed, &[]);
    assert!(ended.verdict.unwrap().at().duration_since(red).as_secs() >= 120);
    world.aws.shutdown().await;
}

#[tokio::test]
async fn too_many_failures_fail() {
    let world = World::new(STEADY, &[], None).await;
    world.alarm("web-5xx", "ALARM");
    let ended = world.run(&parameters()).await;
    check(
        &ended,
        Outcome::Failed,
        &["the alarm web-5xx is in ALARM: the test says so", "more than 2 samples held a failed measurement"],
    );
    world.aws.shutdown().await;
}

#[tokio::test]
async fn errors_in_measuring_ask_a_person() {
    // Nothing listens there, and that says nothing about the release.
    let keys = "probes: [{url: 'http://127.0.0.1:1/', jsonpath: $.ready, predicate: == true, network: {allow_networks: [127.0.0.1]}}]\n\
        sampling: {every: 30s, error_limit: 1, give_up_after: 20m}\notherwise: fail";
    let world = World::new(keys, &[], None).await;
    let ended = world.run(&parameters()).await;
    let parts = [
        "inconclusive, a person must look",
        "more than 1 samples in a row could not be measured",
        "http://127.0.0.1:1/",
    ];
    check(&ended, Outcome::Inconclusive, &parts);
    world.aws.shutdown().await;
}

#[tokio::test]
async fn a_gate_that_gives_up_fails_or_asks() {
    for (otherwise, outcome) in [("fail", Outcome::Failed), ("ask", Outcome::Inconclusive)] {
        let keys = format!(
            "windows: [{{days: [sat], zone: Europe/Berlin}}]\nalarms: {{names: [gone]}}\nsampling: {{every: 1m, give_up_after: 2m}}\notherwise: {otherwise}"
        );
        let world = World::new(&keys, &[], None).await;
        let ended = world.run(&parameters()).await;
        let parts = [
            "no change window is open at Wed 2026-11-25 13:",
            "it is open again at Sat 2026-11-28 00:00 Europe/Berlin",
            "gave up after 2m",
        ];
        check(&ended, outcome, &parts);
        // While the window is closed, nothing else is looked at.
        assert_eq!(world.calls("cloudwatch", "DescribeAlarms"), 0);
        world.aws.shutdown().await;
    }
}

#[tokio::test]
async fn the_first_look_waits_for_the_delay() {
    let keys = "alarms: {names: [web-5xx]}\nsampling: {delay: 2m, give_up_after: 20m}";
    let world = World::new(keys, &[], None).await;
    world.alarm("web-5xx", "OK");
    let before = world.clock.now();
    let id = world.start(&parameters()).await;
    world.says(&id, "the first look is due at Wed 2026-11-25 12:").await;
    let ended = world.end(&id).await;
    check(&ended, Outcome::Passed, &[]);
    assert!(ended.verdict.unwrap().at().duration_since(before).as_secs() >= 120);
    assert_eq!(world.calls("cloudwatch", "DescribeAlarms"), 1);
    world.aws.shutdown().await;
}
