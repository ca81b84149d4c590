//! Documents come back as they were written, and only once, by one writer.

use http::Method;
use jiff::Timestamp;
use stagegate_local_aws::LocalS3;
use stagegate_state_store::{Created, Decision, Document, ErrorKind, Folder, Key, Replaced, StateStore, Updated};
use stagegate_verdict::{Execution, Finding, Outcome, Verdict, VerdictBuilder};

use crate::server::{BUCKET, Counter, SECRET_KEY, Server};

fn counter(count: u64) -> Counter {
    Counter { count, by: Vec::new() }
}

fn key() -> Key<Counter> {
    Key::new(&["counters", "a / b", ".."])
}

async fn put_raw(s3: &LocalS3, key: &str, content: &str) {
    use stagegate_local_codepipeline::provider::ArtifactBucket;
    s3.put(BUCKET, key, content.as_bytes().to_vec()).await.unwrap();
}

#[tokio::test]
async fn a_document_is_created_once_and_replaced_by_those_who_know_it() {
    let server = Server::start().await;
    let store = server.store();
    assert_eq!(store.get(&key()).await.unwrap(), None);
    let Created::Now(first) = store.create(&key(), &counter(1)).await.unwrap() else { panic!("it was there") };
    let Created::AlreadyExists(stored) = store.create(&key(), &counter(7)).await.unwrap() else {
        panic!("created twice")
    };
    assert_eq!((&stored.document, &stored.version), (&counter(1), &first));
    let Replaced::Now(second) = store.replace(&key(), &first, &counter(2)).await.unwrap() else { panic!("changed") };
    assert_ne!(first, second);
    // The content of before under a version of its own: `first` does not fit it.
    let Replaced::Now(third) = store.replace(&key(), &second, &counter(1)).await.unwrap() else { panic!("changed") };
    let Replaced::Changed(Some(stored)) = store.replace(&key(), &first, &counter(9)).await.unwrap() else {
        panic!("a replacement of a version that is gone")
    };
    assert_eq!((&stored.document, &stored.version), (&counter(1), &third));
    assert_eq!(store.get(&key()).await.unwrap().map(|stored| stored.document), Some(counter(1)));
    let elsewhere = Key::new(&["counters", "other"]);
    assert_eq!(store.replace(&elsewhere, &third, &counter(1)).await.unwrap(), Replaced::Changed(None));
}

#[tokio::test]
async fn an_update_may_create_change_and_leave() {
    let server = Server::start().await;
    let store = server.store();
    let add = |former: Option<Counter>| Decision::Write(counter(former.map_or(1, |former| former.count + 1)));
    for expected in 1..=3 {
        let Updated::Written(stored) = store.update(&key(), add).await.unwrap() else { panic!("left") };
        assert_eq!(stored.document.count, expected);
        assert_eq!(store.get(&key()).await.unwrap(), Some(stored));
    }
    let writes = server.requests(&Method::PUT);
    assert_eq!(store.update(&key(), |_| Decision::Leave).await.unwrap(), Updated::Left);
    assert_eq!(server.requests(&Method::PUT), writes);
}

fn verdict(gate: &str) -> Verdict {
    let execution = Execution { pipeline: Some("web".to_owned()), ..Execution::default() };
    let mut verdict = VerdictBuilder::new(gate, execution);
    verdict.finding(Finding::new("tests.max_failed", Outcome::Passed, "no test failed"));
    verdict.build(Timestamp::UNIX_EPOCH)
}

#[tokio::test]
async fn verdicts_are_found_by_their_execution() {
    let server = Server::start().await;
    let store = server.store();
    let gates = ["web-tests", "smoke / eu", "..", "tests.json"];
    for gate in gates {
        let created = store.create(&Key::verdict("e-1", gate), &verdict(gate)).await.unwrap();
        assert!(matches!(created, Created::Now(_)), "{gate}");
    }
    store.create(&Key::verdict("e-10", "other"), &verdict("other")).await.unwrap();
    let keys = store.list(&Folder::verdicts("e-1"), 4).await.unwrap();
    let mut names: Vec<_> = keys.iter().filter_map(Key::name).collect();
    names.sort_unstable();
    assert_eq!(names, ["..", "smoke / eu", "tests.json", "web-tests"]);
    for key in keys {
        let stored = store.get(&key).await.unwrap().unwrap();
        assert_eq!(Some(stored.document.gate()), key.name());
    }
    let error = store.list(&Folder::verdicts("e-1"), 3).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(store.list(&Folder::verdicts("e-2"), 3).await.unwrap(), []);
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let server = Server::start().await;
    for number in 0..1005 {
        put_raw(&server.s3, &format!("baselines/web/g{number:04}.json"), "{}").await;
    }
    let keys = server.store().list(&Folder::<Verdict>::baselines("web"), 2000).await.unwrap();
    assert_eq!(keys.len(), 1005);
    assert_eq!((keys[0].name(), keys[1004].name()), (Some("g0000"), Some("g1004")));
    assert_eq!(server.requests(&Method::GET), 2);
}

async fn check_error(store: &StateStore, kind: ErrorKind, expected: &[&str]) {
    let read = store.get(&key()).await.unwrap_err();
    let updated = store.update(&key(), |_| Decision::Write(counter(1))).await.unwrap_err();
    for error in [read, updated] {
        assert_eq!(error.kind(), kind, "{error}");
        for expected in expected {
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_damaged_is_neither_read_nor_overwritten() {
    let server = Server::start().await;
    let (store, key) = (server.store(), key());
    let cases = [
        (r#"{"kind":"counter","version":1,"write":"w","document":{"count":"hunter2"}}"#, ErrorKind::Corrupt),
        (r#"{"kind":"counter","version":1,"write":"w","document":{"count":7,"by":["hunter2"#, ErrorKind::Corrupt),
        (r#"{"count":7,"password":"hunter2"}"#, ErrorKind::Corrupt),
        (r#"{"kind":"hunter2","version":1,"write":"w","document":{}}"#, ErrorKind::Corrupt),
        (r#"{"kind":"counter","version":2,"write":"w","document":{}}"#, ErrorKind::Configuration),
        ("", ErrorKind::Corrupt),
    ];
    for (content, kind) in cases {
        put_raw(&server.s3, key.as_str(), content).await;
        check_error(&store, kind, &["s3://state/counters/a!20!2F!20b/!2E..json: "]).await;
        assert_eq!(store.create(&key, &counter(1)).await.unwrap_err().kind(), kind);
    }
    put_raw(&server.s3, key.as_str(), &"x".repeat(Counter::MAX_BYTES + 10_000)).await;
    check_error(&store, ErrorKind::Limit, &["the counter has more bytes, and 1048576 are allowed"]).await;
    let huge = Counter { count: 1, by: vec!["x".repeat(Counter::MAX_BYTES)] };
    let error = store.create(&Key::new(&["counters", "huge"]), &huge).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
}

#[tokio::test]
async fn a_foreign_object_in_a_folder_is_named() {
    let server = Server::start().await;
    let store = server.store();
    put_raw(&server.s3, "executions/e/verdicts/readme.txt", "").await;
    let error = store.list(&Folder::verdicts("e"), 10).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("executions/e/verdicts/readme.txt"), "{error}");
}

#[tokio::test]
async fn nothing_shows_what_a_document_contains() {
    let server = Server::start().await;
    let store = server.store();
    let secret = Counter { count: 1, by: vec!["hunter2".to_owned()] };
    let created = store.create(&key(), &secret).await.unwrap();
    let again = store.create(&key(), &secret).await.unwrap();
    let stored = store.get(&key()).await.unwrap();
    let shown = format!("{created:?} {again:?} {stored:?} {store:?} {:?}", key());
    assert!(!shown.contains("hunter2") && !shown.contains(SECRET_KEY), "{shown}");
}
