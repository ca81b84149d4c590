//! One object in S3, read by ranges: pinned to the version first seen, resumed where the connection breaks.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::{Bytes, BytesMut};

use crate::client::{ArtifactLocation, ArtifactStore};
use crate::error::Problem;
use crate::s3_error::{is_range_not_satisfiable, problem_of, with_causes};

/// Bytes asked for at first. An end record with the longest comment takes 65,557; the rest usually holds the whole central
/// directory (about 1,400 entries).
pub(crate) const TAIL_BYTES: u64 = 128 * 1024;

/// Attempts to go on where no byte has arrived since the last one.
const RESUMES_WITHOUT_PROGRESS: u32 = 3;
/// Attempts to go on in one range altogether.
const RESUMES: u32 = 20;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The object and its last bytes.
#[derive(Debug, Clone)]
pub(crate) struct ArtifactObject {
    version: Arc<Version>,
    tail: Bytes,
}

/// Which object, and in which state: every request names the ETag, so that all ranges are of one upload.
#[derive(Debug)]
struct Version {
    store: ArtifactStore,
    location: ArtifactLocation,
    etag: String,
    size: u64,
}

impl ArtifactObject {
    /// Fetches the tail, and with it size and ETag, in one request.
    pub(crate) async fn open(store: &ArtifactStore, location: &ArtifactLocation) -> Result<Self, Problem> {
        let answer = store
            .client()
            .get_object()
            .bucket(&location.bucket)
            .key(&location.key)
            .range(format!("bytes=-{TAIL_BYTES}"))
            .customize()
            .config_override(store.job_credentials())
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if is_range_not_satisfiable(&error) => return Err(Problem::Empty),
            Err(error) => return Err(problem_of(&error)),
        };
        let size = match (content_range(&answer)?, answer.content_length()) {
            (Some(place), _) if place.range.end == place.size => place.size,
            // An object that is shorter than the tail may be answered as a whole.
            (None, Some(length)) => u64::try_from(length).unwrap_or_default(),
            _ => return Err(unexpected("the end of the object was asked for")),
        };
        let Some(etag) = answer.e_tag().map(str::to_owned) else {
            return Err(unexpected("an ETag is missing"));
        };
        let start = content_range(&answer)?.map_or(0, |place| place.range.start);
        match size - start {
            0 => return Err(Problem::Empty),
            1..=TAIL_BYTES => {}
            _ => return Err(unexpected("more bytes than asked for")),
        }
        let version = Arc::new(Version { store: store.clone(), location: location.clone(), etag, size });
        let rest = RangeStream::new(Arc::clone(&version), start..size, Bytes::new(), Some(answer.body));
        let tail = rest.collect().await?;
        Ok(Self { version, tail })
    }

    pub(crate) fn location(&self) -> &ArtifactLocation {
        &self.version.location
    }

    /// Bytes of the object.
    pub(crate) fn size(&self) -> u64 {
        self.version.size
    }

    /// The last bytes, at most [`TAIL_BYTES`].
    pub(crate) fn tail(&self) -> &Bytes {
        &self.tail
    }

    /// Offset of the tail in the object.
    pub(crate) fn tail_start(&self) -> u64 {
        self.version.size - self.tail.len() as u64
    }

    /// The part of `range` that lies in the tail.
    pub(crate) fn in_tail(&self, range: &Range<u64>) -> Bytes {
        let place = |offset: u64| {
            let in_tail = offset.clamp(self.tail_start(), self.version.size) - self.tail_start();
            usize::try_from(in_tail).unwrap_or(self.tail.len())
        };
        self.tail.slice(place(range.start)..place(range.end).max(place(range.start)))
    }

    /// The bytes of `range`, which must lie in the object. Nothing is requested before the first chunk is asked for.
    pub(crate) fn stream(&self, range: Range<u64>) -> RangeStream {
        let in_memory = self.in_tail(&range);
        let remote = range.start..(range.end - in_memory.len() as u64);
        RangeStream::new(Arc::clone(&self.version), remote, in_memory, None)
    }

    /// Bytes that have been fetched before, as a stream.
    pub(crate) fn in_memory(&self, bytes: Bytes) -> RangeStream {
        RangeStream::new(Arc::clone(&self.version), 0..0, bytes, None)
    }
}

/// The bytes of one range, chunk by chunk.
#[derive(Debug)]
pub(crate) struct RangeStream {
    version: Arc<Version>,
    /// What is still to be downloaded.
    remote: Range<u64>,
    /// What follows it and is in memory.
    in_memory: Bytes,
    body: Option<ByteStream>,
    resumes: u32,
    resumes_without_progress: u32,
}

impl RangeStream {
    fn new(version: Arc<Version>, remote: Range<u64>, in_memory: Bytes, body: Option<ByteStream>) -> Self {
        Self { version, remote, in_memory, body, resumes: 0, resumes_without_progress: 0 }
    }

    /// Whether nothing is left to be downloaded.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.remote.is_empty()
    }

    /// The next bytes, `None` at the end of the range and only there.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while !self.remote.is_empty() {
            let body = match &mut self.body {
                Some(body) => body,
                None => self.body.insert(self.version.get(&self.remote).await?),
            };
            match body.next().await {
                Some(Ok(chunk)) if chunk.len() as u64 > self.remote.end - self.remote.start => {
                    return Err(unexpected("more bytes than asked for"));
                }
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => {
                    self.remote.start += chunk.len() as u64;
                    self.resumes_without_progress = 0;
                    return Ok(Some(chunk));
                }
                Some(Err(error)) => self.pause_before_resuming(&with_causes(&error)).await?,
                None => self.pause_before_resuming("the body ended early").await?,
            }
        }
        self.body = None;
        let rest = std::mem::take(&mut self.in_memory);
        Ok((!rest.is_empty()).then_some(rest))
    }

    /// Makes the next request go on at the byte where the last one ended.
    async fn pause_before_resuming(&mut self, detail: &str) -> Result<(), Problem> {
        self.body = None;
        if self.resumes_without_progress == RESUMES_WITHOUT_PROGRESS || self.resumes == RESUMES {
            let (at, resumes) = (self.remote.start, self.resumes);
            return Err(Problem::Interrupted { at, resumes, detail: detail.to_owned() });
        }
        tracing::info!(artifact = %self.version.location, at = self.remote.start, detail, "resuming the download");
        tokio::time::sleep(FIRST_PAUSE * 2u32.pow(self.resumes_without_progress)).await;
        self.resumes += 1;
        self.resumes_without_progress += 1;
        Ok(())
    }

    /// All bytes of the range; the caller has bounded its length.
    pub(crate) async fn collect(mut self) -> Result<Bytes, Problem> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.next().await? {
            if all.is_empty() && self.is_in_memory() && self.in_memory.is_empty() {
                return Ok(chunk);
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

impl Version {
    async fn get(&self, range: &Range<u64>) -> Result<ByteStream, Problem> {
        let answer = self
            .store
            .client()
            .get_object()
            .bucket(&self.location.bucket)
            .key(&self.location.key)
            .range(format!("bytes={}-{}", range.start, range.end - 1))
            .if_match(&self.etag)
            .customize()
            .config_override(self.store.job_credentials())
            .send()
            .await
            // A range that is no longer there means that a shorter object has taken the place.
            .map_err(|error| if is_range_not_satisfiable(&error) { Problem::Changed } else { problem_of(&error) })?;
        // Not every implementation of S3 heeds If-Match on reads.
        if answer.e_tag().is_some_and(|etag| etag != self.etag) {
            return Err(Problem::Changed);
        }
        match content_range(&answer)? {
            Some(place) if place.size != self.size => Err(Problem::Changed),
            Some(place) if place.range == *range => Ok(answer.body),
            None if *range == (0..self.size) => Ok(answer.body),
            _ => Err(unexpected("another range than asked for")),
        }
    }
}

struct ContentRange {
    range: Range<u64>,
    size: u64,
}

/// `Content-Range: bytes 0-9/100` (RFC 9110, 14.4).
fn content_range(answer: &GetObjectOutput) -> Result<Option<ContentRange>, Problem> {
    let Some(header) = answer.content_range() else { return Ok(None) };
    let parsed = (|| {
        let (range, size) = header.strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, size) = (first.parse().ok()?, last.parse::<u64>().ok()?, size.parse().ok()?);
        (first <= last && last < size).then_some(ContentRange { range: first..last + 1, size })
    })();
    parsed.map(Some).ok_or_else(|| unexpected("Content-Range is malformed"))
}

fn unexpected(detail: &str) -> Problem {
    Problem::UnexpectedAnswer { detail: detail.to_owned() }
}
