//! Quiet hours: what is kept is told together, once.

use jiff::Timestamp;

use crate::world::{ONCALL, RELEASES, World};

/// A quiet time around now, of an hour and a half from an hour ago.
fn hours(now: Timestamp) -> String {
    let clock = |minutes: i64| {
        let time = now + jiff::SignedDuration::from_mins(minutes);
        time.strftime("%H:%M").to_string()
    };
    format!("{{from: '{}', to: '{}', zone: UTC, except: [recovered]}}", clock(-60), clock(30))
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
