//! Archives that must not be unpacked.

use std::io::{Cursor, Write};

use stagegate_local_actions::CodeBuildProvider;
use stagegate_local_clock::Clock;
use stagegate_local_codepipeline::provider::ActionProvider;
use zip::write::SimpleFileOptions;

use crate::support::{Bucket, no_progress, request, zip_of};

async fn check(name: &str, body: Vec<u8>, expected: &str) {
    let (bucket, data) = (Bucket::new(), tempfile::tempdir().unwrap());
    bucket.store("Source", body);
    let provider = CodeBuildProvider::new(data.path().join("data"), bucket, Clock::system());
    let asked = request("CodeBuild", &[("ProjectName", "web")], &["Source"], &[]);
    let failure = provider.run(asked, no_progress()).await.unwrap_err();
    assert!(failure.message.contains(expected), "{name}: no {expected:?} in {:?}", failure.message);
    let outside: Vec<_> = std::fs::read_dir(data.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(outside, ["data"], "{name}: nothing may be written outside");
}

fn with_links(links: &[(&str, &str)], files: &[&str]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, target) in links {
        zip.add_symlink(*name, *target, SimpleFileOptions::default()).unwrap();
    }
    for name in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(b"x").unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn unsafe_archives_are_refused() {
    for name in ["../../../escaped", "/tmp/stagegate-escaped", "a/../../../../escaped", "a\\..\\b"] {
        check(name, zip_of(&[("buildspec.yml", ""), (name, "x")]), "is not a plain relative path").await;
    }
    check("link out", with_links(&[("out", "../../..")], &[]), "outside of the folder").await;
    check("absolute link", with_links(&[("out", "/tmp")], &[]), "outside of the folder").await;
    check("through a link", with_links(&[("out", ".")], &["out/file"]), "the symbolic link \"out\"").await;
    check("no archive", b"not a zip".to_vec(), "not a readable ZIP archive").await;
    let whole = zip_of(&[("buildspec.yml", "version: 0.2")]);
    check("cut", whole[..whole.len() - 30].to_vec(), "not a readable ZIP archive").await;
}
