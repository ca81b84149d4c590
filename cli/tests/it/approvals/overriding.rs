//! Somebody lets an execution through the gate that would not answer.

use serde_json::json;

use super::world::{ADA, ANYBODY, BEN, CORA, RELEASES, World, config, pipeline};

/// Ben and those of Cora's domain may override it; it waits for ever.
const GATE: &str = "web-release: {alarms: {names: [web-5xx]}, sampling: {every: 30s, give_up_after: 30d}, overriders: {users: [U0002]}}";

#[tokio::test(flavor = "multi_thread")]
async fn an_override_in_slack_lets_one_execution_through() {
    let terms = format!("{ANYBODY}\nquorum: 3\nautomatic: web-release\nauthor_may_approve: false");
    let world = World::patient(&config(&terms, GATE)).await;
    world.alarm("ALARM");
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    // An approver is not one of those who may override.
    for user in [ADA, CORA] {
        let told = world.refused(user, &request, "override", "You cannot override the gate").await;
        assert!(told.says("you are not one of those who may override its gate"));
        assert!(world.slack.look(|state| state.modal(user).is_none()), "{user} sees a modal");
    }
    world.click(BEN, &request, "override").await;
    world.slack.submit(BEN, &[]).await.expect_err("a reason is needed");
    let why = [("comment", "comment", "The fix for the <!channel> outage.")];
    assert!(world.slack.submit(BEN, &why).await.unwrap().is_acknowledged());
    let shown = world.message(RELEASES, "overrides `web-release`").await;
    assert!(shown.ts == request.ts && shown.says("<@U0002>") && !shown.says("<!channel>"), "{shown:?}");
    assert_eq!(world.status_in_time(&id).await, "Succeeded");
    let over = world.message(RELEASES, "Approved: web to Production").await;
    assert!(over.says("Ben Boyd (U0002) has overridden the gate"), "{over:?}");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
    // It is audited before it holds, and stands in the record of this approval only.
    assert!(world.documents("overrides").is_empty());
    let audited: Vec<_> =
        world.documents("audit").into_iter().filter(|entry| entry["kind"] == "override-given").collect();
    assert_eq!(audited.len(), 1);
    let entry = &audited[0]["document"];
    for (key, value) in [
        ("execution", id.as_str()),
        ("gate", "web-release"),
        ("who", "Ben Boyd (U0002)"),
        ("why", "The fix for the <!channel> outage."),
    ] {
        assert_eq!(entry["given"][key], value, "{entry}");
    }
    assert_eq!(entry["verified"], "signed by Slack, one of the users under `overriders`");
    // The next execution waits again.
    world.start_again().await;
    let next =
        world.message_that(RELEASES, "Release web to Production?", |message| !message.buttons().is_empty()).await;
    assert_ne!(next.ts, request.ts);
    let waits = world.message_in_time(RELEASES, "the alarm web-5xx is in ALARM: the test says so").await;
    assert!(waits.ts == next.ts && !waits.buttons().is_empty(), "{waits:?}");
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

/// An author who may override the gate before staging does not so approve their own change for production.
#[tokio::test(flavor = "multi_thread")]
async fn an_override_holds_for_the_approval_on_which_it_was_given() {
    let entry = |stage: &str, more: &str| {
        format!(
            "  - {{pipeline: web, stage: {stage}, channel: releases, approvers: {{users: [U0001]}}, automatic: web-release{more}}}\n"
        )
    };
    let config = format!(
        "channels: {{releases: {{slack: {RELEASES}}}}}\ngates:\n  {}\napprovals:\n{}{}",
        GATE.replace("U0002", "U0001"),
        entry("Staging", ""),
        entry("Production", ", author_may_approve: false")
    );
    let world = World::configured(&config, |options| options).await;
    world.alarm("ALARM");
    let mut definition = pipeline("QUEUED", json!({}));
    let mut staging = definition["stages"][1].clone();
    staging["name"] = json!("Staging");
    definition["stages"].as_array_mut().unwrap().insert(1, staging);
    world.start_pipeline(&definition).await;
    let asked = |to: &'static str| world.message_that(RELEASES, to, |message| !message.buttons().is_empty());
    let request = asked("Release web to Staging?").await;
    world.click(ADA, &request, "override").await;
    assert!(world.slack.submit(ADA, &[("comment", "comment", "The outage.")]).await.unwrap().is_acknowledged());
    world.message_in_time(RELEASES, "Approved: web to Staging").await;
    let request = asked("Release web to Production?").await;
    let waits = tokio::select! {
        waits = world.message_that(RELEASES, "the alarm web-5xx is in ALARM", |it| it.ts == request.ts) => waits,
        () = world.minutes_pass() => unreachable!("time passes for ever"),
    };
    assert!(!waits.buttons().is_empty(), "{waits:?}");
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

/// Who may not approve their own change does not get round that by the gate.
#[tokio::test(flavor = "multi_thread")]
async fn the_author_cannot_override_where_they_cannot_approve() {
    let gate = GATE.replace("U0002", "U0001");
    let terms = format!("{ANYBODY}\nautomatic: web-release\nauthor_may_approve: false");
    let world = World::patient(&config(&terms, &gate)).await;
    world.alarm("ALARM");
    world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world.refused(ADA, &request, "override", "you wrote this change").await;
    assert!(world.documents("overrides").is_empty());
    // Nobody is named: there is no button.
    let world = World::with_gates(
        &terms,
        GATE.split(", overriders").next().map(|it| format!("{it}}}")).as_deref().unwrap(),
        |options| options,
    )
    .await;
    world.alarm("ALARM");
    world.start("QUEUED", json!({})).await;
    let buttons: Vec<_> = world.request().await.buttons().into_iter().map(|button| button.action_id).collect();
    assert_eq!(buttons, ["approve", "reject"]);
}
