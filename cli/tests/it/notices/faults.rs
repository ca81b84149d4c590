//! Events that are lost, repeated and late, a channel that is down, and an event that nobody understands.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use stagegate_local_aws::{Arrival, Options, Sent};
use stagegate_local_slack::{Fault, Injection};

use super::world::Notices;

/// Chance, the same for the same number.
fn chance(sent: &Sent<'_>, seed: u64, of: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (sent.number, seed, of).hash(&mut hasher);
    hasher.finish() % of
}

/// Loses some events of deploy-notify, among them the last one of each execution, and repeats and delays the others.
fn spoiled(seed: u64) -> impl FnOnce(Options) -> Options {
    move |options| {
        let fault = move |sent: &Sent<'_>| {
            let is_event = sent.to.ends_with("deploy-notify") && sent.payload.contains("Execution State Change");
            if !is_event {
                return vec![Arrival::Now];
            }
            let is_end =
                sent.payload.contains("Pipeline Execution State Change") && !sent.payload.contains("\"STARTED\"");
            if is_end || chance(sent, seed, 5) == 0 {
                return Vec::new();
            }
            let late = Arrival::After(Duration::from_millis(chance(sent, seed, 700)));
            if chance(sent, seed, 2) == 0 { vec![Arrival::Now, late] } else { vec![late, late] }
        };
        Options { delivery_fault: Some(Arc::new(fault)), ..options }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_repeated_and_late_events_change_nothing() {
    for seed in [1, 2] {
        let notices = Notices::new("QUEUED", spoiled(seed)).await;
        notices.break_tests(true);
        let first = notices.start().await;
        assert_eq!(notices.world.status(&first).await, "Failed");
        notices.posted(2).await;
        notices.break_tests(false);
        let second = notices.start().await;
        assert_eq!(notices.world.status(&second).await, "Succeeded");
        notices.posted(4).await;
        let head = notices.head(&first, "web: failed").await;
        assert!(head.says("✖ *Test* failed  ✖ Unit") && head.says("· *Production*"), "{head:?}");
        notices.reply(&head, "Unit has failed in Test").await;
        let green = notices.head(&second, "web: succeeded").await;
        assert!(green.says("✔ *Production*"), "{green:?}");
        notices.reply(&green, "is green again after").await;
        assert_eq!(notices.count(), 4, "{}", notices.world.said("C0001"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_down_gets_each_message_once_when_it_is_up() {
    let notices = Notices::new("QUEUED", |options| options).await;
    notices.world.slack.inject(Injection::next("chat.postMessage", Fault::Status(503), 3));
    notices.world.slack.inject(Injection { after: 3, ..Injection::next("chat.postMessage", Fault::Cut, 1) });
    notices.break_tests(true);
    let execution = notices.start().await;
    assert_eq!(notices.world.status(&execution).await, "Failed");
    notices.posted(2).await;
    let head = notices.head(&execution, "web: failed").await;
    notices.reply(&head, "Unit has failed in Test").await;
    assert_eq!(notices.count(), 2, "{}", notices.world.said("C0001"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_nobody_understands_ends_in_the_queue_and_keeps_nobody_waiting() {
    let notices = Notices::new("QUEUED", |options| options).await;
    let poison = json!({
        "version": "0", "id": "1", "source": "aws.codepipeline", "account": "111122223333", "region": "us-east-1",
        "time": "2026-01-05T09:00:00Z", "resources": [],
        "detail-type": "CodePipeline Pipeline Execution State Change", "detail": {"pipeline": "web", "state": "FAILED"},
    });
    notices.world.aws.bus().put_event(poison);
    let execution = notices.start().await;
    notices.head(&execution, "web: succeeded").await;
    let found = || notices.world.aws.bus().queue_messages("DeadLetters").unwrap_or_default();
    notices.minutes_until("the message in the queue", |_| !found().is_empty()).await;
    let message: String = found().iter().map(|message| message.body.clone()).collect();
    assert!(message.contains("without pipeline and execution-id cannot be told of anything"), "{message}");
    notices.is_over().await;
    assert_eq!(notices.count(), 1);
}
