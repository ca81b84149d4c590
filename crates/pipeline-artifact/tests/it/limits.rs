//! Bounds, and what is said when they are exceeded.

use std::io::Write;

use stagegate_pipeline_artifact::{ArtifactError, FailureKind, FilePatterns, Limits};

use crate::server::Server;
use crate::zip_builder::{RawEntry, zip_of};

const MIB: usize = 1024 * 1024;

async fn read_all(server: &Server, archive: &[u8], limits: Limits) -> Result<usize, ArtifactError> {
    let artifact = server.store().open(server.place("artifact", archive), limits).await?;
    let mut total = 0;
    for file in artifact.select(&FilePatterns::new(["**"]).unwrap())? {
        total += artifact.read(&file.entry).await?.len();
    }
    Ok(total)
}

#[tokio::test]
async fn each_limit_is_named_with_its_number() {
    let server = Server::start().await;
    let three = zip_of(["a", "b", "c"].map(|name| RawEntry::deflated(name, &[b'x'; 1000]))).build();
    let bomb = zip_of([RawEntry::deflated("bomb", &vec![0; 4 * MIB])]).build();
    let lying_bomb = zip_of([RawEntry::deflated("bomb", &vec![0; 4 * MIB]).both(|header| header.size = 100)]).build();
    let fine = Limits::default();
    let cases: Vec<(&[u8], Limits, Result<usize, &str>)> = vec![
        (&three, fine.clone(), Ok(3000)),
        (
            &three,
            Limits { entries: 3, selected_files: 3, total_bytes: 3000, entry_bytes: 1000, ..fine.clone() },
            Ok(3000),
        ),
        (
            &three,
            Limits { entries: 2, ..fine.clone() },
            Err("artifact: 3 entries in the archive are more than the limit of 2"),
        ),
        (
            &three,
            Limits { directory_bytes: 140, ..fine.clone() },
            Err("artifact: 141 bytes of central directory are more than the limit of 140"),
        ),
        (
            &three,
            Limits { selected_files: 2, ..fine.clone() },
            Err("artifact: 3 files matched by the patterns are more than the limit of 2"),
        ),
        (
            &three,
            Limits { entry_bytes: 999, ..fine.clone() },
            Err("read `a` in artifact s3://artifacts/artifact: 1000 bytes in one file are more than the limit of 999"),
        ),
        (
            &three,
            Limits { total_bytes: 2999, ..fine.clone() },
            Err(
                "read `c` in artifact s3://artifacts/artifact: 3000 bytes in all files read from one artifact are more than the limit of 2999",
            ),
        ),
        (
            &three,
            Limits { in_memory_bytes: 999, ..fine.clone() },
            Err(
                "read `a` in artifact s3://artifacts/artifact: 1000 bytes in a file that is read into memory are more than the limit of 999",
            ),
        ),
        (&bomb, fine.clone(), Err("inflated bytes per compressed byte are more than the limit of 500")),
        (&bomb, Limits { ratio: 1100, ..fine.clone() }, Ok(4 * MIB)),
        (&lying_bomb, fine, Err("it is declared as 100 bytes and inflates to")),
    ];
    for (archive, limits, expected) in cases {
        match (read_all(&server, archive, limits).await, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{error}");
                assert_eq!(error.kind(), FailureKind::InvalidArtifact);
            }
            (found, expected) => panic!("{found:?}, expected {expected:?}"),
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_entries_are_listed_and_one_is_read() {
    let server = Server::start().await;
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for number in 0..100_000 {
        writer.start_file(format!("node_modules/package-{}/file-{number}.js", number / 100), options).unwrap();
    }
    writer.start_file("reports/TEST-a.xml", options).unwrap();
    writer.write_all(b"<testsuite/>").unwrap();
    let archive = writer.finish().unwrap().into_inner();
    let location = server.place("large", &archive);
    server.set_etag("large");
    let artifact = server.open(&location).await.unwrap();
    assert_eq!(artifact.entries().len(), 100_001);
    let files = artifact.select(&FilePatterns::new(["**/TEST-*.xml"]).unwrap()).unwrap();
    assert_eq!(files.len(), 1);
    assert_eq!(artifact.read(&files[0].entry).await.unwrap(), b"<testsuite/>");
    // The directory arrives by one request besides the tail, the file by another.
    assert_eq!(server.requests().len(), 3);
}
