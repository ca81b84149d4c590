//! Answers of S3 that a person has to do something about.

use std::time::Duration;

use http::Method;
use stagegate_state_store::{Decision, ErrorKind, Folder, Key, Patience, StateError, StateStore};
use stagegate_verdict::Verdict;

use crate::server::{BUCKET, Counter, Fault, SECRET_KEY, Server};

async fn fail_each(store: &StateStore) -> [StateError; 3] {
    let key = Key::<Counter>::new(&["counters", "one"]);
    [
        store.get(&key).await.unwrap_err(),
        store.create(&key, &Counter::default()).await.unwrap_err(),
        store.list(&Folder::<Verdict>::verdicts("e"), 10).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_missing_right_is_named_with_its_bucket() {
    let server = Server::start().await;
    server.decide(|_| Fault::Answer(403, "AccessDenied"));
    let rights = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"];
    for (error, right) in fail_each(&server.store()).await.iter().zip(rights) {
        assert_eq!(error.kind(), ErrorKind::Permission);
        let text = error.to_string();
        assert!(text.contains(right) && text.contains("bucket state") && text.contains("AccessDenied"), "{text}");
        assert!(!error.may_have_been_written());
    }
    // A wrong secret is answered by the server itself.
    server.decide(|_| Fault::None);
    let error = &fail_each(&server.store_of(BUCKET, "wrong")).await[0];
    assert_eq!(error.kind(), ErrorKind::Permission, "{error}");
    assert!(!error.to_string().contains(SECRET_KEY), "{error}");
}

#[tokio::test]
async fn answers_that_will_not_change_are_not_asked_for_again() {
    let cases = [
        (404, "NoSuchBucket", ErrorKind::Configuration, "the bucket does not exist"),
        (301, "PermanentRedirect", ErrorKind::Configuration, "another AWS Region"),
        (400, "KMS.DisabledException", ErrorKind::Permission, "kms:Decrypt"),
        (400, "InvalidRequest", ErrorKind::Configuration, "InvalidRequest"),
        (400, "ExpiredToken", ErrorKind::Permission, "ExpiredToken"),
    ];
    for (status, code, kind, text) in cases {
        let server = Server::start().await;
        server.decide(move |_| Fault::Answer(status, code));
        for error in fail_each(&server.store()).await {
            assert_eq!(error.kind(), kind, "{code}: {error}");
            assert!(error.to_string().contains(text), "{code}: {error}");
        }
        let asked = server.requests(&Method::GET) + server.requests(&Method::PUT);
        assert_eq!(asked, 3, "{code}");
    }
}

#[tokio::test]
async fn a_service_that_stays_away_is_given_up() {
    let server = Server::start().await;
    let patience = Patience { attempts: 4, ..Patience::default() };
    let store = server.store().with_patience(patience);
    for fault in [Fault::Answer(503, "SlowDown"), Fault::Answer(500, "InternalError"), Fault::ResetBefore] {
        let may_have_been_written = fault != Fault::Answer(503, "SlowDown");
        server.decide(move |_| fault.clone());
        let errors = fail_each(&store).await;
        for error in &errors {
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
            assert!(error.to_string().contains("run it again"), "{error}");
        }
        assert_eq!(errors.map(|error| error.may_have_been_written()), [false, may_have_been_written, false]);
    }
}

#[tokio::test]
async fn time_is_bounded_too() {
    let server = Server::start().await;
    let (answer_within, give_up_after) = (Duration::from_millis(50), Duration::from_millis(300));
    let store = server.store().with_patience(Patience { answer_within, give_up_after, attempts: 1000 });
    server.decide(|_| Fault::Slow(Duration::from_secs(3600)));
    for error in fail_each(&store).await {
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.to_string().contains("no answer in time"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_who_are_always_faster_are_told_of() {
    let server = Server::start().await;
    let key = Key::<Counter>::new(&["counters", "one"]);
    let store = server.store().with_patience(Patience { attempts: 3, ..Patience::default() });
    let others = server.store();
    let handle = tokio::runtime::Handle::current();
    let error = store
        .update(&key, |_| {
            // Between this writer's reading and its writing, another writes.
            let (others, key, handle) = (others.clone(), key.clone(), handle.clone());
            let wrote = std::thread::spawn(move || {
                handle.block_on(others.update(&key, |_| Decision::Write(Counter::default()))).unwrap();
            });
            tokio::task::block_in_place(|| wrote.join().unwrap());
            Decision::Write(Counter::default())
        })
        .await;
    let error = error.unwrap_err();
    assert_eq!((error.kind(), error.may_have_been_written()), (ErrorKind::Unavailable, false));
    assert!(error.to_string().contains("each of the 3 times"), "{error}");
}
