//! Order, number and loss of events.

use jiff::Timestamp;
use proptest::prelude::*;
use stagegate_notice::{Kind, Mark, Picture, Status};

use crate::world::{EXECUTION, End, PIPELINE, Story, stories, thread};

/// A story, an order of its events in which some stand twice, and which of them are lost.
fn told() -> impl Strategy<Value = (Story, Vec<usize>, Vec<bool>)> {
    stories().prop_flat_map(|story| {
        let events = story.tell().events.len();
        let twice: Vec<usize> = (0..events).chain(0..events).collect();
        let order = Just(twice).prop_shuffle();
        (Just(story), order, prop::collection::vec(any::<bool>(), events))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The order and the number of the events change nothing, also of what is not shown.
    #[test]
    fn any_order_and_number_gives_the_same_picture((story, order, _) in told()) {
        let world = story.tell();
        let in_order = thread(&world.events, None);
        let shuffled = thread(order.iter().map(|number| &world.events[*number]), None);
        prop_assert_eq!(shuffled, in_order);
    }

    /// What was lost is made good by asking: the head and the notices are the same, to the letter.
    #[test]
    fn what_was_lost_is_repaired((story, order, lost) in told()) {
        let world = story.tell();
        let whole = thread(&world.events, Some(&world.answers));
        let kept = order.iter().filter(|number| !lost[**number]).map(|number| &world.events[*number]);
        let repaired = thread(kept, Some(&world.answers));
        prop_assert_eq!(repaired.head(), whole.head());
        // When it failed and succeeded is known to the second, and from the answers a little later.
        let keys = |thread: &stagegate_notice::Thread| {
            let notices = thread.picture.notices().into_iter().filter(|notice| notice.kind != Kind::Recovered);
            notices.map(|notice| (notice.key, notice.title, notice.lines)).collect::<Vec<_>>()
        };
        prop_assert_eq!(keys(&repaired), keys(&whole));
        let recovered = |thread: &stagegate_notice::Thread| {
            thread.picture.notices().iter().filter(|notice| notice.kind == Kind::Recovered).count()
        };
        prop_assert_eq!(recovered(&repaired), recovered(&whole));
    }

    /// What people have heard stays true: no event takes a notice back.
    #[test]
    fn notices_only_become_more((story, order, _) in told()) {
        let world = story.tell();
        let mut picture = Picture::default();
        let mut known: Vec<String> = Vec::new();
        for number in order {
            picture.join(&Picture::of(&world.events[number], Timestamp::UNIX_EPOCH));
            let now: Vec<_> = picture.notices().into_iter().map(|notice| notice.key).collect();
            prop_assert!(known.iter().all(|key| now.contains(key)), "{:?} {:?}", known, now);
            known = now;
        }
    }

    /// Whatever was lost before it: with the end in success known, nothing is shown to go on.
    #[test]
    fn nothing_runs_in_an_execution_that_has_succeeded((story, _, lost) in told()) {
        let world = story.tell();
        let last = world.events.len() - 1;
        let kept = world.events.iter().enumerate().filter(|(number, _)| *number == last || !lost[*number]);
        let head = thread(kept.map(|(_, event)| event), None).head();
        let goes_on = |mark: Mark| matches!(mark, Mark::Running | Mark::Waiting);
        let any = head.stages.iter().any(|stage| goes_on(stage.mark) || stage.actions.iter().any(|(_, mark)| goes_on(*mark)));
        prop_assert!(story.end != End::Succeeds || !any, "{:?}", head);
    }

    /// The picture says what happened.
    #[test]
    fn the_picture_is_true(story in stories()) {
        let world = story.tell();
        for answers in [None, Some(&world.answers)] {
            let thread = thread(&world.events, answers);
            let head = thread.head();
            let last = story.stages.len() - 1;
            let (status, mark, begun) = match story.end {
                End::Succeeds => (Status::Succeeded, Mark::Done, last),
                End::FailsInTheLastStage => (Status::Failed, Mark::Failed, last),
                End::IsStopped => (Status::Stopped, Mark::Stopped, last),
                End::IsSuperseded => (Status::Superseded, Mark::Stopped, last),
            };
            prop_assert_eq!(head.status, status);
            let marks: Vec<_> = head.stages.iter().map(|stage| stage.mark).collect();
            let mut expected = vec![Mark::Done; begun];
            expected.push(mark);
            prop_assert_eq!(marks, expected);
            let failed = story.failures.len() + usize::from(story.end == End::FailsInTheLastStage);
            let notices = thread.picture.notices();
            let count = |kind| notices.iter().filter(|notice| notice.kind == kind).count();
            prop_assert_eq!(count(Kind::Failed), failed);
            let was_red = !story.failures.is_empty() || answers.is_some() && story.failed_before > 0;
            prop_assert_eq!(count(Kind::Recovered), usize::from(story.end == End::Succeeds && was_red));
        }
    }

    #[test]
    fn joining_is_commutative_associative_and_idempotent(
        (one, _, chosen) in told(),
        (other, _, others) in told(),
    ) {
        let part = |story: &Story, chosen: &[bool]| {
            let world = story.tell();
            let kept = world.events.iter().zip(chosen).filter(|(_, keep)| **keep).map(|(event, _)| event);
            thread(kept, chosen[0].then_some(&world.answers)).picture
        };
        let joined = |pictures: &[&Picture]| {
            let mut all = Picture::default();
            pictures.iter().for_each(|picture| all.join(picture));
            all
        };
        let (a, b) = (part(&one, &chosen), part(&other, &others));
        let c = part(&one, &chosen.iter().map(|keep| !keep).collect::<Vec<_>>());
        prop_assert_eq!(joined(&[&a, &b]), joined(&[&b, &a]));
        prop_assert_eq!(joined(&[&a, &joined(&[&b, &c])]), joined(&[&joined(&[&a, &b]), &c]));
        prop_assert_eq!(joined(&[&a, &a]), a.clone());
        let written = serde_json::to_string(&a).unwrap();
        prop_assert_eq!(serde_json::from_str::<Picture>(&written).unwrap(), a);
    }
}

#[test]
fn a_recovery_says_how_long_and_how_often_it_was_red() {
    let story = Story { stages: vec![1, 1], failures: vec![1], end: End::Succeeds, pace: 60, failed_before: 1 };
    let world = story.tell();
    let thread = thread(&world.events, Some(&world.answers));
    let titles: Vec<_> = thread.picture.notices().into_iter().map(|notice| notice.title).collect();
    assert_eq!(
        titles,
        [
            "was started by mary",
            "A0 has failed in S1",
            "has succeeded",
            "is green again after 3 h 16 min, 2 failed executions",
        ]
    );
    assert_eq!((thread.pipeline.as_str(), thread.execution.as_str()), (PIPELINE, EXECUTION));
}
