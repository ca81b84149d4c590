//! Releases as they go: one message for each, with replies.

use serde_json::json;

use super::world::Notices;
use crate::approvals::world::ADA;

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_one_message_with_what_people_must_see_below_it() {
    let notices = Notices::new("QUEUED", |options| options).await;
    notices.break_tests(true);
    let first = notices.start().await;
    let head = notices.head(&first, "web: failed").await;
    for line in ["✔ *Source*", "✖ *Test* failed  ✖ Unit", "· *Production*", "Open the harbour", "Ada Adler"] {
        assert!(head.says(line), "{line}: {head:?}");
    }
    let failure = notices.reply(&head, "Unit has failed in Test").await;
    // The author is mentioned by the address of the commit; the commit's own mention is only text.
    assert!(failure.says(&format!("<@{ADA}>")), "{failure:?}");
    assert!(failure.says("Reason") && !head.says("<!channel>"), "{failure:?} {head:?}");
    assert_eq!(notices.world.status(&first).await, "Failed");

    notices.break_tests(false);
    let second = notices.start().await;
    let green = notices.head(&second, "web: succeeded").await;
    assert!(green.says("✔ *Production*") && !green.says("running"), "{green:?}");
    notices.reply(&green, "is green again after less than a minute, 1 failed execution").await;
    notices.is_over().await;
    // Two heads, a failure and a recovery.
    assert_eq!(notices.count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_a_stop_and_what_was_superseded_are_told() {
    let notices = Notices::new("SUPERSEDED", |options| options).await;
    let good = notices.start().await;
    notices.head(&good, "web: succeeded").await;
    let back = notices
        .world
        .call(
            "RollbackStage",
            json!({"pipelineName": "web", "stageName": "Production", "targetPipelineExecutionId": good}),
        )
        .await;
    let back = back["pipelineExecutionId"].as_str().unwrap();
    let head = notices.head(back, "web: succeeded").await;
    notices.reply(&head, &format!("rolls back to the execution {good}")).await;

    // One deploys, one waits, and a third one overtakes it.
    notices.hold_deployments(true);
    let deploying = notices.start().await;
    let running = notices.head(&deploying, "web: running").await;
    notices.world.message_that("C0001", "▶ *Production* running", |message| message.ts == running.ts).await;
    let waiting = notices.start().await;
    let waits = notices.head(&waiting, "web: running").await;
    notices.world.message_that("C0001", "✔ *Test*", |message| message.ts == waits.ts).await;
    let third = notices.start().await;
    let overtaken = notices.head(&waiting, "web: superseded").await;
    notices.reply(&overtaken, "was superseded by a newer execution").await;
    let stop = json!({"pipelineName": "web", "pipelineExecutionId": deploying, "abandon": true, "reason": "not today"});
    notices.world.call("StopPipelineExecution", stop).await;
    let stopped = notices.head(&deploying, "web: stopped").await;
    assert!(stopped.ts == running.ts && stopped.updates > 0, "{stopped:?}");
    notices.reply(&stopped, "not today").await;
    notices.hold_deployments(false);
    notices.head(&third, "web: succeeded").await;
    notices.is_over().await;
    assert_eq!(notices.count(), 5 + 3);
}
