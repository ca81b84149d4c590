//! Documents outside of a store: in a file, or in an object of which it is not known what it is.

use crate::document::Document;
use crate::envelope::{kind_of, lineage_of, unpack};

/// The bytes of a document whose kind is not known yet.
#[derive(Clone)]
pub struct RawDocument {
    bytes: Vec<u8>,
    kind: String,
    earlier_writes: usize,
}

/// Bytes are not the document that they should be. Reads as a sentence; never shows what they contain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotReadable(String);

impl RawDocument {
    /// Takes stored bytes.
    ///
    /// # Errors
    ///
    /// If they are not what a store writes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, NotReadable> {
        let (kind, earlier_writes) = kind_of(&bytes).map_err(|problem| NotReadable(problem.to_string()))?;
        Ok(Self { bytes, kind, earlier_writes })
    }

    /// What it says it is.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// How many writes there were before the one that it comes from, as far as it remembers: 0 for a document that was
    /// created and never changed.
    pub fn earlier_writes(&self) -> usize {
        self.earlier_writes
    }

    /// The document.
    ///
    /// # Errors
    ///
    /// If it is of another kind or version, or damaged.
    pub fn open<D: Document>(&self) -> Result<D, NotReadable> {
        let opened = lineage_of::<D>(&self.bytes).and_then(|_| unpack(&self.bytes));
        opened.map_err(|problem| NotReadable(problem.to_string()))
    }
}
