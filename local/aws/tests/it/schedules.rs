//! Schedules by a clock that runs fast, and mistakes that show at the start.

use std::time::Duration;

use stagegate_local_aws::{Options, Passed};
use stagegate_local_clock::Clock;

use crate::world::{World, eventually};

const EVERY_MINUTE: &str = r#"
  Watch: {RECORDER {Events: {
    Minute: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(1 minute), Input: '{"at": "<aws.scheduler.scheduled-time>"}'}},
    Off: {Type: Schedule, Properties: {Schedule: rate(1 minute), State: DISABLED}}}}}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_fast_clock_makes_no_crowd_of_ticks() {
    // A function needs some milliseconds, in which many minutes pass.
    let clock = Clock::scaled(100_000.0);
    let world = World::new(EVERY_MINUTE, |options: &mut Options| options.clock = clock.clone()).await;
    eventually("ten ticks have come", || world.records().len() >= 10).await;
    let records = world.records();
    world.aws.shutdown().await;
    for record in &records {
        // The function was told the local time, which is not before the tick.
        let due: jiff::Timestamp = record.event["at"].as_str().unwrap().parse().unwrap();
        let told: jiff::Timestamp = record.now.as_ref().unwrap().parse().unwrap();
        assert!(told >= due, "{record:?}");
        // Two ticks at the same time would need two processes: the first start alone takes the time of many ticks.
        assert_eq!(record.pid, records[0].pid, "more than one tick was under way");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_comes_when_the_clock_says_so() {
    let clock = Clock::system();
    let world = World::new(EVERY_MINUTE, |options: &mut Options| options.clock = clock.clone()).await;
    let mut passing = world.aws.bus().subscribe();
    clock.advance(Duration::from_secs(61));
    world.events("Watch", 1).await;
    assert!(matches!(passing.recv().await.unwrap().passed, Passed::Delivered { .. }));
    // Four missed minutes are one tick.
    clock.advance(Duration::from_secs(240));
    world.events("Watch", 2).await;
    world.aws.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_show_at_the_start() {
    let rule = |properties: &str| {
        format!("  F: {{RECORDER {{Events: {{E: {{Type: EventBridgeRule, Properties: {{{properties}}}}}}}}}}}\n")
    };
    let schedule = |expression: &str| {
        format!("  F: {{RECORDER {{Events: {{E: {{Type: Schedule, Properties: {{Schedule: \"{expression}\"}}}}}}}}}}\n")
    };
    for (resources, expected) in [
        (rule("Pattern: {a: [{cidr: 10.0.0.0/8}]}"), "the event E of the function F: the event pattern: `a`: the operator `cidr`"),
        (rule("Pattern: {a: b}"), "`a`: write a list of what it may be"),
        (rule("Pattern: {a: [b]}, InputPath: $..a"), "the path `$..a` is not supported here"),
        (rule("Pattern: {a: [b]}, InputTransformer: {InputTemplate: \"<x>\"}"), "InputTemplate names <x>"),
        (rule("Pattern: {a: [b]}, EventBusName: other"), "there is no event bus other"),
        (schedule("rate(1 minutes)"), "must say 1 minute"),
        (schedule("cron(0 9 * * MON *)"), "must have a ?"),
        (schedule("cron(0 24 * * ? *)"), "has the hours `24`"),
        ("  F: {RECORDER {EventInvokeConfig: {DestinationConfig: {OnFailure: {Destination: \"arn:aws:sqs:us-east-1:111122223333:gone\"}}}}}\n".to_owned(), "the destinations of the function F: arn:aws:sqs"),
        ("  F: {RECORDER {Events: {E: {Type: SNS, Properties: {Topic: \"arn:aws:sns:us-east-1:111122223333:gone\"}}}}}\n".to_owned(), "there is no topic arn:aws:sns"),
    ] {
        let error = World::error(&resources).await;
        assert!(error.contains(expected), "{resources}{error}");
    }
}
