//! What a job costs: a large artifact and a large report must not need large memory.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use crate::world::{World, changing};

const CONFIG: &str = "gates: {web: {tests: {reports: ['**/TEST-*.xml']}}}";
const GIB: u32 = 1 << 30;

/// MB of resident memory. A debug build's code alone, of which pages count as they are used, takes half as much again;
/// `cargo bench -p test-gate --bench cold_start` prints the release build's peak.
const LIMIT: u64 = if cfg!(debug_assertions) { 48 } else { 32 };

/// The peak of the function's resident set in MB, by the report line that Lambda logs.
fn peak_mb(logs: &str) -> u64 {
    let (_, rest) = logs.split_once("Max Memory Used: ").expect(logs);
    rest.split(' ').next().unwrap().parse().unwrap()
}

/// An archive of a stored file of 1 GiB of zeros, which takes no room on the disk, and a report.
fn write_sparse_archive(file: &mut File, report: &[u8]) -> std::io::Result<()> {
    let (big, small) = ("dist/app.bin", "reports/TEST-web.xml");
    let header = |name: &str, size: u32, crc: u32| {
        let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
        [
            &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
            &crc.to_le_bytes(),
            &size.to_le_bytes(),
            &size.to_le_bytes(),
            &name_length,
            &[0, 0],
        ]
        .concat()
    };
    let report_size = u32::try_from(report.len()).unwrap();
    let (first, second) = (header(big, GIB, 0), header(small, report_size, crc32fast::hash(report)));
    let mut directory = Vec::new();
    file.write_all(&[b"PK\x03\x04", &first[..], big.as_bytes()].concat())?;
    file.seek(SeekFrom::Current(i64::from(GIB)))?;
    let second_offset = u32::try_from(file.stream_position()?).unwrap();
    file.write_all(&[b"PK\x03\x04", &second[..], small.as_bytes(), report].concat())?;
    let directory_offset = u32::try_from(file.stream_position()?).unwrap();
    for (name, header, offset) in [(big, first, 0), (small, second, second_offset)] {
        directory.extend([b"PK\x01\x02\x1e\x03", &header[..]].concat());
        directory.extend([0; 6]);
        directory.extend((0o100_644u32 << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let directory_size = u32::try_from(directory.len()).unwrap();
    file.write_all(&directory)?;
    file.write_all(
        &[
            b"PK\x05\x06\0\0\0\0\x02\0\x02\0",
            &directory_size.to_le_bytes()[..],
            &directory_offset.to_le_bytes(),
            &[0, 0],
        ]
        .concat(),
    )
}

#[tokio::test]
async fn a_report_out_of_a_1_gb_artifact_needs_less_than_32_mb() {
    let case = r#"<testcase classname="web.login" name="accepts" time="0.01"/>"#;
    let report = format!("<testsuite>{}</testsuite>", case.repeat(20 * 1024 / case.len()));
    let world = World::new(&[], CONFIG, changing(|event| event)).await;
    let ended = world
        .run(Some(r#"{"gate":"web"}"#), async |world, key| {
            // In place, so that the entity tag stays: making a new one would read the whole gigabyte.
            let mut file = File::create(world.object(key)).unwrap();
            write_sparse_archive(&mut file, report.as_bytes()).unwrap();
        })
        .await;
    assert_eq!(ended.code, "", "{ended:?}");
    assert!(ended.message.contains("tests:"), "{ended:?}");
    #[cfg(target_os = "linux")]
    {
        let peak = peak_mb(&world.reported_logs().await);
        assert!(peak < LIMIT, "{peak} MB");
    }
}
