//! Reports in the input artifacts of a job.

use std::collections::BTreeMap;
use std::io::BufReader;

use codepipeline_job::{Artifact, Failure, FailureKind};
use futures_util::{StreamExt, stream};
use stagegate_pipeline_artifact::{ArtifactError, ArtifactLocation, ArtifactStore, EntryReader, FailureKind as Cause};
use stagegate_pipeline_artifact::{FilePatterns, Limits, SelectedFile};

use crate::evidence::{Evidence, Kind, Reading};

/// How many files are being downloaded at the same time; they are judged one after the other.
const DOWNLOADS: usize = 4;

/// Bytes that are taken from the download at once.
const BUFFER: usize = 32 * 1024;

/// Reads the reports that `evidence` waits for out of `artifacts`.
///
/// # Errors
///
/// If an artifact or a chosen file cannot be read to its end. A report that can be read but not understood is part of
/// the evidence instead.
pub(crate) async fn gather(
    mut evidence: Evidence,
    artifacts: &[Artifact],
    store: &ArtifactStore,
) -> Result<Evidence, Failure> {
    let wanted: Vec<(Kind, usize)> = evidence.patterns().iter().map(|(kind, number, _)| (*kind, *number)).collect();
    let patterns = FilePatterns::new(evidence.patterns().iter().map(|(_, _, glob)| *glob));
    let patterns = patterns.map_err(|error| Failure::configuration(format!("failed to {error}")))?;
    for artifact in artifacts {
        let failed = |error| failure(&artifact.name, &error);
        let location = ArtifactLocation::new(&artifact.bucket, &artifact.key);
        let archive = store.open(location, Limits::default()).await.map_err(failed)?;
        evidence.places.push(format!("the artifact {}", artifact.name));
        let files = archive.select(&patterns).map_err(failed)?;
        // A file that reports of several kinds are looked for in is read once for each.
        let chosen: Vec<_> = files.into_iter().flat_map(|file| by_kind(&wanted, file)).collect();
        let readers = chosen.into_iter().map(|chosen| {
            let archive = &archive;
            async move { archive.open_entry(&chosen.file.entry).await.map(|reader| (chosen, reader)) }
        });
        let mut readers = stream::iter(readers).buffered(DOWNLOADS);
        while let Some(opened) = readers.next().await {
            let (chosen, reader) = opened.map_err(failed)?;
            chosen.patterns.iter().for_each(|pattern| evidence.matched(chosen.kind, *pattern));
            evidence = read(evidence, &artifact.name, chosen, reader).await?.map_err(failed)?;
        }
    }
    Ok(evidence)
}

/// A file and the patterns of one kind that chose it.
struct Chosen {
    kind: Kind,
    patterns: Vec<usize>,
    file: SelectedFile,
}

fn by_kind(wanted: &[(Kind, usize)], file: SelectedFile) -> Vec<Chosen> {
    let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
    for (kind, number) in file.patterns.iter().filter_map(|pattern| wanted.get(*pattern)) {
        kinds.entry(*kind).or_default().push(*number);
    }
    kinds.into_iter().map(|(kind, patterns)| Chosen { kind, patterns, file: file.clone() }).collect()
}

/// Parses one file, on a thread that may block where the parser has to wait for the download.
async fn read(
    mut evidence: Evidence,
    artifact: &str,
    chosen: Chosen,
    mut reader: EntryReader,
) -> Result<Result<Evidence, ArtifactError>, Failure> {
    let source = format!("{artifact}:{}", chosen.file.entry.path());
    let digest = format!("crc32:{:08x}", chosen.file.entry.crc32());
    let is_at_hand = reader.is_at_hand();
    let read = move || {
        let input = BufReader::with_capacity(BUFFER, &mut reader);
        match evidence.read(chosen.kind, chosen.patterns.first().copied(), source, Some(digest), input) {
            // The report is broken: the rest of the file makes no difference.
            Reading::Rejected => Ok(evidence),
            // Either the download failed, which `finish` says again, or all of it must be verified.
            Reading::Done | Reading::InputFailed => reader.finish().map(|()| evidence),
        }
    };
    if is_at_hand {
        return Ok(read());
    }
    // A panic of the parser goes on here, where it is answered.
    tokio::task::spawn_blocking(read).await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Failure::job_failed("failed to read the reports: the function is being ended; run the action again"),
    })
}

fn failure(artifact: &str, error: &ArtifactError) -> Failure {
    let kind = match error.kind() {
        Cause::Configuration => FailureKind::ConfigurationError,
        Cause::Permission => FailureKind::PermissionError,
        Cause::Unavailable => FailureKind::SystemUnavailable,
        Cause::InvalidArtifact => FailureKind::JobFailed,
    };
    Failure::new(kind, format!("input artifact {artifact}: failed to {error}"))
}
