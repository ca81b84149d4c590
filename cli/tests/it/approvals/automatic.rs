//! A release gate answers in people's place.

use serde_json::{Value, json};
use stagegate_local_aws::Options;
use stagegate_local_clock::Clock;

use super::world::{ADA, ANYBODY, BEN, RELEASES, World, pipeline};

/// Green for a minute, looked at each half of one.
const GATE: &str =
    "web-release: {alarms: {names: [web-5xx]}, sampling: {every: 30s, green_for: 1m, give_up_after: 1h}}";

async fn world(terms: &str, gates: &str) -> World {
    World::with_gates(&format!("{ANYBODY}\nautomatic: web-release\n{terms}"), gates, |options| options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_passes_approves() {
    let world = world("quorum: 2", GATE).await;
    world.alarm("OK");
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    assert!(request.says("approves when it passes, and rejects when it fails"), "{}", world.said(RELEASES));
    world.message_in_time(RELEASES, "web-release").await;
    assert_eq!(world.status_in_time(&id).await, "Succeeded");
    let over = world.message(RELEASES, "Approved: web to Production").await;
    assert!(over.ts == request.ts && over.says("by the gate") && over.says("`web-release`"), "{over:?}");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
    let audit = &world.audits()[0]["document"];
    let decision = &audit["outcome"]["desk"]["decision"];
    assert_eq!(decision["reason"]["gate"]["gate"], "web-release");
    assert!(decision["summary"].as_str().unwrap().starts_with("Approved by the gate web-release: "), "{decision}");
    assert_eq!(audit["automatic"]["outcome"], "passed");
    // It has looked more than once: what it saw first was kept in the record.
    assert!(world.calls("DescribeAlarms") >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_fails_rejects() {
    let world = world("", "web-release: {alarms: {names: [web-5xx]}}").await;
    world.alarm("ALARM");
    let id = world.start("QUEUED", json!({})).await;
    world.request().await;
    assert_eq!(world.status_in_time(&id).await, "Failed");
    let over = world.message(RELEASES, "Rejected: web to Production").await;
    assert!(over.says("the alarm web-5xx is in ALARM: the test says so"), "{over:?}");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

/// What a gate measures of its own, the watch measures in its place, in its own role.
#[tokio::test(flavor = "multi_thread")]
async fn a_gate_with_a_metric_answers_by_what_is_measured() {
    const MEASURED: &str = "web-release: {metrics: [{name: errors, queries: {e: {namespace: Web, metric: errors, stat: Sum}}, over: 10m, max: 1}]}";
    for (errors, status, said) in
        [(0.0, "Succeeded", "Approved: web to Production"), (7.0, "Failed", "errors is 7 and should be 1 or less")]
    {
        let world = world("", MEASURED).await;
        let at = world.clock.now().as_second() - 120;
        let datum = json!({"MetricName": "errors", "Value": errors, "Timestamp": at});
        let data = json!({"Namespace": "Web", "MetricData": [datum]});
        world.aws.cloudwatch().call("PutMetricData", &data).unwrap();
        let id = world.start("QUEUED", json!({})).await;
        world.request().await;
        assert_eq!(world.status_in_time(&id).await, status, "{errors}");
        world.message(RELEASES, said).await;
        world.check_over().await;
        assert!(world.has_used("ApprovalWatch", "cloudwatch:GetMetricData"));
    }
}

/// People are asked, with what was found before them, and decide as ever; once told, they are not told again.
#[tokio::test(flavor = "multi_thread")]
async fn a_gate_that_asks_leaves_the_decision_to_people() {
    for (terms, gate, outcome) in [
        ("when_failed: ask", "web-release: {alarms: {names: [web-5xx]}}", "failed"),
        (
            "",
            "web-release: {alarms: {names: [web-5xx]}, otherwise: ask, sampling: {give_up_after: 2m}}",
            "inconclusive",
        ),
    ] {
        let world = world(terms, gate).await;
        world.alarm("ALARM");
        let id = world.start("QUEUED", json!({})).await;
        let request = world.request().await;
        let handover = world.message_in_time(RELEASES, "needs a decision of people").await;
        assert_eq!(handover.thread.as_ref(), Some(&request.ts));
        assert!(handover.says("<@U0001>") && handover.says(&format!(" {outcome}: ")), "{handover:?}");
        let asked = world.message(RELEASES, "The gate leaves the decision to people").await;
        assert!(!asked.buttons().is_empty() && asked.says("the alarm web-5xx is in ALARM"), "{asked:?}");
        world.alarm("OK");
        world.vote(ADA, &asked, "approve", "").await;
        assert_eq!(world.status_in_time(&id).await, "Succeeded");
        world.message(RELEASES, "Approved: web to Production").await;
        world.check_over().await;
        assert_eq!(world.calls("PutApprovalResult"), 1);
        assert_eq!(world.audits()[0]["document"]["automatic"]["outcome"], outcome);
        assert_eq!(world.said(RELEASES).matches("needs a decision of people.").count(), 1, "{}", world.said(RELEASES));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_may_decide_before_the_gate() {
    let world = world("", GATE).await;
    world.alarm("ALARM");
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    let waiting = world.message_in_time(RELEASES, "the alarm web-5xx is in ALARM").await;
    assert!(waiting.ts == request.ts && !waiting.buttons().is_empty());
    world.vote(BEN, &waiting, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    let over = world.message(RELEASES, "Approved: web to Production").await;
    assert!(over.says("<@U0002>") && !over.says("by the gate"), "{over:?}");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

/// What must be the same: everything but times, ids and how often was looked.
fn essence(verdict: &Value) -> Value {
    let findings = verdict["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["rule"] != "sampling");
    let findings: Vec<_> = findings
        .map(|one| json!([one["rule"], one["outcome"], one["message"], one["subjects"], one["limit"]]))
        .collect();
    json!([verdict["gate"], verdict["outcome"], verdict["pipeline"], findings])
}

/// The pipeline with the gate as an action or as a rule before the stage with the approval.
fn gated(door: &str) -> Value {
    let parameters = json!({
        "gate": "web-release", "pipeline": "web", "stage": "Production", "execution": "#{codepipeline.PipelineExecutionId}",
    });
    let configuration = json!({"FunctionName": "stagegate-release-gate", "UserParameters": parameters.to_string()});
    let mut definition = pipeline("QUEUED", json!({}));
    let mut gate = json!({"name": "Gate", "configuration": configuration});
    if door == "rule" {
        gate["ruleTypeId"] = json!({"category": "Rule", "owner": "AWS", "provider": "LambdaInvoke", "version": "1"});
        definition["stages"][1]["beforeEntry"] = json!({"conditions": [{"result": "FAIL", "rules": [gate]}]});
    } else {
        gate["actionTypeId"] = json!({"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"});
        definition["stages"].as_array_mut().unwrap().insert(1, json!({"name": "Gate", "actions": [gate]}));
    }
    definition
}

/// The release gate as an action, as a rule of a stage condition, and as the automatic answer to an approval: the same
/// evidence gives the same verdict, by a clock that runs 30 times as fast as the wall's.
#[tokio::test(flavor = "multi_thread")]
async fn action_rule_and_approval_give_the_same_verdict() {
    const STEADY: &str = "web-release: {alarms: {names: [web-5xx]}, otherwise: ask, sampling: {every: 30s, green_for: 1m, failure_limit: 0, give_up_after: LENGTH}}";
    for (state, outcome, of_action, of_approval) in [
        ("OK", "passed", None, Some("Succeeded")),
        ("ALARM", "failed", Some("Failed"), Some("Failed")),
        ("INSUFFICIENT_DATA", "inconclusive", Some("Failed"), None),
    ] {
        // Three minutes are six seconds. Where the gate is not to give up, they may be too few for a busy machine.
        let gates = STEADY.replace("LENGTH", if outcome == "inconclusive" { "3m" } else { "30m" });
        let mut essences = Vec::new();
        for door in ["action", "rule", "approval"] {
            let automatic = if door == "approval" { "automatic: web-release" } else { "" };
            let fast = |options: Options| Options { clock: Clock::scaled(30.0), ..options };
            let world = World::with_gates(&format!("{ANYBODY}\n{automatic}"), &gates, fast).await;
            world.alarm(state);
            let definition = if door == "approval" { pipeline("QUEUED", json!({})) } else { gated(door) };
            let id = world.start_pipeline(&definition).await;
            let ended = if door == "approval" { of_approval } else { of_action };
            match ended {
                Some(status) => assert_eq!(world.status(&id).await, status, "{door} {state}"),
                // The action lets the release on to people, and the approval asks them.
                None => drop(world.request().await),
            }
            world.until("the verdict", || !world.documents("verdicts").is_empty()).await;
            let verdicts = world.documents("verdicts");
            assert_eq!(verdicts.len(), 1, "{door} {state}: {verdicts:?}");
            let verdict = &verdicts[0]["document"];
            assert_eq!((&verdict["outcome"], &verdict["execution"]), (&json!(outcome), &json!(id)), "{door} {state}");
            essences.push(essence(verdict));
            world.aws.shutdown().await;
        }
        assert!(essences.windows(2).all(|pair| pair[0] == pair[1]), "{essences:#?}");
    }
}
