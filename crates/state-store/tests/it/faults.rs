//! Writes whose answers are lost are done once.

use std::time::Duration;

use http::Method;
use stagegate_state_store::{Created, Decision, Key, Patience, Replaced, StateError, StateStore, Updated};

use crate::server::{Counter, Fault, Hold, Server};

const LATE: Duration = Duration::from_millis(150);

fn key() -> Key<Counter> {
    Key::new(&["counters", "one"])
}

fn add(by: &str) -> impl FnMut(Option<Counter>) -> Decision<Counter> + Send {
    let by = by.to_owned();
    move |former| {
        let mut counter = former.unwrap_or_default();
        counter.count += 1;
        counter.by.push(by.clone());
        Decision::Write(counter)
    }
}

fn impatient(server: &Server) -> StateStore {
    server.store().with_patience(Patience { answer_within: Duration::from_millis(60), ..Patience::default() })
}

/// Everything that can happen to a write before it is done in the end.
fn cases() -> Vec<Vec<Fault>> {
    use Fault::*;
    let answers = [Answer(409, "ConditionalRequestConflict"), Answer(503, "SlowDown"), Answer(500, "InternalError")];
    let mut cases: Vec<Vec<Fault>> = answers.into_iter().map(|answer| vec![answer]).collect();
    cases.extend([
        vec![ResetBefore],
        vec![ResetAfter],
        vec![ErrorAfter],
        vec![DoneLate(LATE)],
        vec![Slow(LATE)],
        vec![ResetBefore, ResetAfter],
        vec![DoneLate(LATE), ResetBefore, Answer(409, "ConditionalRequestConflict"), ResetAfter],
        vec![DoneLate(LATE), DoneLate(LATE), DoneLate(LATE)],
        // A refusal that is not true is found out by looking.
        vec![ResetAfter, Answer(412, "PreconditionFailed")],
        vec![ResetBefore, Answer(412, "PreconditionFailed")],
        vec![Answer(412, "PreconditionFailed")],
    ]);
    cases
}

#[tokio::test]
async fn a_creation_is_the_callers_own_however_it_is_answered() {
    for faults in cases() {
        let server = Server::start().await;
        let store = impatient(&server);
        server.fail(&Method::PUT, faults.clone());
        let created = store.create(&key(), &Counter::default()).await.unwrap();
        let Created::Now(version) = created else { panic!("{faults:?}: {created:?}") };
        let replaced = store.replace(&key(), &version, &Counter { count: 1, by: Vec::new() }).await.unwrap();
        assert!(matches!(replaced, Replaced::Now(_)), "{faults:?}");
    }
}

#[tokio::test]
async fn an_update_is_applied_once_however_it_is_answered() {
    for faults in cases() {
        let server = Server::start().await;
        let store = impatient(&server);
        server.store().update(&key(), add("before")).await.unwrap();
        server.fail(&Method::PUT, faults.clone());
        let updated = store.update(&key(), add("me")).await.unwrap();
        assert!(matches!(updated, Updated::Written(_)), "{faults:?}");
        // Attempts that are done late find that they are too late.
        tokio::time::sleep(2 * LATE).await;
        server.fail(&Method::PUT, []);
        store.update(&key(), add("after")).await.unwrap();
        let stored = store.get(&key()).await.unwrap().unwrap();
        assert_eq!(stored.document.by, ["before", "me", "after"], "{faults:?}");
    }
}

/// A write whose answer is lost, and others that write before its writer looks.
async fn lost_and_overwritten(others: usize) -> (Server, Result<Updated<Counter>, StateError>) {
    let server = Server::start().await;
    let hour = Duration::from_secs(3600);
    let patience = Patience { answer_within: hour, give_up_after: hour, ..Patience::default() };
    let (store, other) = (server.store().with_patience(patience), server.store());
    store.update(&key(), add("before")).await.unwrap();
    let hold = Hold::default();
    let (mut lost, mut look) = (false, Some(Fault::Held(hold.clone())));
    server.decide(move |method| match *method {
        Method::PUT if !lost => {
            lost = true;
            Fault::ResetAfter
        }
        Method::GET if lost => look.take().unwrap_or(Fault::None),
        _ => Fault::None,
    });
    let mine = tokio::spawn(async move { store.update(&key(), add("me")).await });
    hold.reached.notified().await;
    for _ in 0..others {
        other.update(&key(), add("other")).await.unwrap();
    }
    hold.release.notify_one();
    let outcome = mine.await.unwrap();
    (server, outcome)
}

#[tokio::test]
async fn a_lost_answer_is_found_below_the_writes_of_others() {
    let (server, outcome) = lost_and_overwritten(3).await;
    assert!(matches!(outcome, Ok(Updated::Written(_))), "{outcome:?}");
    let stored = server.store().get(&key()).await.unwrap().unwrap();
    assert_eq!(stored.document.by, ["before", "me", "other", "other", "other"]);
    // What was overwritten cannot be replaced.
    let Ok(Updated::Written(written)) = outcome else { return };
    let replaced = server.store().replace(&key(), &written.version, &Counter::default()).await.unwrap();
    assert_eq!(replaced, Replaced::Changed(Some(stored)));
}

#[tokio::test]
async fn an_outcome_that_cannot_be_known_is_not_guessed() {
    let (server, outcome) = lost_and_overwritten(65).await;
    let error = outcome.unwrap_err();
    assert!(error.may_have_been_written(), "{error}");
    assert!(error.to_string().contains("more than 64 others have written it since"), "{error}");
    let stored = server.store().get(&key()).await.unwrap().unwrap();
    assert_eq!(stored.document.by.iter().filter(|by| *by == "me").count(), 1);
}
