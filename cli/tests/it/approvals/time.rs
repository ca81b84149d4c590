//! What time brings.

use std::time::Duration;

use serde_json::json;

use super::world::{ANYBODY, ONCALL, RELEASES, World};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn people_are_reminded_others_asked_and_the_release_rejected() {
    let terms = format!("{ANYBODY}\nremind_every: 1h\nescalate: {{after: 2h, channel: oncall}}\nreject_after: 8h");
    let world = World::new(&terms).await;
    let id = world.start("QUEUED", json!({})).await;
    let request = world.request().await;
    world.passes(HOUR).await;
    let reminder = world.message_in_time(RELEASES, "still waits for a decision").await;
    assert_eq!(reminder.thread.as_ref(), Some(&request.ts));
    assert!(reminder.says("<@U0001>") && reminder.says("<!subteam^S0001>"), "{reminder:?}");
    world.passes(HOUR).await;
    let escalated = world.message_in_time(ONCALL, "Nobody has decided this yet").await;
    assert!(!escalated.buttons().is_empty());
    world.passes(6 * HOUR).await;
    world.message_in_time(RELEASES, "because nobody decided in time").await;
    assert_eq!(world.status(&id).await, "Failed");
    for channel in [RELEASES, ONCALL] {
        let over = world.message(channel, "because nobody decided in time").await;
        assert!(over.buttons().is_empty());
    }
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_that_expires_closes_the_message() {
    let world = World::new(ANYBODY).await;
    let id = world.start("QUEUED", json!({"timeoutInMinutes": 60})).await;
    world.request().await;
    world.passes(HOUR + Duration::from_secs(120)).await;
    assert_eq!(world.status(&id).await, "Failed");
    world.message(RELEASES, "Nobody answered in the time that the action gives").await;
    world.check_over().await;
    assert_eq!(world.calls("PutApprovalResult"), 0);
}
