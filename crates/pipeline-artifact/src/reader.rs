//! One file as `std::io::Read`, for parsers that run in `spawn_blocking`.

use std::fmt;
use std::io::{self, Read};

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::client::ArtifactLocation;
use crate::decoder::{EntryDecoder, Step};
use crate::error::{ArtifactError, Problem};
use crate::object::RangeStream;

/// Inflated bytes of a file that is read in less time than another thread takes to start.
const SHORT: u64 = 64 * 1024;

/// What the download hands over: a chunk, or `None` at the end of the range. A channel that closes without either has lost
/// its task.
type Download = Result<Option<Bytes>, Problem>;

/// A file of an artifact, inflated while it is downloaded.
///
/// The download stays at most two chunks (16 to 400 KiB each, as the connection delivers them) ahead, and stops when the
/// reader is dropped. Every failure is an `io::Error` that carries an [`ArtifactError`] ([`ArtifactError::from_io`]), is
/// repeated by later reads, and never looks like the end of the file. The last bytes are handed out only after size and
/// CRC-32 have been verified; whoever stops earlier calls [`EntryReader::finish`].
pub struct EntryReader {
    location: ArtifactLocation,
    path: String,
    decoder: EntryDecoder,
    input: Bytes,
    source: Source,
    failure: Option<ArtifactError>,
}

enum Source {
    /// All bytes have been handed over.
    Exhausted,
    Download(mpsc::Receiver<Download>),
}

impl EntryReader {
    /// Waits for the first chunk, so that a missing right shows here, and leaves the rest to a task.
    pub(crate) async fn start(
        location: ArtifactLocation,
        path: String,
        decoder: EntryDecoder,
        mut stream: RangeStream,
    ) -> Result<Self, Problem> {
        let input = stream.next().await?.unwrap_or_default();
        let source = if stream.is_in_memory() {
            // The rest, if any, is at hand: no task is needed.
            match stream.next().await? {
                None => Source::Exhausted,
                Some(rest) => {
                    let input = Bytes::from([input, rest].concat());
                    return Ok(Self { location, path, decoder, input, source: Source::Exhausted, failure: None });
                }
            }
        } else {
            let (sender, receiver) = mpsc::channel(1);
            tokio::spawn(download(stream, sender));
            Source::Download(receiver)
        };
        Ok(Self { location, path, decoder, input, source, failure: None })
    }

    /// The path of the file in the artifact.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the file can be read anywhere, because it is at hand as a whole and short: nothing is waited for, and
    /// inflating it takes less time than a thread of its own.
    pub fn is_at_hand(&self) -> bool {
        matches!(self.source, Source::Exhausted) && self.decoder.size() <= SHORT
    }

    /// Reads the rest of the file and verifies it.
    ///
    /// # Errors
    /// As for reading.
    ///
    /// # Panics
    /// As for reading.
    pub fn finish(mut self) -> Result<(), ArtifactError> {
        let mut rest = [0; 16 * 1024];
        while self.fill(&mut rest)? > 0 {}
        Ok(())
    }

    fn fill(&mut self, output: &mut [u8]) -> Result<usize, ArtifactError> {
        if let Some(failure) = &self.failure {
            return Err(failure.clone());
        }
        self.try_fill(output).map_err(|problem| {
            let failure = ArtifactError::reading_entry(&self.location, &self.path, problem);
            self.source = Source::Exhausted;
            self.failure = Some(failure.clone());
            failure
        })
    }

    fn try_fill(&mut self, output: &mut [u8]) -> Result<usize, Problem> {
        let mut written = 0;
        loop {
            match self.decoder.step(&mut self.input, &mut output[written..])? {
                // The last bytes wait for what follows them.
                Step::Inflated(length) if self.decoder.has_inflated_all() => written += length,
                Step::Inflated(length) => return Ok(length),
                Step::NeedsInput => self.input = self.next_chunk()?,
                Step::Verified => {
                    self.source = Source::Exhausted;
                    return Ok(written);
                }
            }
        }
    }

    fn next_chunk(&mut self) -> Result<Bytes, Problem> {
        let Source::Download(chunks) = &mut self.source else {
            return Err(self.decoder.fault_at_end_of_range());
        };
        match chunks.blocking_recv() {
            Some(Ok(Some(chunk))) => Ok(chunk),
            Some(Ok(None)) => Err(self.decoder.fault_at_end_of_range()),
            Some(Err(problem)) => Err(problem),
            None => Err(Problem::Stopped),
        }
    }
}

impl Read for EntryReader {
    /// # Panics
    /// Inside an asynchronous task when it has to wait for the network: read in `spawn_blocking`.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        Ok(self.fill(buffer)?)
    }
}

impl fmt::Debug for EntryReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EntryReader").field("path", &self.path).field("failure", &self.failure).finish_non_exhaustive()
    }
}

/// Fetches a chunk when there is room for it, so that the sender's side holds none.
async fn download(mut stream: RangeStream, sender: mpsc::Sender<Download>) {
    loop {
        let Ok(room) = sender.reserve().await else { return };
        let chunk = tokio::select! {
            chunk = stream.next() => chunk,
            () = sender.closed() => return,
        };
        let is_last = !matches!(chunk, Ok(Some(_)));
        room.send(chunk);
        if is_last {
            return;
        }
    }
}
