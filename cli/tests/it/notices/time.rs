//! What time brings.

use std::time::Duration;

use super::world::Notices;

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_without_progress_is_said_to_be_stuck_once() {
    let notices = Notices::new("QUEUED", |options| options).await;
    notices.hold_deployments(true);
    let execution = notices.start().await;
    let head = notices.head(&execution, "▶ *Production* running").await;
    // Two jumps: what an action may take is 55 minutes.
    notices.world.clock.advance(Duration::from_secs(20 * 60));
    notices.minutes_until("the notice", |notices| notices.count() > 1).await;
    let stuck = notices.reply(&head, "is stuck: nothing has gone on for 30 min").await;
    assert!(stuck.says("Deploy in Production"), "{stuck:?}");
    notices.hold_deployments(false);
    notices.head(&execution, "web: succeeded").await;
    notices.is_over().await;
    assert_eq!(notices.count(), 2);
}
