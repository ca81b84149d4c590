//! What is posted: each message once, whoever dies, fails or comes at the same time.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use stagegate_notice::{Kind, Message, Notice, Picture, Posted, Route, Thread};

use crate::world::{EXECUTION, End, PIPELINE, Story, stories};

fn routes() -> Vec<Route<'static>> {
    let route = |channel: &str, is_threaded, wants: fn(&Notice) -> bool| Route {
        channel: channel.to_owned(),
        is_threaded,
        wants: Box::new(wants),
    };
    vec![
        route("releases", true, |_| true),
        route("oncall", false, |notice| matches!(notice.kind, Kind::Failed | Kind::Recovered)),
        // A second entry for the same channel adds to the first.
        route("oncall", false, |notice| notice.kind == Kind::Failed || notice.kind == Kind::Superseded),
        route("nobody", true, |_| false),
    ]
}

/// What a channel shows: by message, its text, and how often it was posted.
type Channels = BTreeMap<(String, String), (String, u32)>;

#[derive(Clone, Copy, Debug)]
enum Fate {
    Works,
    Refuses,
    DiesBefore,
    DiesAfter,
}

/// Sends what is due until nothing is; `fates` says what becomes of each sending.
fn send(thread: &mut Thread, channels: &mut Channels, fates: &mut impl Iterator<Item = Fate>) -> bool {
    let mut failed = Vec::new();
    while let Some(effect) = thread.due(&routes(), &failed) {
        thread.begin(&effect);
        let fate = fates.next().unwrap_or(Fate::Works);
        if let Fate::DiesBefore = fate {
            return false;
        }
        if let Fate::Refuses = fate {
            thread.failed(&effect, false);
            failed.push(effect.channel.clone());
            continue;
        }
        let shown = channels.entry((effect.channel.clone(), effect.key.clone())).or_default();
        shown.0 = effect.slack.to_json().to_string();
        shown.1 += u32::from(effect.replaces.is_none());
        if let Fate::DiesAfter = fate {
            return false;
        }
        let ts = format!("1.{:06}", channels.len());
        let message = (effect.channel == "releases").then(|| Message { channel: "C01".to_owned(), ts });
        thread.done(&effect, message.filter(|_| effect.replaces.is_none()));
    }
    failed.is_empty()
}

fn now() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In whatever order events come, the same messages are posted, each once, and they show the same in the end.
    #[test]
    fn each_message_is_posted_once((story, order) in stories().prop_flat_map(|story| {
        let events = story.tell().events.len();
        (Just(story), Just((0..events).chain(0..events).collect::<Vec<_>>()).prop_shuffle())
    })) {
        let world = story.tell();
        let run = |numbers: &[usize]| {
            let (mut thread, mut channels) = (Thread::new(PIPELINE, EXECUTION), Channels::new());
            for number in numbers {
                thread.picture.join(&Picture::of(&world.events[*number], now()));
                send(&mut thread, &mut channels, &mut std::iter::empty());
            }
            thread.picture.join(&world.answers);
            send(&mut thread, &mut channels, &mut std::iter::empty());
            channels
        };
        let (in_order, shuffled) = (run(&(0..world.events.len()).collect::<Vec<_>>()), run(&order));
        prop_assert!(in_order.values().chain(shuffled.values()).all(|(_, posts)| *posts == 1));
        prop_assert_eq!(in_order.keys().collect::<Vec<_>>(), shuffled.keys().collect::<Vec<_>>());
        // A message that is kept current shows the same in the end; another one what was known when it was posted.
        let current = |channels: &Channels| -> Vec<_> {
            channels.iter().filter(|((channel, _), _)| channel == "releases").map(|(_, (text, _))| text.clone()).collect()
        };
        prop_assert_eq!(current(&in_order), current(&shuffled));
    }

    /// Whatever fails or dies, nothing is posted twice; and what a channel has refused arrives when it works again.
    #[test]
    fn nothing_is_posted_twice(
        story in stories(),
        fates in prop::collection::vec(prop::sample::select(vec![Fate::Works, Fate::Refuses, Fate::DiesBefore, Fate::DiesAfter]), 0..20),
    ) {
        let world = story.tell();
        let (mut thread, mut channels) = (Thread::new(PIPELINE, EXECUTION), Channels::new());
        let mut time = now();
        let mut fates = fates.into_iter();
        for (number, event) in world.events.iter().enumerate() {
            thread.picture.join(&Picture::of(event, now()));
            time += SignedDuration::from_hours(1);
            let holder = format!("invocation-{number}");
            let is_first = thread.acquire(&holder, time, time + SignedDuration::from_mins(2));
            prop_assert!(is_first);
            send(&mut thread, &mut channels, &mut fates);
        }
        thread.picture.join(&world.answers);
        time += SignedDuration::from_hours(1);
        thread.acquire("the last", time, time);
        prop_assert!(send(&mut thread, &mut channels, &mut std::iter::empty()));
        prop_assert!(channels.values().all(|(_, posts)| *posts == 1), "{:?}", channels);
        let unknown = thread.posts.values().flat_map(BTreeMap::values).filter(|post| post.posted == Posted::Unknown).count();
        let (mut whole, mut all) = (Thread::new(PIPELINE, EXECUTION), Channels::new());
        whole.picture = thread.picture.clone();
        send(&mut whole, &mut all, &mut std::iter::empty());
        let missing = all.keys().filter(|key| !channels.contains_key(*key)).count();
        prop_assert!(missing <= unknown, "{} are missing, of {} nobody knows", missing, unknown);
    }
}

#[test]
fn only_one_invocation_sends_at_a_time() {
    let mut thread = Thread::new(PIPELINE, EXECUTION);
    let later = |minutes| now() + SignedDuration::from_mins(minutes);
    assert!(thread.acquire("one", now(), later(2)));
    assert!(!thread.acquire("other", later(1), later(3)));
    // Lambda tries an invocation again under the same id, when the one before has ended.
    assert!(thread.acquire("one", later(1), later(3)));
    assert!(thread.acquire("other", later(4), later(6)));
}

#[test]
fn a_channel_without_anything_wanted_stays_silent() {
    let story = Story { stages: vec![1], failures: vec![], end: End::Succeeds, pace: 1, failed_before: 0 };
    let world = story.tell();
    let mut thread = Thread::new(PIPELINE, EXECUTION);
    let mut channels = Channels::new();
    for event in &world.events {
        thread.picture.join(&Picture::of(event, now()));
        send(&mut thread, &mut channels, &mut std::iter::empty());
    }
    let keys: Vec<_> = channels.keys().map(|(channel, key)| (channel.as_str(), key.as_str())).collect();
    assert_eq!(keys, [("releases", "head")]);
}
