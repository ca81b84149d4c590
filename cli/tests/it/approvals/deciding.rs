//! People decide.

use std::sync::Arc;

use serde_json::json;
use stagegate_local_aws::{Arrival, Options};

use super::world::{ADA, ANYBODY, BEN, CORA, RELEASES, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_by_event_is_approved() {
    let world = World::new(ANYBODY).await;
    let id = world.start("QUEUED", json!({"configuration": {"CustomData": "Look at <!here> the prices"}})).await;
    let request = world.request().await;
    for text in
        ["Open the harbour &lt;!channel&gt;", "Ada Adler", "No gate has judged", "&lt;!here&gt; the prices", "<@U0001>"]
    {
        assert!(request.says(text), "{text}: {}", world.said(RELEASES));
    }
    world.vote(ADA, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    let over = world.message(RELEASES, "Approved: web to Production").await;
    assert!(over.ts == request.ts && over.buttons().is_empty() && over.says(">. It had waited "), "{over:?}");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
    let audit = &world.audits()[0]["document"];
    assert_eq!(audit["votes"][0]["grounds"], json!("user"));
    assert!(audit["messages"][0].as_str().unwrap().contains("/archives/C0001/p"), "{audit}");
    let summary = audit["outcome"]["desk"]["decision"]["summary"].as_str().unwrap();
    assert!(summary.starts_with("Approved in Slack by Ada Adler (U0001)"), "{summary}");
}

/// SNS and EventBridge tell of the same approval, each twice: one record and one message.
#[tokio::test(flavor = "multi_thread")]
async fn both_ways_make_one_request() {
    let twice = |options| Options { delivery_fault: Some(Arc::new(|_| vec![Arrival::Now, Arrival::Now])), ..options };
    let world = World::with(ANYBODY, twice).await;
    let topic = world.aws.bus().topics().into_iter().find(|arn| arn.ends_with("stagegate-approvals")).unwrap();
    let id = world.start("QUEUED", json!({"configuration": {"NotificationArn": topic}})).await;
    let request = world.request().await;
    world.vote(BEN, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.check_over().await;
    assert_eq!((world.documents("approvals").len(), world.calls("PutApprovalResult")), (1, 1));
    assert_eq!(world.slack.look(|state| state.messages(RELEASES).len()), 1, "{}", world.said(RELEASES));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_by_sns_alone_is_approved() {
    // EventBridge loses what it can.
    let lossy = |options| Options {
        delivery_fault: Some(Arc::new(|sent| match sent.payload.contains("State Change") {
            true => Vec::new(),
            false => vec![Arrival::Now],
        })),
        ..options
    };
    let world = World::with(ANYBODY, lossy).await;
    let topic = world.aws.bus().topics().into_iter().find(|arn| arn.ends_with("stagegate-approvals")).unwrap();
    let id = world.start("QUEUED", json!({"configuration": {"NotificationArn": topic}})).await;
    let request = world.request().await;
    assert!(request.says("Open the harbour"), "{}", world.said(RELEASES));
    world.vote(CORA, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.check_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_needs_a_comment_and_stops_the_release() {
    let world = World::new(ANYBODY).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world.click(BEN, &request, "reject").await;
    world.slack.submit(BEN, &[]).await.expect_err("a comment is needed");
    let values = [("comment", "comment", "The harbour is frozen.")];
    assert!(world.slack.submit(BEN, &values).await.unwrap().is_acknowledged());
    assert_eq!(world.status(&id).await, "Failed");
    let over = world.message(RELEASES, "Rejected: web to Production").await;
    assert!(over.says("The harbour is frozen."), "{over:?}");
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_of_three_must_approve() {
    let world = World::new(&format!("{ANYBODY}\nquorum: 2")).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world.vote(ADA, &request, "approve", "").await;
    let one = world.message(RELEASES, "1 of 2 approvals").await;
    assert!(!one.buttons().is_empty());
    // The same person again is still one person.
    world.vote(ADA, &one, "approve", "again").await;
    world.message(RELEASES, "again").await;
    assert_eq!(world.calls("PutApprovalResult"), 0);
    world.vote(CORA, &one, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.check_over().await;
    assert_eq!(
        (world.calls("PutApprovalResult"), world.audits()[0]["document"]["votes"].as_array().unwrap().len()),
        (1, 2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_in_the_parallel_mode_is_approved() {
    let world = World::new(ANYBODY).await;
    let id = world.start("PARALLEL", json!({})).await;
    let request = world.request().await;
    world.vote(ADA, &request, "approve", "").await;
    assert_eq!(world.status(&id).await, "Succeeded");
    world.message(RELEASES, "Approved: web to Production").await;
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
}
