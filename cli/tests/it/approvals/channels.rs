//! Channels in which nobody can click, and people who are named by their address.

use std::time::Duration;

use serde_json::json;

use super::world::{ANYBODY, DAN, EVE, RELEASES, World};

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:stagegate-approvals";

/// Asks through an incoming webhook, and later through SNS: neither has buttons, and both hear how it ended.
#[tokio::test(flavor = "multi_thread")]
async fn channels_without_buttons_hear_of_the_request_and_of_its_end() {
    let config = format!(
        "channels: {{releases: {{slack_webhook: /stagegate/webhooks/releases}}, oncall: {{sns: \"{TOPIC}\"}}}}\n\
         approvals: [{{pipeline: web, channel: releases, {ANYBODY}, escalate: {{after: 1h, channel: oncall}}}}]\n"
    );
    let world = World::configured(&config, |options| options).await;
    let url = world.slack.webhook_url(RELEASES);
    let parameter = json!({"Name": "/stagegate/webhooks/releases", "Value": url, "Type": "SecureString"});
    world.aws.ssm().call("PutParameter", &parameter).unwrap();
    let id = world.start("QUEUED", json!({"configuration": {"CustomData": "Look <!here>"}})).await;
    let asked = world.message(RELEASES, "Release web to Production?").await;
    assert!(asked.by_webhook && asked.buttons().is_empty() && asked.says("Answer it in the CodePipeline console"));
    assert!(asked.says("Look &lt;!here&gt;") && asked.says(&id), "{asked:?}");
    let published = || world.aws.bus().messages(TOPIC).unwrap_or_default();
    world.clock.advance(Duration::from_secs(3600));
    let told = world.until("the message of SNS", || !published().is_empty());
    tokio::select! { () = told => {}, () = world.minutes_pass() => {} }
    assert_eq!(published()[0].subject.as_deref(), Some("Approval needed: web to Production"));
    assert!(published()[0].message.contains(&id), "{}", published()[0].message);
    let answer = json!({
        "pipelineName": "web", "stageName": "Production", "actionName": "Approve", "token": super::closing::token(&world).await,
        "result": {"status": "Approved", "summary": "seen it"},
    });
    world.call("PutApprovalResult", answer).await;
    assert_eq!(world.status(&id).await, "Succeeded");
    let result = world.message(RELEASES, "in the console or by the API").await;
    assert!(result.by_webhook && result.ts != asked.ts && result.says("seen it") && result.says(&id), "{result:?}");
    world.check_over().await;
    let messages = published();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[1].message.contains("seen it"), "{}", messages[1].message);
    assert_eq!(world.slack.look(|state| state.messages(RELEASES).len()), 2, "{}", world.said(RELEASES));
    assert!(!world.logs().contains(&url) && !json!(world.documents("approvals")).to_string().contains(&url));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_the_company_decides_and_another_does_not() {
    let world = World::new("approvers: {email_domains: [example.com]}").await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    assert!(request.says("everybody at example.com"), "{request:?}");
    world.click(EVE, &request, "approve").await;
    world.message_that(RELEASES, "you are not one of its approvers", |it| it.only_for.as_deref() == Some(EVE)).await;
    world.vote(DAN, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.message(RELEASES, "Approved: web to Production").await;
    world.check_over().await;
    let vote = &world.audits()[0]["document"]["votes"][0];
    assert_eq!((&vote["user"], &vote["grounds"]["email_domain"]["domain"]), (&json!(DAN), &json!("example.com")));
    assert_eq!(world.calls("PutApprovalResult"), 1);
}
