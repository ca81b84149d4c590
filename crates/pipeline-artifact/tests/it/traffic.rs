//! What goes over the wire: how much, how often, and what happens when it fails.

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use stagegate_pipeline_artifact::{
    Artifact, ArtifactError, ArtifactLocation, Entry, FailureKind, FilePatterns, Limits, Problem,
};

use crate::server::{BUCKET, Fault, SECRET_KEY, Server, job_credentials};
use crate::zip_builder::{RawEntry, zip_of};

const MIB: u64 = 1024 * 1024;

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

fn only(artifact: &Artifact, pattern: &str) -> Entry {
    let files = artifact.select(&FilePatterns::new([pattern]).unwrap()).unwrap();
    assert_eq!(files.len(), 1);
    files[0].entry.clone()
}

/// Puts an archive whose first file has `size` bytes of zeros that take no room on the disk, followed by `more`.
fn place_sparse(server: &Server, key: &str, size: u64, crc32: u32, more: Vec<RawEntry>) -> ArtifactLocation {
    let narrow = u32::try_from(size).unwrap();
    let zeros = RawEntry::stored("zeros.bin", b"").both(|header| {
        header.size = narrow;
        header.compressed_size = narrow;
        header.crc32 = crc32;
    });
    let mut entries = vec![zeros];
    entries.extend(more);
    let mut compact = zip_of(entries);
    let front = 30 + "zeros.bin".len();
    let mut offset = narrow + u32::try_from(front).unwrap();
    for entry in &mut compact.entries[1..] {
        entry.offset = Some(offset);
        offset += u32::try_from(30 + entry.local.name.len() + entry.data.len()).unwrap();
    }
    compact.more_offset = i32::try_from(size).unwrap();
    let bytes = compact.build();
    let mut file = std::fs::File::create(server.path(key)).unwrap();
    file.write_all(&bytes[..front]).unwrap();
    file.seek(SeekFrom::Start(front as u64 + size)).unwrap();
    file.write_all(&bytes[front..]).unwrap();
    server.set_etag(key);
    ArtifactLocation::new(BUCKET, key)
}

#[tokio::test]
async fn a_20_kb_report_out_of_a_1_gb_artifact_reads_less_than_256_kb() {
    let server = Server::start().await;
    let report = noise(20 * 1024);
    let mut more = vec![RawEntry::deflated("reports/TEST-web.xml", &report)];
    more.extend((0..1000).map(|number| RawEntry::stored(format!("dist/assets/chunk-{number}.js"), &[b';'; 500])));
    let location = place_sparse(&server, "web", 1024 * MIB, 0, more);
    let artifact = server.open(&location).await.unwrap();
    assert!(artifact.size() > 1024 * MIB);
    let entry = only(&artifact, "**/TEST-*.xml");
    assert_eq!(artifact.read(&entry).await.unwrap(), report);
    assert!(server.bytes_sent() < 256 * 1024, "{} bytes", server.bytes_sent());
    let requests = server.requests();
    assert_eq!(requests.len(), 2, "the tail and the report");
    assert!(requests[1].1.contains_key("if-match"), "the report must be of the same upload as the tail");
}

#[tokio::test]
async fn a_small_artifact_takes_one_request() {
    let server = Server::start().await;
    let archive = zip_of(["a.xml", "b.xml"].map(|name| RawEntry::deflated(name, &noise(30_000)))).build();
    let artifact = server.open(&server.place("small", &archive)).await.unwrap();
    for entry in artifact.entries() {
        assert_eq!(artifact.read(entry).await.unwrap(), noise(30_000));
    }
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.bytes_sent(), archive.len() as u64);
}

#[tokio::test]
async fn jobs_share_connections_and_not_credentials() {
    let server = Server::start().await;
    let location = server.place("small", &zip_of([RawEntry::stored("a", b"a")]).build());
    let clients = server.clients();
    for secret in [SECRET_KEY, "wrong", SECRET_KEY] {
        let opened = clients.for_job(job_credentials(secret)).open(location.clone(), Limits::default()).await;
        assert_eq!(opened.is_ok(), secret == SECRET_KEY);
    }
    assert_eq!(server.requests().len(), 3);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_zip64_artifact_of_5_gb_is_read() {
    const BIG: u64 = 5 * 1024 * MIB;
    let server = Server::start().await;
    let report = b"<testsuite/>";
    let mut big = RawEntry::stored("big.bin", b"");
    let mut tail = RawEntry::stored("a.xml", report);
    let zip64 = |values: &[u64]| {
        let mut field = vec![1, 0, u8::try_from(values.len() * 8).unwrap(), 0];
        values.iter().for_each(|value| field.extend(value.to_le_bytes()));
        field
    };
    big = big.both(|header| {
        header.size = u32::MAX;
        header.compressed_size = u32::MAX;
        header.extra = zip64(&[BIG, BIG]);
    });
    let front = 30 + 7 + 20;
    tail.offset = Some(u32::MAX);
    tail.central.extra = zip64(&[front + BIG]);
    let mut compact = zip_of([big, tail]);
    compact.zip64_end = true;
    compact.zip64_gap = BIG;
    let bytes = compact.build();
    let mut file = std::fs::File::create(server.path("huge")).unwrap();
    file.write_all(&bytes[..usize::try_from(front).unwrap()]).unwrap();
    file.seek(SeekFrom::Start(front + BIG)).unwrap();
    file.write_all(&bytes[usize::try_from(front).unwrap()..]).unwrap();
    server.set_etag("huge");
    let artifact = server.open(&ArtifactLocation::new(BUCKET, "huge")).await.unwrap();
    let sizes: Vec<_> = artifact.entries().iter().map(|entry| (entry.path(), entry.size())).collect();
    assert_eq!(sizes, [("a.xml", 12), ("big.bin", BIG)]);
    assert_eq!(artifact.read(&artifact.entries()[0]).await.unwrap(), report);
    let too_large = artifact.open_entry(&artifact.entries()[1]).await.unwrap_err();
    assert!(too_large.to_string().contains("5368709120 bytes in one file are more than the limit"), "{too_large}");
}

#[tokio::test]
async fn neighbouring_small_files_are_fetched_together() {
    let server = Server::start().await;
    let report = |number: usize| noise(3_000 + number % 7);
    let mut entries: Vec<_> = (0..400)
        .map(|number| RawEntry::deflated(format!("reports/{}/TEST-{number}.xml", number % 10), &report(number)))
        .collect();
    // A file between them that is not wanted and is too large to be fetched along, and one that is too large for a run.
    entries.insert(100, RawEntry::stored("core.dump", &noise(100_000)));
    entries.insert(200, RawEntry::stored("reports/TEST-large.xml", &noise(700_000)));
    entries.push(RawEntry::stored("filler", &[7; 200_000]));
    let archive = zip_of(entries).build();
    let artifact = server.open(&server.place("many", &archive)).await.unwrap();
    let files = artifact.select(&FilePatterns::new(["**/TEST-*.xml"]).unwrap()).unwrap();
    assert_eq!(files.len(), 401);
    for file in &files {
        let content = artifact.read(&file.entry).await.unwrap();
        let number = file.entry.path().rsplit(['-', '.']).nth(1).unwrap();
        let expected = number.parse().map_or_else(|_| noise(700_000), report);
        assert!(content == expected, "{}", file.entry.path());
    }
    // The tail, one run before the dump, one up to the large file, itself, and two for the 600 KB that follow.
    assert_eq!(server.requests().len(), 6);
    // Neither the dump nor the part of the filler before the tail.
    assert!(server.bytes_sent() < archive.len() as u64 - 150_000);
}

/// What sockets and HTTP buffers of both ends may hold on loopback, where the kernel allows up to 36 MiB.
const IN_FLIGHT: u64 = 64 * MIB;

/// Waits until the server has sent nothing for a while; a download that nobody stops would send everything.
fn bytes_sent_at_rest(server: &Server) -> u64 {
    let mut sent = server.bytes_sent();
    loop {
        std::thread::sleep(Duration::from_millis(300));
        let now = server.bytes_sent();
        if now == sent {
            return now;
        }
        sent = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_waits_for_a_reader_of_200_mb_that_pauses() {
    const SIZE: u64 = 200 * MIB;
    let server = Server::start().await;
    let mut hasher = crc32fast::Hasher::new();
    (0..200).for_each(|_| hasher.update(&vec![0; 1024 * 1024]));
    let location = place_sparse(&server, "big", SIZE, hasher.finalize(), vec![]);
    let artifact = server.open(&location).await.unwrap();
    let mut reader = artifact.open_entry(&only(&artifact, "zeros.bin")).await.unwrap();
    tokio::task::spawn_blocking(move || {
        let mut read = 0;
        for pause_at in [0, SIZE / 4, SIZE / 2] {
            read += std::io::copy(&mut reader.by_ref().take(pause_at - read), &mut std::io::sink()).unwrap();
            let ahead = bytes_sent_at_rest(&server) - read;
            assert!(ahead < IN_FLIGHT, "{ahead} bytes ahead at {read}");
        }
        read += std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
        assert_eq!(read, SIZE);
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_the_reader_stops_the_download() {
    let server = Server::start().await;
    let location = place_sparse(&server, "big", 200 * MIB, 0, vec![]);
    let artifact = server.open(&location).await.unwrap();
    drop(artifact.open_entry(&only(&artifact, "zeros.bin")).await.unwrap());
    let sent = tokio::task::spawn_blocking(move || bytes_sent_at_rest(&server)).await.unwrap();
    assert!(sent < IN_FLIGHT, "{sent} bytes");
}

#[tokio::test]
async fn only_a_short_file_is_at_hand() {
    let server = Server::start().await;
    // Lies in the tail, and is longer than it seems there.
    let swelling = [RawEntry::deflated("a.bin", &[7; 200_000])];
    // A short file before the tail is at hand where it has come in one piece, which is up to the network.
    for (location, expected) in [
        (server.place("short", &zip_of([RawEntry::deflated("a.bin", &noise(60_000))]).build()), true),
        (server.place("swelling", &zip_of(swelling).build()), false),
        (place_far(&server, &noise(600_000)), false),
    ] {
        let artifact = server.open(&location).await.unwrap();
        let reader = artifact.open_entry(&only(&artifact, "a.bin")).await.unwrap();
        assert_eq!(reader.is_at_hand(), expected, "{location}");
    }
}

/// An artifact whose file `a.bin` lies before the tail and takes a request of its own.
fn place_far(server: &Server, content: &[u8]) -> ArtifactLocation {
    let entries = [RawEntry::stored("a.bin", content), RawEntry::stored("filler", &[7; 200_000])];
    server.place("far", &zip_of(entries).build())
}

async fn read_far(server: &Server, faults: Vec<Fault>) -> Result<Vec<u8>, ArtifactError> {
    let location = place_far(server, &noise(100_000));
    server.fail(faults);
    let artifact = server.open(&location).await?;
    artifact.read(&only(&artifact, "a.bin")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_faults_are_overcome() {
    let cases = [
        ("500 once", vec![Fault::Answer(500, "InternalError")], 3),
        ("503 once on the file", vec![Fault::None, Fault::Answer(503, "SlowDown")], 3),
        ("tail cut", vec![Fault::CutAfter(10)], 3),
        ("file stalled", vec![Fault::None, Fault::StallAfter(50_000)], 3),
        ("file cut", vec![Fault::None, Fault::CutAfter(50_000)], 3),
        ("cut before the first byte", vec![Fault::None, Fault::CutAfter(0)], 3),
        (
            "cut five times",
            vec![
                Fault::None,
                Fault::CutAfter(9),
                Fault::CutAfter(1),
                Fault::CutAfter(70_000),
                Fault::CutAfter(1),
                Fault::CutAfter(1),
            ],
            7,
        ),
        ("slow", vec![Fault::Slow(Duration::from_millis(2)), Fault::Slow(Duration::from_millis(5))], 2),
    ];
    for (name, faults, requests) in cases {
        let server = Server::start().await;
        let content = read_far(&server, faults).await;
        assert!(content.unwrap() == noise(100_000), "{name}");
        assert_eq!(server.requests().len(), requests, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lasting_faults_are_told_in_words() {
    let answers = |status, code| (0..3).map(move |_| Fault::Answer(status, code)).collect::<Vec<_>>();
    let after_tail = |faults: Vec<Fault>| std::iter::once(Fault::None).chain(faults).collect::<Vec<_>>();
    let cuts = || (0..9).map(|_| Fault::CutAfter(0)).collect::<Vec<_>>();
    let other = zip_of([RawEntry::stored("a.bin", &noise(400_000))]).build();
    let cases = [
        (
            vec![Fault::Answer(403, "AccessDenied")],
            FailureKind::Permission,
            "denied access (AccessDenied: made by the test)",
        ),
        (
            after_tail(vec![Fault::Answer(403, "AccessDenied")]),
            FailureKind::Permission,
            "read `a.bin` in artifact s3://artifacts/far: S3 denied access",
        ),
        (vec![Fault::Answer(400, "ExpiredToken")], FailureKind::Permission, "ExpiredToken"),
        (vec![Fault::Answer(400, "KMS.DisabledException")], FailureKind::Permission, "could not use the KMS key"),
        (
            vec![Fault::Answer(404, "NoSuchKey")],
            FailureKind::Configuration,
            "a lifecycle rule of the bucket may have expired it",
        ),
        (vec![Fault::Answer(404, "NoSuchBucket")], FailureKind::Configuration, "the bucket does not exist"),
        (vec![Fault::Answer(301, "PermanentRedirect")], FailureKind::Configuration, "another AWS Region"),
        (vec![Fault::Answer(403, "InvalidObjectState")], FailureKind::Configuration, "archive storage class"),
        (
            vec![Fault::Answer(400, "InvalidRequest")],
            FailureKind::Configuration,
            "S3 refused the request (InvalidRequest: made by the test)",
        ),
        (answers(503, "SlowDown"), FailureKind::Unavailable, "S3 is not available (SlowDown: made by the test)"),
        (
            after_tail(cuts()),
            FailureKind::Unavailable,
            "the download broke off at byte 0 after 3 attempts to resume it",
        ),
        (
            after_tail(vec![Fault::Answer(412, "PreconditionFailed")]),
            FailureKind::Unavailable,
            "was replaced while it was being read",
        ),
        (after_tail(vec![Fault::Replace(other)]), FailureKind::Unavailable, "was replaced while it was being read"),
        (
            after_tail(vec![Fault::CutAfter(5), Fault::Replace(vec![1])]),
            FailureKind::Unavailable,
            "was replaced while it was being read",
        ),
    ];
    for (faults, kind, part) in cases {
        let server = Server::start().await;
        let error = read_far(&server, faults).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn silence_is_not_waited_for_without_end() {
    let server = Server::start().await;
    let location = place_far(&server, b"");
    server.fail((0..3).map(|_| Fault::Silence));
    let error = server.impatient_store().open(location, Limits::default()).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Unavailable, "{error}");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_missing_object_and_wrong_credentials_are_told_apart() {
    let server = Server::start().await;
    let missing = server.open(&ArtifactLocation::new(BUCKET, "missing")).await.unwrap_err();
    assert!(matches!(missing.problem(), Problem::Missing), "{missing}");
    let location = place_far(&server, b"");
    let store = server.store_with_secret("wrong");
    let denied = store.open(location, Limits::default()).await.unwrap_err();
    assert!(matches!(denied.problem(), Problem::AccessDenied { .. }), "{denied}");
    let everything = format!("{denied} {denied:?} {store:?}");
    assert!(!everything.contains("wrong") && !everything.contains("token-of-the-job"), "{everything}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_in_the_middle_is_no_end_of_file_and_stays() {
    let server = Server::start().await;
    let location = place_sparse(&server, "big", 20 * MIB, 0, vec![]);
    let artifact = server.open(&location).await.unwrap();
    let entry = only(&artifact, "zeros.bin");
    server.fail((0..9).map(|number| Fault::CutAfter(if number == 0 { 3_000_000 } else { 0 })));
    let mut reader = artifact.open_entry(&entry).await.unwrap();
    let (content, first, second) = tokio::task::spawn_blocking(move || {
        let mut content = Vec::new();
        let first = reader.read_to_end(&mut content).unwrap_err();
        (content, first, reader.read(&mut [0; 10]).unwrap_err())
    })
    .await
    .unwrap();
    assert!(content.len() < 3_000_000);
    for error in [&first, &second] {
        let typed = ArtifactError::from_io(error).unwrap();
        assert!(matches!(typed.problem(), Problem::Interrupted { resumes: 3, .. }), "{typed}");
        assert_eq!(typed.entry(), Some("zeros.bin"));
    }
}

#[test]
fn a_runtime_that_ends_is_no_end_of_file() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (serving, reading) = (runtime(), runtime());
    let server = serving.block_on(Server::start());
    let location = place_sparse(&server, "big", 200 * MIB, 0, vec![]);
    let mut reader = reading.block_on(async {
        let artifact = server.open(&location).await.unwrap();
        artifact.open_entry(&only(&artifact, "zeros.bin")).await.unwrap()
    });
    drop(reading);
    let error = std::io::copy(&mut reader, &mut std::io::sink()).unwrap_err();
    assert!(matches!(ArtifactError::from_io(&error).unwrap().problem(), Problem::Stopped), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_checksum_withholds_the_last_bytes_and_finish_finds_it() {
    let server = Server::start().await;
    let location = place_sparse(&server, "big", 3 * MIB, 1, vec![]);
    let artifact = server.open(&location).await.unwrap();
    let entry = only(&artifact, "zeros.bin");
    for stop_early in [true, false] {
        let mut reader = artifact.open_entry(&entry).await.unwrap();
        let error = tokio::task::spawn_blocking(move || {
            let mut buffer = [0; 1000];
            if stop_early {
                reader.read_exact(&mut buffer).unwrap();
                return reader.finish().unwrap_err().to_string();
            }
            let mut content = Vec::new();
            let error = reader.read_to_end(&mut content).unwrap_err();
            assert!((content.len() as u64) < 3 * MIB);
            error.to_string()
        });
        let error = error.await.unwrap();
        assert!(error.contains("its CRC-32 is") && error.contains("not 00000001"), "{error}");
    }
}
