//! Artifacts: the central directory of a ZIP and every file in it.
//!
//! The modules of the crate that read no network are taken in by their paths, so that the SDK need not be built for
//! fuzzing and the crate need not show what is inside it.
#![no_main]
#![expect(dead_code, unused_imports, reason = "the modules hold more than is needed to read an archive in memory")]

#[path = "../../crates/pipeline-artifact/src/decoder.rs"]
mod decoder;
#[path = "../../crates/pipeline-artifact/src/error.rs"]
mod error;
#[path = "../../crates/pipeline-artifact/src/limits.rs"]
mod limits;
#[path = "../../crates/pipeline-artifact/src/zip/mod.rs"]
mod zip;

/// Stands for the place in S3, which an archive in memory does not have.
mod client {
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ArtifactLocation;

    impl std::fmt::Display for ArtifactLocation {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("artifact")
        }
    }
}

use std::sync::Arc;

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

use decoder::{EntryDecoder, Step};
use error::Problem;
use limits::{Budget, Limit, Limits};
use zip::{ArchiveFault, DirectoryParser, EndRecord, Entry, arrange};

fuzz_target!(|archive: &[u8]| {
    let whole = read_directory(archive, usize::MAX);
    let again = read_directory(archive, 7);
    assert_eq!(format!("{whole:?}"), format!("{again:?}"), "reading by parts gives something else");
    let Ok(entries) = whole else { return };
    let (limits, budget) = (Arc::new(limits()), Arc::<Budget>::default());
    let mut inflated = 0;
    for entry in entries.iter().filter(|entry| !entry.is_directory()) {
        assert!(is_inside(entry.path()), "{:?} leaves the artifact", entry.path());
        let whole = read_entry(archive, entry, usize::MAX, &limits, &budget);
        let again = read_entry(archive, entry, 7, &limits, &Arc::default());
        let Ok(content) = whole else { continue };
        assert_eq!(again.as_ref().ok(), Some(&content), "reading by parts gives something else");
        inflated += content.len() as u64;
        assert!(inflated <= limits.total_bytes, "more is read than is allowed");
    }
});

fn limits() -> Limits {
    Limits { entries: 1000, entry_bytes: 1 << 20, total_bytes: 4 << 20, ..Limits::default() }
}

/// A path that stays in the artifact, whoever joins it to a folder.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn read_directory(archive: &[u8], part: usize) -> Result<Vec<Entry>, Problem> {
    let missing = || Problem::from(ArchiveFault::Truncated);
    let slice = |start: u64, end: u64| {
        let (start, end) = (usize::try_from(start).ok()?, usize::try_from(end).ok()?);
        archive.get(start..end)
    };
    let end = EndRecord::find(archive, archive.len() as u64)?.ok_or_else(missing)?;
    // What these give lies in the archive: it is asked for from S3 without another look.
    let record = end.zip64_record().map(|range| slice(range.start, range.end).expect("the record lies in the archive"));
    let directory = end.directory(record)?;
    Limit::Entries.check(directory.entries, limits().entries)?;
    let bytes = slice(directory.offset, directory.offset + directory.size).expect("the directory lies in the archive");
    let mut parser = DirectoryParser::new(directory.entries);
    for part in bytes.chunks(part) {
        parser.push(part)?;
    }
    Ok(arrange(parser.finish()?, directory.offset)?)
}

/// Reads an entry whose bytes come in parts, and checks what is promised about a file that was read.
fn read_entry(
    archive: &[u8],
    entry: &Entry,
    part: usize,
    limits: &Arc<Limits>,
    budget: &Arc<Budget>,
) -> Result<Vec<u8>, Problem> {
    let mut decoder = EntryDecoder::new(entry.clone(), Arc::clone(limits), Arc::clone(budget))?;
    let place = |offset: u64| usize::try_from(offset).expect("an archive in memory");
    let mut parts = archive[place(entry.header_offset)..place(entry.limit_offset)].chunks(part);
    let (mut input, mut content, mut output) = (Bytes::new(), Vec::new(), [0; 512]);
    loop {
        match decoder.step(&mut input, &mut output)? {
            Step::Inflated(length) => content.extend_from_slice(&output[..length]),
            Step::NeedsInput => match parts.next() {
                Some(part) => input = Bytes::copy_from_slice(part),
                None => return Err(decoder.fault_at_end_of_range()),
            },
            Step::Verified => {
                assert_eq!(content.len() as u64, entry.size, "a file of another size was verified");
                assert_eq!(crc32fast::hash(&content), entry.crc32, "a file with another CRC-32 was verified");
                return Ok(content);
            }
        }
    }
}
