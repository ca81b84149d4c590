//! Artifacts that are made to hurt whoever opens them: a clear failure, soon, and in little memory.

use crate::world::World;

const CONFIG: &str = "gates: {web: {tests: {reports: ['**/TEST-*.xml']}}}";
/// Milliseconds from the event to the answer, by the report line that Lambda logs.
const SOON: f64 = 5_000.0;
/// MB of resident memory.
const MEMORY: f64 = 128.0;

/// An entry as its two headers tell of it.
#[derive(Clone)]
struct Entry {
    name: Vec<u8>,
    method: u16,
    crc: u32,
    size: u32,
    data: Vec<u8>,
    /// Where the central directory says that it is, if not where it is.
    offset: Option<u32>,
}

impl Entry {
    fn stored(name: &str, data: &[u8]) -> Self {
        let size = u32::try_from(data.len()).unwrap();
        Self { name: name.into(), method: 0, crc: crc32fast::hash(data), size, data: data.to_vec(), offset: None }
    }

    fn deflated(name: &str, data: Vec<u8>, size: u32) -> Self {
        Self { name: name.into(), method: 8, crc: 0, size, data, offset: None }
    }

    fn header(&self) -> Vec<u8> {
        let (stored, length) = (u32::try_from(self.data.len()).unwrap(), u16::try_from(self.name.len()).unwrap());
        [
            &[0, 0][..],
            &self.method.to_le_bytes(),
            &[0, 0, 0x21, 0],
            &self.crc.to_le_bytes(),
            &stored.to_le_bytes(),
            &self.size.to_le_bytes(),
            &length.to_le_bytes(),
            &[0, 0],
        ]
        .concat()
    }
}

/// An archive of these entries, with Zip64 records where there are too many for the plain end record.
fn archive(entries: &[Entry]) -> Vec<u8> {
    let (mut bytes, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let offset = entry.offset.unwrap_or_else(|| u32::try_from(bytes.len()).unwrap());
        let header = entry.header();
        if entry.offset.is_none() {
            bytes.extend([b"PK\x03\x04\x14\0", &header[..], &entry.name, &entry.data].concat());
        }
        directory.extend([b"PK\x01\x02\x1e\x03\x14\0", &header[..], &[0; 6]].concat());
        directory.extend((0o100_644u32 << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let (offset, size) = (bytes.len() as u64, directory.len() as u64);
    bytes.extend(directory);
    let count = entries.len() as u64;
    let narrow = u16::try_from(count).unwrap_or(u16::MAX);
    if narrow == u16::MAX {
        bytes.extend([&b"PK\x06\x06"[..], &44u64.to_le_bytes(), &[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]].concat());
        [count, count, size, offset].iter().for_each(|value| bytes.extend(value.to_le_bytes()));
        bytes.extend([&b"PK\x06\x07\0\0\0\0"[..], &(offset + size).to_le_bytes(), &1u32.to_le_bytes()].concat());
    }
    bytes.extend([&b"PK\x05\x06\0\0\0\0"[..], &narrow.to_le_bytes(), &narrow.to_le_bytes()].concat());
    let (size, offset) = (u32::try_from(size).unwrap(), u32::try_from(offset).unwrap());
    bytes.extend([&size.to_le_bytes()[..], &offset.to_le_bytes(), &[0, 0]].concat());
    bytes
}

/// A deflate stream of about `size` blanks, as short as deflate can make it: one literal, then matches of 258 bytes at
/// distance 1, of two bits each (RFC 1951, dynamic codes).
fn blanks(size: u64) -> Vec<u8> {
    let (mut bytes, mut held, mut count) = (Vec::new(), 0u32, 0);
    let mut bits = |value: u32, length: u32| {
        held |= value << count;
        count += length;
        while count >= 8 {
            bytes.push(u8::try_from(held & 0xff).unwrap());
            held >>= 8;
            count -= 8;
        }
    };
    // The last block, with dynamic codes: 286 literals and lengths, one distance, 18 lengths of codes.
    [(0b101, 3), (29, 5), (0, 5), (14, 4)].iter().for_each(|(value, length)| bits(*value, *length));
    // Of the codes for lengths only three are used: 18 (a run of zeros) has one bit, 2 and 1 have two.
    (0..18).for_each(|at| {
        bits(
            match at {
                2 => 1,
                15 | 17 => 2,
                _ => 0,
            },
            3,
        )
    });
    let (run, one, two) = ((0, 1), (0b01, 2), (0b11, 2));
    let mut lengths = |code: (u32, u32), zeros: Option<u32>| {
        bits(code.0, code.1);
        if let Some(zeros) = zeros {
            bits(zeros - 11, 7);
        }
    };
    // A blank (32) and the end (256) have two bits, the length 258 (285) and the distance have one.
    for (code, zeros) in [
        (run, Some(32)),
        (two, None),
        (run, Some(138)),
        (run, Some(85)),
        (two, None),
        (run, Some(28)),
        (one, None),
        (one, None),
    ] {
        lengths(code, zeros);
    }
    bits(0b01, 2);
    (0..(size - 1) / 258).for_each(|_| bits(0, 2));
    bits(0b11, 2);
    bits(0, 7);
    bytes
}

fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    const GIB: u64 = 1 << 30;
    let report = br#"<testsuite><testcase classname="web" name="a"/></testsuite>"#;
    let good = Entry::stored("TEST-a.xml", report);
    let bomb = |declared: u64| archive(&[Entry::deflated("TEST-a.xml", blanks(GIB), u32::try_from(declared).unwrap())]);
    let named = |name: &str| archive(&[Entry::stored(name, report), good.clone()]);
    let inner = archive(&[Entry::deflated("TEST-b.xml", blanks(GIB / 4), u32::MAX)]);
    let nested = archive(&[Entry::stored("reports.zip", &archive(&[Entry::stored("more.zip", &inner)]))]);
    let shared = Entry { offset: Some(0), ..good.clone() };
    let overlapping: Vec<Entry> =
        (0..5_000).map(|n| Entry { name: format!("TEST-{n:05}.xml").into(), ..shared.clone() }).collect();
    let mut two_ends = archive(std::slice::from_ref(&good));
    let second = archive(&[Entry::stored("TEST-b.xml", report)]);
    two_ends.extend(&second);
    let comment = archive(std::slice::from_ref(&good));
    let in_comment = {
        // The end record has a comment in which another end record stands.
        let mut bytes = comment.clone();
        let end = comment[comment.len() - 22..].to_vec();
        let at = bytes.len() - 2;
        bytes[at..].copy_from_slice(&22u16.to_le_bytes());
        bytes.extend(end);
        bytes
    };
    let many: Vec<Entry> = (0..100_000).map(|n| Entry::stored(&format!("r/{n}/TEST-a.xml"), b"")).collect();
    vec![
        ("a bomb that says how large it is", bomb(GIB), "bytes in one file"),
        ("a bomb that says that it is small", bomb(1_000), "is declared as 1000 bytes and inflates to"),
        (
            "a bomb within what one file may have",
            archive(&[Entry::deflated("TEST-a.xml", blanks(GIB / 4), 1 << 28)]),
            "inflated bytes per compressed byte",
        ),
        ("archives within archives", nested, "no file matches"),
        ("entries that share their data", archive(&[vec![good.clone()], overlapping].concat()), "overlaps"),
        ("two archives behind each other", two_ends, "its central directory should be"),
        ("an end record within the comment", in_comment, "more than one end record"),
        ("the same path twice", archive(&[good.clone(), good.clone()]), "more than once"),
        ("a path upwards", named("../../opt/TEST-a.xml"), "it contains the path `../../opt/TEST-a.xml`"),
        ("a path from the root", named("/etc/TEST-b.xml"), "it contains the path `/etc/TEST-b.xml`"),
        ("a path with backslashes", named("r\\..\\..\\TEST-b.xml"), "it contains the path"),
        ("a path on a drive", named("C:/TEST-b.xml"), "it contains the path"),
        ("100,000 reports", archive(&many), "files matched by the patterns"),
    ]
}

/// A figure of the report line that Lambda logs, which stands behind `name`.
fn reported(logs: &str, name: &str) -> f64 {
    let (_, rest) = logs.rsplit_once(name).expect(logs);
    rest.trim_start().split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_artifacts_fail_soon_and_in_little_memory() {
    let mut problems = Vec::new();
    for (what, bytes, words) in hostile() {
        let world = World::new(&[], CONFIG, None).await;
        let ended = world.run(Some(r#"{"gate":"web"}"#), async |world, key| world.replace(key, bytes).await).await;
        let logs = world.reported_logs().await;
        let took = reported(&logs, "\tDuration: ");
        // Only Linux tells what a process needed.
        let peak = if cfg!(target_os = "linux") { reported(&logs, "Max Memory Used: ") } else { 0.0 };
        println!("{what:42} {took:6.0} ms {peak:4} MB  {}: {}", ended.code, ended.message);
        if ended.code != "JobFailed" || !ended.message.contains(words) || took >= SOON || peak >= MEMORY {
            problems.push(format!("{what}: {took} ms, {peak} MB, {words:?} is expected: {ended:?}"));
        }
        world.aws.shutdown().await;
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
