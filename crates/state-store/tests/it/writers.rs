//! Many writers of one document.

use std::collections::BTreeSet;
use std::time::Duration;

use stagegate_state_store::{Created, Decision, Key, Patience, Updated};
use tokio::task::JoinSet;

use crate::server::{Counter, Fault, Server};

const CLIENTS: usize = 8;
const TASKS: usize = 50;

fn key() -> Key<Counter> {
    Key::new(&["counters", "one"])
}

/// A sequence that looks random and is the same each time.
fn random() -> impl FnMut() -> u64 {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// Each of 8 clients has its 50 tasks add a mark of their own.
async fn count(server: &Server, patience: Patience) -> Counter {
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let store = server.store().with_patience(patience);
        clients.spawn(async move {
            for task in 0..TASKS {
                let mark = format!("{client}.{task}");
                let key = key();
                let updated = store.update(&key, |former| {
                    let mut counter: Counter = former.unwrap_or_default();
                    counter.count += 1;
                    counter.by.push(mark.clone());
                    Decision::Write(counter)
                });
                assert!(matches!(updated.await.unwrap(), Updated::Written(_)), "{mark}");
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    server.decide(|_| Fault::None);
    server.store().get(&key()).await.unwrap().unwrap().document
}

fn check(counter: &Counter) {
    assert_eq!(counter.count, (CLIENTS * TASKS) as u64);
    assert_eq!(counter.by.len(), CLIENTS * TASKS);
    assert_eq!(counter.by.iter().collect::<BTreeSet<_>>().len(), CLIENTS * TASKS);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_repeated() {
    let server = Server::start().await;
    check(&count(&server, Patience::default()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_and_nothing_repeated_while_s3_fails() {
    let server = Server::start().await;
    let mut random = random();
    server.decide(move |_| match random() % 40 {
        0 => Fault::Answer(409, "ConditionalRequestConflict"),
        1 => Fault::Answer(503, "SlowDown"),
        2 => Fault::Answer(500, "InternalError"),
        3 => Fault::ResetBefore,
        4..=6 => Fault::ResetAfter,
        7 => Fault::ErrorAfter,
        8 => Fault::Slow(Duration::from_millis(20)),
        9 => Fault::DoneLate(Duration::from_millis(20)),
        _ => Fault::None,
    });
    // A read that fails pauses, and the others go on writing: more than enough of them to be remembered.
    check(&count(&server, Patience { attempts: 400, ..Patience::default() }).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_creates() {
    let server = Server::start().await;
    for round in 0..10 {
        let key = Key::<Counter>::new(&["rounds", &round.to_string()]);
        let mut clients = JoinSet::new();
        for client in 0..16 {
            let (store, key) = (server.store(), key.clone());
            clients.spawn(async move {
                let mine = Counter { count: client, by: Vec::new() };
                (client, store.create(&key, &mine).await.unwrap())
            });
        }
        let outcomes = clients.join_all().await;
        let winners: Vec<_> = outcomes.iter().filter(|(_, created)| matches!(created, Created::Now(_))).collect();
        let [(winner, _)] = winners[..] else { panic!("{} have created it", winners.len()) };
        for (client, created) in &outcomes {
            if let Created::AlreadyExists(stored) = created {
                assert_eq!(stored.document.count, *winner, "{client}");
            }
        }
    }
}
