//! What is posted: each message once, whoever dies, fails or comes at the same time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use stagegate_notice::{
    Doubt, Effect, Kind, Message, Notice, Once, Picture, Posted, Report, Route, Step, Thread, Turn, Wish,
};

use crate::world::{EXECUTION, End, PIPELINE, Story, World, stories};

fn route(channel: &str, is_threaded: bool, wants: impl Fn(&Notice) -> bool + Send + Sync + 'static) -> Route<'static> {
    Route {
        channel: channel.to_owned(),
        is_threaded,
        stuck_after: None,
        wish: Box::new(move |notice, _| wants(notice).then(Wish::default)),
    }
}

fn routes() -> Vec<Route<'static>> {
    vec![
        route("releases", true, |_| true),
        route("oncall", false, |notice| matches!(notice.kind, Kind::Failed | Kind::Recovered)),
        // A second entry for the same channel adds to the first.
        route("oncall", false, |notice| notice.kind == Kind::Failed || notice.kind == Kind::Superseded),
        route("nobody", true, |_| false),
    ]
}

/// Where a failure is heard of while AWS is asked about something else, it is told when AWS was asked about it, too.
#[test]
fn an_answer_that_is_older_than_an_event_is_asked_for_again() {
    let story = Story { stages: vec![1], failures: vec![], end: End::FailsInTheLastStage, pace: 1, failed_before: 0 };
    let world = story.tell();
    let routes = routes();
    let mut thread = Thread::new(PIPELINE, EXECUTION);
    let mut advance = |report: Report, holder: &str, second: i64| {
        let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
        let turn = Turn { holder, now, until: now + SignedDuration::from_mins(2), is_last: false };
        thread.advance(report, &routes, turn)
    };
    let heard = |number: usize| Report::Heard(Box::new(Picture::of(&world.events[number], Timestamp::UNIX_EPOCH)));
    let old = Picture { about: world.answers.about.clone(), ..Picture::default() };
    assert_eq!(advance(heard(2), "one", 0), Step::List);
    assert_eq!(advance(Report::Listed, "one", 0), Step::Look);
    assert_eq!(advance(heard(3), "two", 1), Step::Held);
    assert_eq!(advance(Report::Looked(Box::new(old.clone())), "one", 2), Step::Look);
    // CodePipeline itself is behind: what is known is told, and it is asked again later.
    let Step::Send(head) = advance(Report::Looked(Box::new(old)), "one", 3) else { panic!("the head is due") };
    assert!(head.bulletin.is_head(), "{head:?}");
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Works,
    Refuses,
    Rejects,
    NobodyKnowsNotDone,
    NobodyKnowsDone,
    DiesBefore,
    DiesAfter,
}

/// The channels and AWS around a thread.
struct Outside {
    routes: Vec<Route<'static>>,
    /// By channel and key, what is shown, and how often it was posted.
    shown: BTreeMap<(String, String), (String, u32)>,
    listed: bool,
    told_by_others: BTreeSet<String>,
    fates: Vec<Fate>,
    can_be_searched: bool,
    /// Whether nobody answers who is asked for a message.
    is_silent: bool,
    now: Timestamp,
    /// By channel and key, when it was posted.
    posted_at: BTreeMap<(String, String), Timestamp>,
}

impl Outside {
    fn new(routes: Vec<Route<'static>>) -> Self {
        Self {
            routes,
            shown: BTreeMap::new(),
            listed: false,
            told_by_others: BTreeSet::new(),
            fates: Vec::new(),
            can_be_searched: true,
            is_silent: false,
            now: now(),
            posted_at: BTreeMap::new(),
        }
    }

    /// An invocation: does everything until nothing is to be done, or until it dies. What AWS answers is `answers`.
    fn run(&mut self, thread: &mut Thread, heard: Report, holder: &str, now: Timestamp, answers: &Picture) {
        let mut report = heard;
        self.now = now;
        for _ in 0..500 {
            let turn = Turn { holder, now, until: now + SignedDuration::from_mins(2), is_last: false };
            // What is stored is what is read again.
            *thread = serde_json::from_value(serde_json::to_value(&*thread).unwrap()).unwrap();
            report = match thread.advance(report, &self.routes, turn) {
                Step::List => {
                    self.listed = true;
                    Report::Listed
                }
                Step::Unlist => {
                    self.listed = false;
                    Report::Unlisted
                }
                Step::Look => Report::Looked(Box::new(answers.clone())),
                Step::Claim(claim) => {
                    let is_first = !self.told_by_others.contains(&claim.once);
                    Report::Claimed(claim, is_first)
                }
                Step::Collect(effect) => Report::Collected(effect),
                Step::Find(doubt) if !self.can_be_searched => Report::NotKnown(doubt),
                Step::Find(doubt) if self.is_silent => Report::NotAsked(doubt, None),
                Step::Find(doubt) => match self.is_found(&doubt) {
                    true => {
                        let message = message(&doubt.channel, &doubt.key);
                        Report::Found(doubt, message)
                    }
                    false => Report::NotFound(doubt),
                },
                Step::Send(effect) => match self.send(effect) {
                    Some(report) => report,
                    None => return,
                },
                Step::Rest | Step::Held => return,
            };
        }
        panic!("it never comes to rest: {thread:?}");
    }

    /// Nobody looks for a message among those from an hour before it was begun.
    fn is_found(&self, doubt: &Doubt) -> bool {
        let posted_at = self.posted_at.get(&(doubt.channel.clone(), doubt.key.clone()));
        posted_at.is_some_and(|at| *at >= doubt.at - SignedDuration::from_hours(1))
    }

    fn send(&mut self, effect: Box<Effect>) -> Option<Report> {
        let fate = self.fates.pop().unwrap_or(Fate::Works);
        match fate {
            Fate::DiesBefore => return None,
            Fate::Refuses => return Some(Report::Refused(effect, None)),
            Fate::Rejects => return Some(Report::Rejected(effect)),
            Fate::NobodyKnowsNotDone => return Some(Report::Unsure(effect)),
            Fate::Works | Fate::DiesAfter | Fate::NobodyKnowsDone => {}
        }
        let shown = self.shown.entry((effect.channel.clone(), effect.key.clone())).or_default();
        shown.0 = effect.shown.clone();
        shown.1 += u32::from(effect.replaces.is_none());
        self.posted_at.entry((effect.channel.clone(), effect.key.clone())).or_insert(self.now);
        match fate {
            Fate::DiesAfter => None,
            Fate::NobodyKnowsDone => Some(Report::Unsure(effect)),
            _ => {
                let message = (effect.channel == "releases").then(|| message(&effect.channel, &effect.key));
                Some(Report::Sent(effect, message))
            }
        }
    }

    fn keys(&self) -> Vec<(&str, &str)> {
        self.shown.keys().map(|(channel, key)| (channel.as_str(), key.as_str())).collect()
    }

    /// What is shown in a channel whose messages are kept current.
    fn current(&self) -> Vec<&str> {
        let shown = self.shown.iter().filter(|((channel, _), _)| channel == "releases");
        shown.map(|(_, (shown, _))| shown.as_str()).collect()
    }
}

fn message(channel: &str, key: &str) -> Message {
    Message { channel: channel.to_owned(), ts: key.to_owned() }
}

fn now() -> Timestamp {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

fn heard(world: &World, number: usize) -> Report {
    Report::Heard(Box::new(Picture::of(&world.events[number], now())))
}

/// What CodePipeline says after these events: nothing of the end before it has come.
fn answers(world: &World, numbers: &[usize]) -> Picture {
    if numbers.iter().any(|number| number + 1 == world.events.len()) { world.answers.clone() } else { known(world) }
}

/// What it is about, which does not change.
fn known(world: &World) -> Picture {
    Picture { about: world.answers.about.clone(), ..Picture::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In whatever order events come, twice or not at all: the same messages are posted, each once, and they show the same
    /// in the end.
    #[test]
    fn each_message_is_posted_once((story, order, lost) in stories().prop_flat_map(|story| {
        let events = story.tell().events.len();
        let order = Just((0..events).chain(0..events).collect::<Vec<_>>()).prop_shuffle();
        (Just(story), order, prop::collection::vec(any::<bool>(), events))
    })) {
        let world = story.tell();
        let run = |numbers: &[usize]| {
            let (mut thread, mut outside) = (Thread::new(PIPELINE, EXECUTION), Outside::new(routes()));
            for (index, number) in numbers.iter().enumerate() {
                let answers = answers(&world, &numbers[..=index]);
                outside.run(&mut thread, heard(&world, *number), &format!("event-{index}"), now(), &answers);
            }
            // The schedule, when nothing was heard for a while.
            for minutes in [10, 20] {
                outside.run(&mut thread, Report::Nothing, "schedule", now() + SignedDuration::from_mins(minutes), &world.answers);
            }
            (outside.keys().into_iter().map(|(channel, key)| (channel.to_owned(), key.to_owned())).collect::<Vec<_>>(),
             outside.current().into_iter().map(str::to_owned).collect::<Vec<_>>(),
             outside.shown.values().all(|(_, posts)| *posts == 1), outside.listed, thread)
        };
        let in_order = run(&(0..world.events.len()).collect::<Vec<_>>());
        prop_assert!(in_order.2 && !in_order.3 && in_order.4.lease.is_none());
        let shuffled = run(&order);
        let kept: Vec<_> = order.iter().copied().filter(|number| *number == 0 || !lost[*number]).collect();
        let repaired = run(&kept);
        for other in [shuffled, repaired] {
            prop_assert_eq!(&other.0, &in_order.0);
            prop_assert!(other.2 && !other.3, "{:?}", other.4);
            // A recovery tells times, which events and answers know to the second only.
            if story.end != End::Succeeds || story.failures.is_empty() && story.failed_before == 0 {
                prop_assert_eq!(&other.1, &in_order.1);
            }
        }
    }

    /// Whatever fails or dies, nothing is posted twice and nothing is lost where the channel can be searched.
    #[test]
    fn nothing_is_posted_twice(
        story in stories(),
        fates in prop::collection::vec(prop::sample::select(vec![
            Fate::Works, Fate::Refuses, Fate::Rejects, Fate::DiesBefore, Fate::DiesAfter, Fate::NobodyKnowsDone,
            Fate::NobodyKnowsNotDone,
        ]), 0..20),
        can_be_searched in any::<bool>(),
        pace in prop::sample::select(vec![4i64, 90]),
    ) {
        let world = story.tell();
        let (mut thread, mut outside) = (Thread::new(PIPELINE, EXECUTION), Outside::new(routes()));
        outside.can_be_searched = can_be_searched;
        outside.fates = fates;
        let mut time = now();
        for number in 0..world.events.len() {
            time += SignedDuration::from_mins(pace);
            let answers = answers(&world, &[number]);
            outside.run(&mut thread, heard(&world, number), &format!("invocation-{number}"), time, &answers);
        }
        for round in 0..40 {
            time += SignedDuration::from_mins(16);
            outside.run(&mut thread, Report::Nothing, &format!("round-{round}"), time, &world.answers);
        }
        prop_assert!(outside.shown.values().all(|(_, posts)| *posts == 1), "{:?}", outside.shown);
        let mut whole = Outside::new(routes());
        let mut other = Thread::new(PIPELINE, EXECUTION);
        other.picture = thread.picture.clone();
        whole.run(&mut other, Report::Nothing, "whole", time, &world.answers);
        let missing: Vec<_> = whole.keys().into_iter().filter(|key| !outside.keys().contains(key)).collect();
        let posts = || thread.posts.values().flat_map(BTreeMap::values);
        let lost = posts().filter(|post| post.posted == Posted::Lost).count();
        let given_up = posts().filter(|post| post.posted == Posted::GivenUp).count();
        prop_assert!(missing.len() <= lost + given_up && (!can_be_searched || lost == 0), "{:?} {:?}", missing, thread);
        prop_assert!(!outside.listed, "{:?}", thread);
    }
}

/// However late anybody comes who looks for a message: it is looked for from the time on at which it was begun.
#[test]
fn what_is_looked_for_late_is_found() {
    let story = Story { stages: vec![1], failures: vec![], end: End::Succeeds, pace: 1, failed_before: 0 };
    let world = story.tell();
    for fate in [Fate::DiesAfter, Fate::NobodyKnowsDone] {
        for minutes in [3, 59, 3 * 60, 3 * 24 * 60] {
            let (mut thread, mut outside) = (Thread::new(PIPELINE, EXECUTION), Outside::new(routes()));
            outside.fates = vec![fate];
            outside.run(&mut thread, heard(&world, 0), "one", now(), &known(&world));
            for later in [minutes, minutes + 2, minutes + 4] {
                let time = now() + SignedDuration::from_mins(later);
                outside.run(&mut thread, Report::Nothing, &format!("round-{later}"), time, &known(&world));
            }
            let posts: Vec<_> = outside.shown.values().map(|(_, posts)| *posts).collect();
            assert_eq!(posts, [1], "{fate:?}, {minutes} min");
        }
    }
}

/// What is given up, with the kind of message, and whether it may be there.
fn ended(thread: &Thread, before: &Thread) -> Vec<(String, &'static str, bool)> {
    let ended = thread.ended_since(before).into_iter();
    ended.map(|ended| (ended.channel, ended.kind, ended.may_be_there)).collect()
}

/// A message that is not taken keeps nothing else waiting; without the head, each notice says all by itself.
#[test]
fn what_a_channel_never_takes_is_given_up_at_once() {
    let story = Story { stages: vec![1, 1], failures: vec![0], end: End::Succeeds, pace: 1, failed_before: 0 };
    let world = story.tell();
    for (name, fates, expected, given_up) in [
        ("nothing", vec![], vec!["failed/action-001", "head", "recovered"], vec![]),
        (
            "the head",
            vec![Fate::Rejects],
            vec!["failed/action-001", "recovered", "started", "succeeded"],
            vec!["status"],
        ),
        ("a reply", vec![Fate::Rejects, Fate::Works], vec!["head", "recovered"], vec!["failed"]),
        (
            "a reply after a refusal",
            vec![Fate::Rejects, Fate::Works, Fate::Refuses],
            vec!["head", "recovered"],
            vec!["failed"],
        ),
    ] {
        let mut outside = Outside::new(vec![route("releases", true, |_| true)]);
        outside.fates = fates;
        let before = Thread::new(PIPELINE, EXECUTION);
        let mut thread = before.clone();
        let last = world.events.len() - 1;
        for (number, minutes) in [(0, 0), (last, 1)] {
            let time = now() + SignedDuration::from_mins(minutes);
            outside.run(&mut thread, heard(&world, number), "one", time, &world.answers);
        }
        let keys: Vec<_> = outside.keys().into_iter().map(|(_, key)| key).collect();
        assert_eq!(keys, expected, "{name}");
        let given_up: Vec<_> = given_up.into_iter().map(|kind| ("releases".to_owned(), kind, false)).collect();
        assert_eq!(ended(&thread, &before), given_up, "{name}");
        assert_eq!(ended(&thread, &thread), [], "{name}");
        assert!(!outside.listed && thread.refusals.is_empty(), "{name}: {thread:?}");
    }
}

/// What is refused, or asked for in vain, for a day.
#[test]
fn after_a_day_a_message_is_given_up() {
    let story = Story { stages: vec![1], failures: vec![], end: End::Succeeds, pace: 1, failed_before: 0 };
    let world = story.tell();
    for (name, fates, expected) in [
        ("it refuses", vec![Fate::Refuses; 4], ("releases".to_owned(), "status", false)),
        ("it does not answer", vec![Fate::DiesAfter], ("releases".to_owned(), "status", true)),
    ] {
        let mut outside = Outside::new(vec![route("releases", true, |_| true)]);
        (outside.fates, outside.is_silent) = (fates, true);
        let mut thread = Thread::new(PIPELINE, EXECUTION);
        outside.run(&mut thread, heard(&world, 0), "one", now(), &known(&world));
        for (minutes, given_up) in [(3, vec![]), (5, vec![]), (24 * 60 + 10, vec![expected])] {
            let before = thread.clone();
            let time = now() + SignedDuration::from_mins(minutes);
            outside.run(&mut thread, Report::Nothing, &format!("round-{minutes}"), time, &known(&world));
            assert_eq!(ended(&thread, &before), given_up, "{name}, {minutes} min: {thread:?}");
        }
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

/// Runs a story to its end with some routes.
fn told(story: &Story, routes: Vec<Route<'static>>, told_by_others: &[&str]) -> Vec<(String, String)> {
    let world = story.tell();
    let (mut thread, mut outside) = (Thread::new(PIPELINE, EXECUTION), Outside::new(routes));
    outside.told_by_others = told_by_others.iter().map(|key| (*key).to_owned()).collect();
    for number in 0..world.events.len() {
        let answers = answers(&world, &[number]);
        outside.run(&mut thread, heard(&world, number), "one", now(), &answers);
    }
    outside.keys().into_iter().map(|(channel, key)| (channel.to_owned(), key.to_owned())).collect()
}

fn once(key: &'static str, is_shared: bool) -> Route<'static> {
    let wish = move |notice: &Notice, _: &Picture| {
        let once = vec![Once { key: key.to_owned(), is_shared }];
        (notice.kind == Kind::Failed).then(|| Wish { once, ..Wish::default() })
    };
    Route { channel: "oncall".to_owned(), is_threaded: false, stuck_after: None, wish: Box::new(wish) }
}

/// Wants one failure for each stage.
fn once_for_each_stage() -> Route<'static> {
    let wish = |notice: &Notice, _: &Picture| {
        let once = vec![Once { key: format!("stage {:?}", notice.stage), is_shared: false }];
        (notice.kind == Kind::Failed).then(|| Wish { once, ..Wish::default() })
    };
    Route { wish: Box::new(wish), ..once("", false) }
}

/// Wants each failure, at a later time.
fn each_failure_later() -> Route<'static> {
    let wish = |notice: &Notice, _: &Picture| {
        (notice.kind == Kind::Failed).then(|| Wish { is_for_later: true, ..Wish::default() })
    };
    Route { wish: Box::new(wish), ..once("", false) }
}

/// Each entry that matches counts: what one has told already, another may still want.
#[test]
fn a_channel_of_several_routes_misses_nothing() {
    let story =
        Story { stages: vec![1, 1], failures: vec![0, 1], end: End::FailsInTheLastStage, pace: 1, failed_before: 0 };
    for (name, routes, now_told, later_told) in [
        ("once for each stage", vec![once_for_each_stage()], vec!["001", "003"], vec![]),
        ("once, or once for each stage", vec![once("x", false), once_for_each_stage()], vec!["001", "003"], vec![]),
        ("once for each stage, or once", vec![once_for_each_stage(), once("x", false)], vec!["001", "003"], vec![]),
        ("once now, and all later", vec![once("x", false), each_failure_later()], vec!["001"], vec!["003", "004"]),
        ("all later, and once now", vec![each_failure_later(), once("x", false)], vec!["001"], vec!["003", "004"]),
        (
            "all now, and once",
            vec![route("oncall", false, |notice| notice.kind == Kind::Failed), once("x", false)],
            vec!["001", "003", "004"],
            vec![],
        ),
    ] {
        let world = story.tell();
        let (mut thread, mut outside) = (Thread::new(PIPELINE, EXECUTION), Outside::new(routes));
        for number in 0..world.events.len() {
            outside.run(&mut thread, heard(&world, number), "one", now(), &answers(&world, &[number]));
        }
        let key = |number: &&str| format!("failed/action-{number}");
        let shown: Vec<_> = outside.keys().into_iter().map(|(_, key)| key.to_owned()).collect();
        assert_eq!(shown, now_told.iter().map(key).collect::<Vec<_>>(), "{name}");
        let collected = thread.posts["oncall"].iter().filter(|(_, post)| post.posted == Posted::Collected);
        let collected: Vec<_> = collected.map(|(key, _)| key.clone()).collect();
        assert_eq!(collected, later_told.iter().map(key).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn each_channel_hears_what_it_wants() {
    let good = Story { stages: vec![1], failures: vec![], end: End::Succeeds, pace: 1, failed_before: 0 };
    let bad = Story { stages: vec![1, 1], failures: vec![0, 1], end: End::FailsInTheLastStage, ..good.clone() };
    let failures = [("oncall", "failed/action-001"), ("oncall", "failed/action-003"), ("oncall", "failed/action-004")];
    for (name, story, routes, others, expected) in [
        ("a channel without anything wanted stays silent", &good, routes(), vec![], vec![("releases", "head")]),
        (
            "each failure",
            &bad,
            vec![route("oncall", false, |notice| notice.kind == Kind::Failed)],
            vec![],
            failures.to_vec(),
        ),
        ("the first failure of the execution", &bad, vec![once("x", false)], vec![], failures[..1].to_vec()),
        ("the first failure of all executions", &bad, vec![once("x", true)], vec![], failures[..1].to_vec()),
        ("another execution has told it", &bad, vec![once("x", true)], vec!["x"], vec![]),
    ] {
        let told = told(story, routes, &others);
        let told: Vec<_> = told.iter().map(|(channel, key)| (channel.as_str(), key.as_str())).collect();
        assert_eq!(told, expected, "{name}");
    }
}

/// What is for later is collected, and is not told again when the time has come.
#[test]
fn quiet_hours_collect() {
    let story = Story { stages: vec![1, 1], failures: vec![0], end: End::Succeeds, pace: 1, failed_before: 0 };
    let world = story.tell();
    let mut thread = Thread::new(PIPELINE, EXECUTION);
    let quiet = |is_for_later| {
        let wish = move |_: &Notice, _: &Picture| Some(Wish { is_for_later, ..Wish::default() });
        vec![Route { channel: "releases".to_owned(), is_threaded: true, stuck_after: None, wish: Box::new(wish) }]
    };
    let mut outside = Outside::new(quiet(true));
    let last = world.events.len() - 1;
    for number in 0..last {
        outside.run(&mut thread, heard(&world, number), "one", now(), &known(&world));
    }
    assert!(outside.shown.is_empty(), "{:?}", outside.shown);
    outside.routes = quiet(false);
    outside.run(&mut thread, Report::Nothing, "one", now(), &known(&world));
    assert!(outside.shown.is_empty(), "what was collected is told together: {:?}", outside.shown);
    outside.run(&mut thread, heard(&world, last), "one", now(), &world.answers);
    assert_eq!(outside.keys(), [("releases", "head"), ("releases", "recovered")]);
}

/// Nothing goes on: AWS is asked, and then it is said once for each time that a route allows.
#[test]
fn an_execution_without_progress_is_stuck() {
    let story = Story { stages: vec![1, 1], failures: vec![], end: End::Succeeds, pace: 1, failed_before: 0 };
    let world = story.tell();
    let stuck = |channel: &str, minutes: i64| {
        let wish = move |notice: &Notice, _: &Picture| {
            let is_long = notice.silence.is_some_and(|silence| silence >= SignedDuration::from_mins(minutes));
            (notice.kind == Kind::Stuck && is_long).then(Wish::default)
        };
        let stuck_after = Some(SignedDuration::from_mins(minutes));
        Route { channel: channel.to_owned(), is_threaded: false, stuck_after, wish: Box::new(wish) }
    };
    let mut outside = Outside::new(vec![stuck("soon", 30), stuck("late", 90)]);
    let mut thread = Thread::new(PIPELINE, EXECUTION);
    let start: Timestamp = "2026-01-05T09:00:00Z".parse().unwrap();
    // The first action runs.
    for number in 0..3 {
        outside.run(&mut thread, heard(&world, number), "one", start, &known(&world));
    }
    for (minutes, expected) in [(29, 0), (31, 1), (60, 1), (89, 1), (91, 2), (200, 2)] {
        outside.run(
            &mut thread,
            Report::Nothing,
            "schedule",
            start + SignedDuration::from_mins(minutes),
            &known(&world),
        );
        assert_eq!(outside.shown.len(), expected, "after {minutes} minutes: {:?}", outside.shown);
    }
    let titles: Vec<_> = thread.picture.notices().into_iter().filter(|notice| notice.kind == Kind::Stuck).collect();
    assert_eq!(titles[0].title, "is stuck: nothing has gone on for 1 h 30 min");
    assert_eq!(titles[0].lines[0].text, "A0 in S0");
}
