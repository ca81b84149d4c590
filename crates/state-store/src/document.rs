//! Documents and their versions.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use stagegate_verdict::Verdict;

use crate::envelope::Lineage;

/// Something that is kept as JSON under a [`Key`](crate::Key).
pub trait Document: Serialize + DeserializeOwned + Send + Sync {
    /// What it is, in one word. It is stored beside the document, and a document of another kind is not read.
    const KIND: &'static str;

    /// The version that is written. Raise it when an older Stagegate could no longer read what is written.
    const VERSION: u32;

    /// The oldest version that is still read. New members with `#[serde(default)]` need no new one.
    const OLDEST_VERSION: u32 = 1;

    /// The most bytes that the JSON of the document may have: 1 MiB unless said otherwise.
    const MAX_BYTES: usize = 1 << 20;
}

impl Document for Verdict {
    const KIND: &'static str = "verdict";
    const VERSION: u32 = 1;
}

/// Which write of a document was read or made: what a replacement must name, so that it replaces nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Unknown when others have overwritten the write before its writer learnt that it was done.
    pub(crate) etag: Option<String>,
    pub(crate) lineage: Lineage,
}

/// A document as it is stored. `Debug` does not show the document.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored<D> {
    /// The document.
    pub document: D,
    /// The write that it comes from.
    pub version: Version,
}

impl<D: Document> fmt::Debug for Stored<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored").field("kind", &D::KIND).field("version", &self.version.etag).finish_non_exhaustive()
    }
}
