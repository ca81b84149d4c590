//! Quiet hours: what is kept is told together when they are over.

use std::time::Duration;

use stagegate_local_aws::Options;
use stagegate_local_clock::Clock;
use stagegate_local_slack::{Fault, Injection};

use super::world::Notices;

/// Failures are kept at night.
const ROUTES: &str = "
channels: {releases: {slack: C0001}}
notifications:
  - pipeline: web
    on: [failed, recovered]
    channel: releases
    quiet_hours: {from: '20:00', to: '07:00', zone: Europe/Berlin, except: [recovered]}
";

/// A Monday evening in Berlin, an hour after the beginning of the quiet hours.
fn evening(options: Options) -> Options {
    Options { clock: Clock::starting_at("2026-01-05T20:00:00Z".parse().unwrap(), 1.0), ..options }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_at_night_is_told_in_the_morning() {
    let notices = Notices::configured(ROUTES, "QUEUED", evening).await;
    notices.break_tests(true);
    for _ in 0..2 {
        let execution = notices.start().await;
        assert_eq!(notices.world.status(&execution).await, "Failed");
    }
    let kept = || {
        notices
            .world
            .documents("digests")
            .iter()
            .map(|it| it.to_string().matches("has failed in").count())
            .sum::<usize>()
    };
    notices.minutes_until("the notices that are kept", |_| kept() == 2).await;
    assert_eq!(notices.count(), 0, "{}", notices.world.said("C0001"));
    // Nobody knows whether the first post of it has arrived.
    notices.world.slack.inject(Injection::next("chat.postMessage", Fault::Cut, 1));
    notices.world.clock.advance(Duration::from_secs(10 * 3600));
    notices.posted(1).await;
    let digest = notices.world.message("C0001", "2 notices from the quiet hours").await;
    assert_eq!(
        digest.blocks.iter().map(|it| it.to_string().matches("Unit has failed in Test").count()).sum::<usize>(),
        2
    );
    assert_eq!(notices.count(), 1, "{}", notices.world.said("C0001"));
}
