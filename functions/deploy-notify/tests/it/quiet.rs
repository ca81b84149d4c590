//! Quiet hours: what is kept is told together, once.

use jiff::Timestamp;
use stagegate_local_slack::{Fault, Injection};

use crate::world::{Log, ONCALL, RELEASES, World};

/// A quiet time around now, of an hour and a half from an hour ago.
fn hours(now: Timestamp) -> String {
    format!("{{from: '{}', to: '{}', zone: UTC, except: [recovered]}}", clock(now, -60), clock(now, 30))
}

/// What a clock shows so many minutes from now.
fn clock(now: Timestamp, minutes: i64) -> String {
    (now + jiff::SignedDuration::from_mins(minutes)).strftime("%H:%M").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_in_quiet_hours_is_told_together() {
    let world = World::new().await;
    let (first, second) = (world.run(1, false).await, world.run(2, false).await);
    let config = format!(
        "channels: {{releases: {{slack: {RELEASES}}}, oncall: {{slack: {ONCALL}}}}}\nnotifications:\n  - {{pipeline: web, on: \
         [started, failed], channel: releases, quiet_hours: {hours}}}\n  - {{pipeline: web, on: [failed], channel: oncall, thread: \
         false, once_per: stage}}\n",
        hours = hours(Timestamp::now())
    );
    let case = world.case("quiet", &config).await;
    for (number, event) in first.events.iter().chain(&second.events).enumerate() {
        case.hear(event, &format!("event-{number}"), 0).await;
    }
    // Nothing is quiet on call, where a stage that is tried again fails once.
    assert_eq!((case.shown(RELEASES).len(), case.shown(ONCALL).len()), (0, 2), "{:?}", case.shown(ONCALL));
    case.round(10).await;
    assert!(case.shown(RELEASES).is_empty(), "{:?}", case.shown(RELEASES));
    for minutes in [32, 40, 50] {
        case.round(minutes).await;
        let shown = case.shown(RELEASES);
        let [digest] = &shown[..] else { panic!("{shown:?}") };
        // Three failures; that the executions had begun says nothing beside them.
        assert!(digest.contains("3 notices from the quiet hours"), "{digest}");
        assert_eq!(digest.matches("Unit has failed in Test").count(), 3, "{digest}");
    }
    assert_eq!(case.round(60).await, 0);
}

/// A digest is not tried for longer than any other message, nor kept where Slack never takes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_digest_that_is_not_taken_is_given_up() {
    let world = World::new().await;
    let story = world.run(1, false).await;
    let config = format!(
        "channels: {{releases: {{slack: {RELEASES}}}}}\nnotifications: [{{pipeline: web, on: [failed], channel: releases, \
         quiet_hours: {}}}]\n",
        hours(Timestamp::now())
    );
    let day = 24 * 60;
    for (name, fault, kept, given_up) in
        [("refused", Fault::Status(401), vec![32, 40], day + 35), ("rejected", Fault::Status(413), vec![], 32)]
    {
        let case = world.case(&format!("digest-{name}"), &config).await;
        for (number, event) in story.events.iter().enumerate() {
            case.hear(event, &format!("event-{number}"), 0).await;
        }
        case.slack.inject(Injection::next("chat.postMessage", fault, 1000));
        let log = Log::of_errors();
        for minutes in kept {
            assert_eq!((case.round(minutes).await, log.said()), (1, String::new()), "{name}, {minutes} min");
        }
        case.round(given_up).await;
        let said = log.said();
        let is_told =
            said.contains("is given up") && said.contains("channel=\"releases\"") && said.contains("/failed/");
        assert!(is_told, "{name}: {said}");
        assert_eq!(case.round(given_up + 1).await, 0, "{name}");
    }
}

/// One of two routes of a channel is quiet at any time; each keeps its own notices, and no longer than it is.
#[tokio::test(flavor = "multi_thread")]
async fn each_route_keeps_its_own_notices() {
    let world = World::new().await;
    let story = world.run(1, false).await;
    let now = Timestamp::now();
    let (start, end) = (clock(now, -60), clock(now, 30));
    let config = format!(
        "channels: {{releases: {{slack: {RELEASES}}}}}\nnotifications:\n  - {{pipeline: web, on: [failed], channel: releases, \
         thread: false, quiet_hours: {{from: '{start}', to: '{end}', zone: UTC}}}}\n  - {{pipeline: web, on: [started], channel: \
         releases, thread: false, quiet_hours: {{from: '{end}', to: '{start}', zone: UTC}}}}\n"
    );
    let case = world.case("routes", &config).await;
    for (number, event) in story.events.iter().enumerate() {
        case.hear(event, &format!("event-{number}"), 0).await;
    }
    for (minutes, messages) in [(10, 1), (32, 2), (40, 2)] {
        case.round(minutes).await;
        let shown = case.shown(RELEASES);
        assert_eq!(shown.len(), messages, "{minutes} min: {shown:?}");
    }
    let shown = case.shown(RELEASES);
    assert!(shown.iter().any(|message| message.contains("1 notice from the quiet hours")), "{shown:?}");
    assert_eq!(case.round(50).await, 0);
}
