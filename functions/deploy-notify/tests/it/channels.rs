//! Channels that are down, slow, or answer 429 and 5xx.

use std::time::Duration;

use stagegate_local_slack::{Fault, Injection};

use crate::world::{ONCALL, RELEASES, ROUTES, World};

/// What a channel refuses or leaves unanswered arrives once when it works again.
#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_fails_loses_nothing_and_repeats_nothing() {
    let world = World::new().await;
    let story = world.run(1, true).await;
    let calm = world.case("calm", ROUTES).await;
    for (number, event) in story.events.iter().enumerate() {
        calm.hear(event, &format!("event-{number}"), 0).await;
    }
    let expected = (calm.shown(RELEASES), calm.shown(ONCALL), calm.posts());
    for (name, fault, times) in [
        ("down", Fault::Status(503), 7),
        ("limited", Fault::RateLimited { retry_after: 120 }, 5),
        ("cut", Fault::Cut, 3),
        ("slow", Fault::Slow(Duration::from_secs(12)), 1),
    ] {
        let case = world.case(name, ROUTES).await;
        for method in ["chat.postMessage", "chat.update"] {
            case.slack.inject(Injection::next(method, fault, times));
        }
        for (number, event) in story.events.iter().enumerate() {
            case.hear(event, &format!("event-{number}"), 0).await;
        }
        assert_ne!((case.shown(RELEASES), case.shown(ONCALL)), (expected.0.clone(), expected.1.clone()), "{name}");
        let mut minutes = 2;
        while case.round(minutes).await > 0 {
            minutes += 16;
            assert!(minutes < 400, "{name}: {:?}", case.shown(RELEASES));
        }
        assert_eq!((case.shown(RELEASES), case.shown(ONCALL), case.posts()), expected, "{name}");
    }
}

/// The app may not read the channel, so that nobody knows whether a post is there: then it is not repeated.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_find_is_not_repeated() {
    let world = World::new().await;
    let story = world.run(0, true).await;
    let case = world.case("blind", ROUTES).await;
    case.slack.inject(Injection::next("chat.postMessage", Fault::Cut, 1));
    case.slack.inject(Injection::next("conversations.history", Fault::Status(403), 100));
    for (number, event) in story.events.iter().enumerate() {
        case.hear(event, &format!("event-{number}"), 0).await;
    }
    for minutes in [2, 10, 30] {
        case.round(minutes).await;
    }
    assert_eq!((case.posts(), case.round(40).await), (1, 0));
}
