//! Reports in the input artifacts of a job.

use std::io::BufReader;

use codepipeline_job::{Artifact, Failure, FailureKind};
use futures_util::{StreamExt, stream};
use stagegate_config::TestsPolicy;
use stagegate_pipeline_artifact::{ArtifactError, ArtifactLocation, ArtifactStore, EntryReader, FailureKind as Cause};
use stagegate_pipeline_artifact::{FilePatterns, Limits};
use test_report::ErrorKind;

use crate::evidence::Evidence;

/// How many files are being downloaded at the same time; they are judged one after the other.
const DOWNLOADS: usize = 4;

/// Bytes that are taken from the download at once.
const BUFFER: usize = 32 * 1024;

/// Reads the reports that `policy` asks for out of `artifacts`.
///
/// # Errors
///
/// If an artifact or a chosen file cannot be read to its end. A report that can be read but not understood is part of
/// the evidence instead.
pub(crate) async fn gather(
    policy: &TestsPolicy,
    artifacts: &[Artifact],
    store: &ArtifactStore,
) -> Result<Evidence, Failure> {
    let patterns = FilePatterns::new(policy.reports.iter().map(|pattern| pattern.files.glob()));
    let patterns = patterns.map_err(|error| Failure::configuration(format!("failed to {error}")))?;
    let mut evidence = Evidence::new(policy);
    for artifact in artifacts {
        let failed = |error| failure(&artifact.name, &error);
        let location = ArtifactLocation::new(&artifact.bucket, &artifact.key);
        let archive = store.open(location, Limits::default()).await.map_err(failed)?;
        evidence.places.push(format!("the artifact {}", artifact.name));
        let files = archive.select(&patterns).map_err(failed)?;
        let readers = files.into_iter().map(|file| {
            let archive = &archive;
            async move { archive.open_entry(&file.entry).await.map(|reader| (file, reader)) }
        });
        let mut readers = stream::iter(readers).buffered(DOWNLOADS);
        while let Some(opened) = readers.next().await {
            let (file, reader) = opened.map_err(failed)?;
            file.patterns.iter().for_each(|pattern| evidence.matches[*pattern] += 1);
            let source = format!("{}:{}", artifact.name, file.entry.path());
            let digest = format!("crc32:{:08x}", file.entry.crc32());
            evidence = read(evidence, source, digest, reader).await?.map_err(failed)?;
        }
    }
    Ok(evidence)
}

/// Parses one file on a thread that may block, because the parser waits for the download there.
async fn read(
    mut evidence: Evidence,
    source: String,
    digest: String,
    mut reader: EntryReader,
) -> Result<Result<Evidence, ArtifactError>, Failure> {
    let done = tokio::task::spawn_blocking(move || {
        evidence.read(source, Some(digest), BufReader::with_capacity(BUFFER, &mut reader));
        match evidence.files.last().and_then(|file| file.unreadable.as_ref()) {
            // The report is broken: the rest of the file makes no difference.
            Some(error) if error.kind() != ErrorKind::Input => Ok(evidence),
            // Either the download failed, which `finish` says again, or all of it must be verified.
            _ => reader.finish().map(|()| evidence),
        }
    });
    // A panic of the parser goes on here, where it is answered.
    done.await.map_err(|error| match error.try_into_panic() {
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
