//! Order, number and loss of the events of one execution.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::task::JoinSet;

use crate::world::{Case, ONCALL, RELEASES, ROUTES, Story, World};

/// How the events of a story arrive.
#[derive(Clone, Debug)]
struct Delivery {
    story: usize,
    /// The order, in which each event stands twice; numbers beyond the last event count from the front again.
    order: Vec<usize>,
    lost: Vec<bool>,
    /// Whether many arrive at the same time.
    at_once: bool,
}

/// No story has more events.
const MOST: usize = 40;

fn deliveries(stories: usize) -> impl Strategy<Value = Delivery> {
    let order = Just((0..MOST).chain(0..MOST).collect::<Vec<_>>()).prop_shuffle();
    let lost = prop::collection::vec(prop::bool::weighted(0.4), MOST);
    (0..stories, order, lost, any::<bool>()).prop_map(|(story, order, lost, at_once)| Delivery {
        story,
        order,
        lost,
        at_once,
    })
}

/// Delivers, and then lets the schedule do its work. Gives what both channels show, and the number of posts.
async fn deliver(case: &Case, story: &Story, numbers: &[usize], at_once: bool) -> (Vec<String>, Vec<String>, usize) {
    if at_once {
        let mut all = JoinSet::new();
        for (index, number) in numbers.iter().enumerate() {
            let (notifier, event) = (case.notifier.clone(), story.events[*number].clone());
            let visit = deploy_notify::Visit {
                holder: format!("event-{index}"),
                clock: stagegate_desk::Clock::showing(case.start),
                ends: tokio::time::Instant::now() + crate::world::PATIENCE,
            };
            all.spawn(
                async move { notifier.handle(&event, &visit).await.map(|_| ()).map_err(|error| error.to_string()) },
            );
        }
        while let Some(done) = all.join_next().await {
            // Lambda tries again what others have overtaken too often.
            if let Err(why) = done.unwrap() {
                assert!(why.contains("others changed it"), "{why}");
            }
        }
    } else {
        for (index, number) in numbers.iter().enumerate() {
            case.hear(&story.events[*number], &format!("event-{index}"), 0).await;
        }
    }
    case.round(6).await;
    case.round(12).await;
    assert_eq!(case.round(18).await, 0, "something stays open: {:?}", case.shown(RELEASES));
    (case.shown(RELEASES), case.shown(ONCALL), case.posts())
}

#[test]
fn any_order_number_and_loss_gives_the_same_messages() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (world, stories) = runtime.block_on(async {
        let world = World::new().await;
        let stories = [world.run(0, true).await, world.run(1, true).await, world.run(2, false).await];
        (world, stories)
    });
    let expected: Vec<_> = stories
        .iter()
        .enumerate()
        .map(|(number, story)| {
            assert!(story.events.len() <= MOST, "{}", story.events.len());
            runtime.block_on(async {
                let case = world.case(&format!("expected-{number}"), ROUTES).await;
                deliver(&case, story, &(0..story.events.len()).collect::<Vec<_>>(), false).await
            })
        })
        .collect();
    // A release, one that recovers from its own failure, and one that fails twice.
    let posts: Vec<_> = expected.iter().map(|(_, _, posts)| *posts).collect();
    assert_eq!(posts, [1, 1 + 2 + 2, 1 + 2 + 2], "{expected:#?}");
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(20) });
    let number = std::cell::Cell::new(0);
    let done = runner.run(&deliveries(stories.len()), |delivery| {
        let story = &stories[delivery.story];
        let count = story.events.len();
        let kept = delivery.order.iter().copied().filter(|number| *number < count && !delivery.lost[*number]);
        let mut numbers: Vec<_> = kept.collect();
        // Of an execution of which nothing at all is heard, nobody knows.
        if numbers.is_empty() {
            numbers.push(delivery.order[0] % count);
        }
        number.set(number.get() + 1);
        let found = runtime.block_on(async {
            let case = world.case(&format!("case-{}", number.get()), ROUTES).await;
            deliver(&case, story, &numbers, delivery.at_once).await
        });
        prop_assert_eq!(&found, &expected[delivery.story]);
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}
