//! An artifact, opened: what it contains, and its files.

use std::io::Read;
use std::sync::Arc;

use crate::client::{ArtifactLocation, ArtifactStore};
use crate::decoder::EntryDecoder;
use crate::error::{ArtifactError, Problem};
use crate::limits::{Budget, Limit, Limits};
use crate::object::ArtifactObject;
use crate::reader::EntryReader;
use crate::run::{LastRun, plan};
use crate::select::{FilePatterns, SelectedFile};
use crate::zip::{
    ArchiveFault, DirectoryParser, EndRecord, Entry, EntryFault, LocalHeader, SNIFFED_BYTES, arrange, looks_like,
};

/// An artifact whose central directory has been read and checked. Cheap to clone; all clones share one budget.
#[derive(Debug, Clone)]
pub struct Artifact {
    object: ArtifactObject,
    limits: Arc<Limits>,
    budget: Arc<Budget>,
    entries: Arc<Vec<Entry>>,
    last_run: LastRun,
}

impl ArtifactStore {
    /// Reads the central directory of the artifact at `location`: one request for the last 128 KiB, and one more where the
    /// directory is longer.
    ///
    /// # Errors
    /// S3 does not answer, refuses, or has no such object; it is no ZIP archive; the archive is damaged or ambiguous; it
    /// exceeds `limits`.
    pub async fn open(&self, location: ArtifactLocation, limits: Limits) -> Result<Artifact, ArtifactError> {
        let failed = |problem| ArtifactError::reading(&location, problem);
        let object = ArtifactObject::open(self, &location).await.map_err(failed)?;
        let mut entries = read_directory(&object, &limits).await.map_err(failed)?;
        check_headers_in_tail(&object, &entries)
            .map_err(|(path, fault)| ArtifactError::reading_entry(&location, path, fault))?;
        entries.retain(|entry| !entry.is_directory());
        Ok(Artifact {
            object,
            limits: Arc::new(limits),
            budget: Arc::default(),
            entries: Arc::new(entries),
            last_run: LastRun::default(),
        })
    }
}

impl Artifact {
    /// Where it lies.
    pub fn location(&self) -> &ArtifactLocation {
        self.object.location()
    }

    /// Bytes of the object in S3.
    pub fn size(&self) -> u64 {
        self.object.size()
    }

    /// All entries but folders, by path. Listing an entry does not mean that it can be read.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The files that match at least one of `patterns`, in the order in which they lie in the archive. None is no error
    /// here. Read them in this order: small files that lie side by side are fetched by one request.
    ///
    /// # Errors
    /// More files match than [`Limits::selected_files`], or one of them cannot be read: leaving it out would make the
    /// selection look complete.
    pub fn select(&self, patterns: &FilePatterns) -> Result<Vec<SelectedFile>, ArtifactError> {
        let mut selected = Vec::new();
        for entry in self.entries.iter() {
            let patterns = patterns.matches(entry);
            if patterns.is_empty() {
                continue;
            }
            entry
                .check_readable()
                .map_err(|refusal| ArtifactError::reading_entry(self.location(), entry.path(), refusal))?;
            selected.push(SelectedFile { entry: entry.clone(), patterns });
            Limit::SelectedFiles
                .check(selected.len() as u64, self.limits.selected_files)
                .map_err(|problem| ArtifactError::reading(self.location(), problem))?;
        }
        selected.sort_unstable_by_key(|file| file.entry.header_offset);
        plan(&mut selected, self.object.tail_start());
        Ok(selected)
    }

    /// Opens a file for reading in `spawn_blocking`. One request at most, none where the file lies in the last 128 KiB.
    /// Must be called in a Tokio runtime, which goes on with the download.
    ///
    /// # Errors
    /// S3 does not answer or refuses; the object has been replaced since it was opened; the entry is of a kind that is not
    /// read, or exceeds the limits.
    pub async fn open_entry(&self, entry: &Entry) -> Result<EntryReader, ArtifactError> {
        let failed = |problem| ArtifactError::reading_entry(self.location(), entry.path(), problem);
        let decoder = EntryDecoder::new(entry.clone(), Arc::clone(&self.limits), Arc::clone(&self.budget));
        let decoder = decoder.map_err(failed)?;
        let stream = self.last_run.stream(&self.object, entry).await.map_err(failed)?;
        EntryReader::start(self.location().clone(), entry.path.clone(), decoder, stream).await.map_err(failed)
    }

    /// Reads a file of at most [`Limits::in_memory_bytes`] as a whole.
    ///
    /// # Errors
    /// As for [`Artifact::open_entry`], and when the file is damaged or too large.
    pub async fn read(&self, entry: &Entry) -> Result<Vec<u8>, ArtifactError> {
        let failed = |problem| ArtifactError::reading_entry(self.location(), entry.path(), problem);
        Limit::InMemoryBytes.check(entry.size, self.limits.in_memory_bytes).map_err(failed)?;
        let mut reader = self.open_entry(entry).await?;
        let is_at_hand = reader.is_at_hand();
        let mut read = move || {
            let mut content = Vec::new();
            reader.read_to_end(&mut content).map(|_| content)
        };
        let content = if is_at_hand {
            read()
        } else {
            tokio::task::spawn_blocking(read).await.map_err(|_| failed(Problem::Stopped))?
        };
        content.map_err(|error| ArtifactError::from_io(&error).cloned().unwrap_or_else(|| failed(Problem::Stopped)))
    }
}

async fn read_directory(object: &ArtifactObject, limits: &Limits) -> Result<Vec<Entry>, Problem> {
    let Some(end) = EndRecord::find(object.tail(), object.size())? else {
        let start = object.stream(0..object.size().min(SNIFFED_BYTES)).collect().await?;
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Err(ArchiveFault::Truncated.into());
        }
        return Err(Problem::NotZip { looks_like: looks_like(&start) });
    };
    let zip64_record = match end.zip64_record() {
        Some(range) => Some(object.stream(range).collect().await?),
        None => None,
    };
    let directory = end.directory(zip64_record.as_deref())?;
    Limit::Entries.check(directory.entries, limits.entries)?;
    Limit::DirectoryBytes.check(directory.size, limits.directory_bytes)?;
    let mut parser = DirectoryParser::new(directory.entries);
    let mut stream = object.stream(directory.offset..directory.offset + directory.size);
    while let Some(chunk) = stream.next().await? {
        parser.push(&chunk)?;
    }
    Ok(arrange(parser.finish()?, directory.offset)?)
}

/// Compares the local headers that have arrived with the tail; for a small artifact these are all.
fn check_headers_in_tail<'a>(object: &ArtifactObject, entries: &'a [Entry]) -> Result<(), (&'a str, EntryFault)> {
    for entry in entries.iter().filter(|entry| entry.header_offset >= object.tail_start()) {
        let bytes = object.in_tail(&(entry.header_offset..entry.limit_offset));
        match LocalHeader::read(&bytes, entry) {
            Ok(Some(_)) => {}
            Ok(None) => return Err((entry.path(), EntryFault::Overlap)),
            Err(fault) => return Err((entry.path(), fault)),
        }
    }
    Ok(())
}
