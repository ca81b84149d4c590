//! Channels that are down, slow, or answer 429 and 5xx.

use std::time::Duration;

use stagegate_local_slack::{Fault, Injection};

use crate::world::{Log, ONCALL, RELEASES, ROUTES, World};

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

/// A message that Slack never takes keeps nothing waiting: without a head each notice stands by itself, and the log says it.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_never_taken_is_given_up_at_once() {
    let world = World::new().await;
    let story = world.run(1, true).await;
    let case = world.case("rejected", ROUTES).await;
    let log = Log::of_errors();
    case.slack.inject(Injection::next("chat.postMessage", Fault::Status(413), 1));
    for (number, event) in story.events.iter().enumerate() {
        case.hear(event, &format!("event-{number}"), 0).await;
    }
    let shown = case.shown(RELEASES);
    let says = |what: &str| shown.iter().any(|message| message.starts_with("message ") && message.contains(what));
    assert!(
        ["was started by", "Unit has failed in Test", "has succeeded", "is green again"].into_iter().all(says),
        "{shown:?}"
    );
    assert_eq!((shown.len(), case.round(1).await), (4, 0), "{shown:?}");
    let said = log.said();
    assert_eq!(said.matches("a message is given up").count(), 1, "{said}");
    let execution = story.events[0]["detail"]["execution-id"].as_str().unwrap();
    for part in ["channel=\"releases\"", "kind=\"status\"", "name=\"web\"", execution] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

/// What is refused for a day, or cannot be found for a day, is given up, and the log says it.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_day_a_message_is_given_up() {
    let world = World::new().await;
    let story = world.run(0, true).await;
    for (name, method, fault, expected) in [
        ("refused", "chat.postMessage", Fault::Status(401), "a message is given up"),
        ("unknown", "conversations.history", Fault::Status(503), "a message may be missing"),
    ] {
        let case = world.case(name, ROUTES).await;
        let log = Log::of_errors();
        if name == "unknown" {
            case.slack.inject(Injection::next("chat.postMessage", Fault::Cut, 1));
        }
        case.slack.inject(Injection::next(method, fault, 1000));
        for (number, event) in story.events.iter().enumerate() {
            case.hear(event, &format!("event-{number}"), 0).await;
        }
        case.round(5).await;
        assert_eq!(log.said(), "", "{name}");
        case.round(24 * 60 + 10).await;
        let said = log.said();
        assert_eq!(said.matches(expected).count(), 1, "{name}: {said}");
        assert!(said.contains("channel=\"releases\" kind=\"status\" name=\"web\""), "{name}: {said}");
    }
}
