//! Damage anywhere in an artifact: everything exact, or an error; never something else.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::archives::read_reports;
use crate::server::Server;
use crate::zip_builder::{RawEntry, zip_of};

fn sound() -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let one = b"<testsuite><testcase name='a'/><testcase name='b'/></testsuite>".to_vec();
    let two = b"<testsuite><testcase name='c'><failure/></testcase></testsuite>".to_vec();
    let archive = zip_of([
        RawEntry::stored("t/", b""),
        RawEntry::deflated("t/a.xml", &one),
        RawEntry::stored("t/b.xml", &two),
        RawEntry::deflated("c.xml", &two).streamed(true, false),
    ])
    .build();
    (archive, vec![("c.xml".to_owned(), two.clone()), ("t/a.xml".to_owned(), one), ("t/b.xml".to_owned(), two)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn truncation_at_any_byte_is_an_error() {
    let server = Server::start().await;
    let (archive, _) = sound();
    for length in 0..archive.len() {
        let found = read_reports(&server, "artifact", &archive[..length]).await;
        assert!(found.is_err(), "cut to {length} of {} bytes: {found:?}", archive.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_byte_changes_no_content_silently() {
    let server = Server::start().await;
    let (archive, reports) = sound();
    for position in 0..archive.len() {
        for change in [0x01, 0x5b, 0xff] {
            let mut damaged = archive.clone();
            damaged[position] ^= change;
            if let Ok(found) = read_reports(&server, "artifact", &damaged).await {
                assert_eq!(found, reports, "byte {position} ^ {change:#04x}");
            }
        }
    }
}

#[test]
fn random_damage_changes_no_content_silently() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(Server::start());
    let (archive, reports) = sound();
    let length = archive.len();
    let damage = prop_oneof![
        // Some bytes set at random.
        proptest::collection::vec((0..length, any::<u8>()), 1..8).prop_map({
            let archive = archive.clone();
            move |changes| {
                let mut damaged = archive.clone();
                changes.into_iter().for_each(|(position, value)| damaged[position] = value);
                damaged
            }
        }),
        // A piece replaced by another piece of the same archive, of any length.
        (0..length, 0..length, 0..length, 0..length).prop_map({
            let archive = archive.clone();
            move |(a, b, c, d)| {
                let mut damaged = archive.clone();
                let piece = archive[c.min(d)..c.max(d)].to_vec();
                damaged.splice(a.min(b)..a.max(b), piece);
                damaged
            }
        }),
    ];
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let result = runner.run(&damage, |damaged| {
        if let Ok(found) = runtime.block_on(read_reports(&server, "artifact", &damaged)) {
            prop_assert_eq!(&found, &reports);
        }
        Ok(())
    });
    result.unwrap();
}
