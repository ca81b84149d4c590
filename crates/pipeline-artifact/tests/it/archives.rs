//! Which archives are read, and which are refused with which words.

use std::io::{Read, Write};

use stagegate_pipeline_artifact::{ArtifactError, FailureKind, FilePatterns};

use crate::server::Server;
use crate::zip_builder::{RawEntry, RawZip, zip_of};

const REPORT: &[u8] = b"<testsuite tests='1'><testcase name='a'/></testsuite>";

/// Reads all files that `**/*.xml` matches.
pub(crate) async fn read_reports(
    server: &Server,
    key: &str,
    archive: &[u8],
) -> Result<Vec<(String, Vec<u8>)>, ArtifactError> {
    let location = server.place(key, archive);
    let artifact = server.open(&location).await?;
    let mut reports = Vec::new();
    for file in artifact.select(&FilePatterns::new(["**/*.xml"]).unwrap())? {
        let content = artifact.read(&file.entry).await?;
        reports.push((file.entry.path().to_owned(), content));
    }
    reports.sort();
    Ok(reports)
}

/// Name, archive, and the paths of its reports, all with the content `REPORT`, or a part of the error.
type Case<'a> = (&'a str, RawZip, Result<&'a [&'a str], &'a str>);

async fn check(cases: Vec<Case<'_>>) {
    let server = Server::start().await;
    for (name, zip, expected) in cases {
        // Behind 200 KB of another file, nothing of the report arrives with the tail.
        let filler = RawEntry::stored("filler.bin", &[7; 200_000]);
        let far = zip.clone().with(|zip| zip.entries.push(filler));
        for (place, archive) in [("near", zip.build()), ("far", far.build())] {
            let found = read_reports(&server, "artifact", &archive).await;
            match (found, expected) {
                (Ok(found), Ok(paths)) => {
                    assert_eq!(
                        found.iter().map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
                        paths,
                        "{name}, {place}"
                    );
                    assert!(found.iter().all(|(_, content)| content == REPORT), "{name}, {place}");
                }
                (Err(error), Err(part)) => {
                    let text = error.to_string();
                    assert!(text.contains(part), "{name}, {place}: {text}");
                    assert_eq!(error.kind(), FailureKind::InvalidArtifact, "{name}, {place}: {text}");
                }
                (found, expected) => panic!("{name}, {place}: {found:?}, expected {expected:?}"),
            }
        }
    }
}

fn stored() -> RawEntry {
    RawEntry::stored("a.xml", REPORT)
}

fn deflated() -> RawEntry {
    RawEntry::deflated("a.xml", REPORT)
}

fn named(name: impl AsRef<[u8]>) -> RawZip {
    zip_of([RawEntry::stored(name, REPORT)])
}

#[tokio::test]
async fn sound_archives_are_read() {
    let symlink = RawEntry::stored("link", b"a.xml").with(|entry| entry.attributes = 0o120_777 << 16);
    check(vec![
        ("stored", zip_of([stored()]), Ok(&["a.xml"])),
        ("deflated", zip_of([deflated()]), Ok(&["a.xml"])),
        ("nothing wanted", named("a.txt"), Ok(&[])),
        ("several", zip_of([deflated(), RawEntry::stored("b/b.xml", REPORT)]), Ok(&["a.xml", "b/b.xml"])),
        ("folders", zip_of([RawEntry::stored("b/", b""), RawEntry::stored("b/", b""), stored()]), Ok(&["a.xml"])),
        ("comment", zip_of([stored()]).with(|zip| zip.comment = b"build 42".to_vec()), Ok(&["a.xml"])),
        ("longest comment", zip_of([stored()]).with(|zip| zip.comment = vec![b'.'; 65_535]), Ok(&["a.xml"])),
        ("descriptor", zip_of([deflated().streamed(true, false)]), Ok(&["a.xml"])),
        ("descriptor without signature", zip_of([stored().streamed(false, false)]), Ok(&["a.xml"])),
        ("wide descriptor", zip_of([deflated().streamed(true, true)]), Ok(&["a.xml"])),
        ("wide descriptor without signature", zip_of([deflated().streamed(false, true)]), Ok(&["a.xml"])),
        ("zip64 entry", zip_of([deflated().zip64()]), Ok(&["a.xml"])),
        ("zip64 end", zip_of([deflated()]).with(|zip| zip.zip64_end = true), Ok(&["a.xml"])),
        (
            "local extra field",
            zip_of([stored().with(|e| e.local.extra = [0x55, 0x54, 4, 0, 1, 2, 3, 4].into())]),
            Ok(&["a.xml"]),
        ),
        (
            "archive in the archive",
            zip_of([stored(), RawEntry::stored("inner.zip", &named("a.xml").build())]),
            Ok(&["a.xml"]),
        ),
        ("dots", named("./b//a.xml"), Ok(&["b/a.xml"])),
        ("code page 437", named(b"\x81.xml"), Ok(&["ü.xml"])),
        ("UTF-8", named("ü.xml"), Ok(&["ü.xml"])),
        ("backslash elsewhere", zip_of([RawEntry::stored("x\\2d.conf", b""), stored()]), Ok(&["a.xml"])),
        ("link elsewhere", zip_of([symlink, stored()]), Ok(&["a.xml"])),
        (
            "encrypted elsewhere",
            zip_of([RawEntry::stored("secret", b"").both(|h| h.flags = 1), stored()]),
            Ok(&["a.xml"]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_the_zip_crate_writes_is_read() {
    use zip::write::SimpleFileOptions;
    let server = Server::start().await;
    let plain = SimpleFileOptions::default();
    for options in [plain, plain.compression_method(zip::CompressionMethod::Stored), plain.large_file(true)] {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        writer.add_directory("reports/", options).unwrap();
        writer.start_file("reports/ä.xml", options).unwrap();
        writer.write_all(REPORT).unwrap();
        let seekable = writer.finish().unwrap().into_inner();
        let mut writer = zip::ZipWriter::new_stream(Vec::new());
        writer.start_file("reports/ä.xml", options).unwrap();
        writer.write_all(REPORT).unwrap();
        let streamed = writer.finish().unwrap().into_inner();
        for archive in [seekable, streamed] {
            let reports = read_reports(&server, "artifact", &archive).await.unwrap();
            assert_eq!(reports, [("reports/ä.xml".to_owned(), REPORT.to_vec())]);
        }
    }
}

#[tokio::test]
async fn ambiguous_archives_are_refused_as_a_whole() {
    let end = zip_of([]).build();
    let other = || RawEntry::stored("other.txt", REPORT);
    check(vec![
        (
            "prefix, offsets adjusted",
            zip_of([stored()]).with(|z| z.prefix = b"#!".to_vec()),
            Err("2 bytes lie in front of its first entry"),
        ),
        (
            "prefix, offsets not adjusted",
            zip_of([stored().with(|e| e.offset = Some(0))]).with(|z| {
                z.prefix = b"#!".to_vec();
                z.more_offset = -2;
            }),
            Err("has other data in front of it"),
        ),
        ("trailing data", zip_of([stored()]).with(|z| z.suffix = vec![0; 9]), Err("9 bytes follow its end record")),
        ("end record in the comment", zip_of([stored()]).with(|z| z.comment = end), Err("more than one end record")),
        ("more entries announced", zip_of([stored()]).with(|z| z.more_entries = 1), Err("announces")),
        ("fewer entries announced", zip_of([stored(), other()]).with(|z| z.more_entries = -1), Err("announces")),
        (
            "65,536 more entries would be equal modulo",
            zip_of([stored(), other()]).with(|z| z.more_entries = i16::MIN),
            Err("announces"),
        ),
        ("larger directory", zip_of([stored()]).with(|z| z.more_size = 1), Err("its central directory should be")),
        ("smaller directory", zip_of([stored()]).with(|z| z.more_size = -1), Err("its central directory should be")),
        (
            "shifted directory",
            zip_of([stored()]).with(|z| {
                z.more_size = -4;
                z.more_offset = 4;
            }),
            Err("its signature is wrong"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn ambiguous_paths_and_places_are_refused_as_a_whole() {
    let other = || RawEntry::stored("other.txt", REPORT);
    check(vec![
        ("duplicate", zip_of([stored(), other(), deflated()]), Err("contains `a.xml` more than once")),
        ("duplicate by dots", zip_of([stored(), RawEntry::stored("./a.xml", REPORT)]), Err("more than once")),
        (
            "file and folder",
            zip_of([stored(), RawEntry::stored("a.xml/b", b"")]),
            Err("both as a file and as a folder"),
        ),
        ("file and listed folder", zip_of([stored(), RawEntry::stored("a.xml/", b"")]), Err("more than once")),
        ("folder with content", zip_of([stored(), RawEntry::stored("b/", b"x")]), Err("is a folder and has content")),
        (
            "overlap of others",
            zip_of([other(), RawEntry::stored("more.txt", REPORT).with(|e| e.offset = Some(10)), stored()]),
            Err("the data of `other.txt` overlaps with what follows it"),
        ),
        ("same data twice", zip_of([stored(), other().with(|e| e.offset = Some(0))]), Err("overlaps")),
        (
            "into the next",
            zip_of([
                stored().both(|h| {
                    h.compressed_size += 1;
                    h.size += 1;
                }),
                other(),
            ]),
            Err("overlaps with what follows it"),
        ),
        ("beyond the archive", zip_of([stored(), other().with(|e| e.offset = Some(u32::MAX - 1))]), Err("overlaps")),
        (
            "absolute path",
            zip_of([stored(), RawEntry::stored("/etc/passwd", b"")]),
            Err("`/etc/passwd`, which is absolute"),
        ),
        ("traversal", zip_of([stored(), RawEntry::stored("b/../../x", b"")]), Err("which leads out of the artifact")),
        ("NUL", zip_of([stored(), RawEntry::stored("a\0b", b"")]), Err("NUL")),
        ("masked headers", zip_of([stored().both(|h| h.flags |= 1 << 13)]), Err("central directory is encrypted")),
    ])
    .await;
}

#[tokio::test]
async fn entries_that_are_not_read_are_refused_when_wanted() {
    let method = |number| move |header: &mut crate::zip_builder::Header| header.method = number;
    let unicode_path = |name: &str| {
        let mut field = vec![0x75, 0x70, u8::try_from(name.len() + 5).unwrap(), 0, 1];
        field.extend(crc32fast::hash(b"a.xml").to_le_bytes());
        field.extend(name.as_bytes());
        field
    };
    check(vec![
        (
            "encrypted",
            zip_of([stored().both(|h| h.flags |= 1)]),
            Err("read `a.xml` in artifact s3://artifacts/artifact: the file is encrypted"),
        ),
        ("strongly encrypted", zip_of([stored().both(|h| h.flags |= 1 << 6)]), Err("encrypted")),
        ("AES", zip_of([stored().both(method(99))]), Err("encrypted")),
        ("bzip2", zip_of([stored().both(method(12))]), Err("compressed by bzip2")),
        ("Zstandard", zip_of([stored().both(method(93))]), Err("compressed by Zstandard")),
        ("unknown method", zip_of([stored().both(method(4242))]), Err("compressed by method 4242")),
        ("patched", zip_of([stored().both(|h| h.flags |= 1 << 5)]), Err("patch")),
        ("link", zip_of([stored().with(|e| e.attributes = 0o120_777 << 16)]), Err("a symbolic link")),
        ("pipe", zip_of([stored().with(|e| e.attributes = 0o010_644 << 16)]), Err("a special file")),
        ("backslash", named("b\\a.xml"), Err("could also be `b/a.xml`")),
        (
            "two names, header wanted",
            zip_of([stored().with(|e| e.central.extra = unicode_path("b.txt"))]),
            Err("could also be `b.txt`"),
        ),
        (
            "two names, other wanted",
            zip_of([RawEntry::stored("b.txt", REPORT).with(|e| {
                e.central.extra = unicode_path("a.xml");
                e.central.extra[5..9].copy_from_slice(&crc32fast::hash(b"b.txt").to_le_bytes());
            })]),
            Err("could also be `a.xml`"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn local_headers_and_data_descriptors_must_agree() {
    check(vec![
        ("local name", zip_of([stored().with(|e| e.local.name = b"b.xml".to_vec())]), Err("disagree about its name")),
        ("local method", zip_of([stored().with(|e| e.local.method = 8)]), Err("disagree about its method")),
        ("local flags", zip_of([stored().with(|e| e.local.flags = 1)]), Err("disagree about its flags")),
        ("local size", zip_of([stored().with(|e| e.local.size += 1)]), Err("disagree about its size")),
        (
            "local compressed size",
            zip_of([stored().with(|e| e.local.compressed_size += 1)]),
            Err("disagree about its compressed size"),
        ),
        ("local CRC-32", zip_of([stored().with(|e| e.local.crc32 ^= 1)]), Err("disagree about its CRC-32")),
        ("local zeros", zip_of([stored().with(|e| e.local.crc32 = 0)]), Err("disagree about its CRC-32")),
        (
            "no local header",
            zip_of([
                stored(),
                stored().with(|e| {
                    e.central.name = b"b.xml".to_vec();
                    e.offset = Some(88 + 2);
                    e.data = vec![0; 99]
                }),
            ]),
            Err("no local header"),
        ),
        (
            "descriptor",
            zip_of([stored().streamed(true, false).with(|e| e.descriptor[5] ^= 1)]),
            Err("the data descriptor after it"),
        ),
        (
            "no descriptor",
            zip_of([stored().streamed(true, false).with(|e| e.descriptor.clear())]),
            Err("the data descriptor after it"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn content_must_agree_with_the_headers() {
    check(vec![
        ("CRC-32", zip_of([deflated().both(|h| h.crc32 ^= 1)]), Err("its CRC-32 is")),
        ("CRC-32 declared as 0", zip_of([deflated().both(|h| h.crc32 = 0)]), Err("its CRC-32 is")),
        ("declared smaller", zip_of([deflated().both(|h| h.size -= 1)]), Err("and inflates to 53 or more")),
        ("declared larger", zip_of([deflated().both(|h| h.size += 1)]), Err("and inflates to 53")),
        ("stored sizes differ", zip_of([stored().both(|h| h.size += 1)]), Err("and inflates to 53")),
        ("corrupt deflate", zip_of([deflated().with(|e| e.data[0] = 0xff)]), Err("its compressed data is corrupt")),
        (
            "deflate cut",
            zip_of([deflated()
                .with(|e| {
                    e.data.pop();
                })
                .both(|h| h.compressed_size -= 1)]),
            Err("its compressed data ends in the middle"),
        ),
        (
            "deflate followed by data",
            zip_of([deflated().with(|e| e.data.push(0)).both(|h| h.compressed_size += 1)]),
            Err("1 bytes follow the end of its compressed data"),
        ),
        (
            "local extra field over the data",
            zip_of([stored().with(|e| {
                e.local.extra = vec![0; 8];
                e.data.truncate(45);
            })]),
            Err("overlaps"),
        ),
        (
            "zip64 without its field",
            zip_of([stored().zip64().with(|e| e.central.extra.clear())]),
            Err("Zip64 extra field missing"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn folders_are_not_listed_and_match_no_pattern() {
    let server = Server::start().await;
    let archive = zip_of([RawEntry::stored("b/", b""), RawEntry::stored("b/a.xml", REPORT)]).build();
    let artifact = server.open(&server.place("artifact", &archive)).await.unwrap();
    let files = artifact.select(&FilePatterns::new(["**"]).unwrap()).unwrap();
    assert_eq!(files.iter().map(|file| file.entry.path()).collect::<Vec<_>>(), ["b/a.xml"]);
    assert_eq!(artifact.entries().len(), 1);
}

#[tokio::test]
async fn the_last_bytes_wait_for_the_data_descriptor() {
    let server = Server::start().await;
    let entry = stored().streamed(true, false).with(|entry| entry.descriptor[5] ^= 1);
    let artifact = server.open(&server.place("artifact", &zip_of([entry]).build())).await.unwrap();
    let mut reader = artifact.open_entry(&artifact.entries()[0]).await.unwrap();
    // All is in memory, so that reading waits for nothing.
    let error = reader.read(&mut [0; 1000]).unwrap_err();
    assert!(error.to_string().contains("the data descriptor after it"), "{error}");
}

#[tokio::test]
async fn what_is_no_archive_is_called_by_its_name() {
    let server = Server::start().await;
    let archive = zip_of([stored()]).build();
    let mut tar = vec![0; 300_000];
    tar[257..262].copy_from_slice(b"ustar");
    let cases: [(&[u8], &str); 7] = [
        (b"", "the object is empty (0 bytes)"),
        (b"{\"version\": 1}", "not a ZIP archive but JSON, beginning with"),
        (&[0x1f, 0x8b, 8, 0, 0], "a gzip file"),
        (&tar, "a tar archive"),
        (b"x", "text, beginning with \"x\""),
        (&archive[..archive.len() - 1], "its end is missing; the upload was probably cut off"),
        (b"PK\x03\x04", "its end is missing; the upload was probably cut off"),
    ];
    for (object, part) in cases {
        let error = read_reports(&server, "object", object).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        assert_eq!(error.kind(), FailureKind::InvalidArtifact);
    }
}
