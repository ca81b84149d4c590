//! What Stagegate's functions remember: JSON documents in an S3 bucket, with conditional writes.
//!
//! S3 is the only store there is. A document is created with `If-None-Match: *` and replaced with `If-Match`, so that
//! of two writers one wins and the other hears of it; no lock, no table.
//!
//! ```no_run
//! # async fn example(sdk: aws_config::SdkConfig) -> Result<(), stagegate_state_store::StateError> {
//! use serde::{Deserialize, Serialize};
//! use stagegate_state_store::{Decision, Document, Key, StateStore};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! struct Visits {
//!     count: u64,
//! }
//!
//! impl Document for Visits {
//!     const KIND: &'static str = "visits";
//!     const VERSION: u32 = 1;
//! }
//!
//! let store = StateStore::new(&sdk, "state-bucket", None);
//! let key = Key::<Visits>::new(&["visits", "web / main"]);
//! store
//!     .update(&key, |visits| {
//!         let mut visits = visits.unwrap_or_default();
//!         visits.count += 1;
//!         Decision::Write(visits)
//!     })
//!     .await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! * **A write is done once or not at all**, also when its answer is lost: every write has an id, a document carries the
//!   ids of its last 64 writes, and a writer that was not answered, or that finds itself refused, looks for its own id
//!   before it says that it lost. Where so many others have written since that this cannot be known, the error says so
//!   ([`StateError::may_have_been_written`]).
//! * **No key can be talked into another one**: every part of a [`Key`] is encoded.
//! * **Nothing of a document is ever shown**: neither `Debug` nor errors carry contents.
//! * **Bounded**: the size of documents, the number of keys in a list, attempts and time ([`Patience`]).
//!
//! # Rights
//!
//! `s3:GetObject` and `s3:PutObject` on the objects, `s3:ListBucket` on the bucket (without it S3 denies a document that
//! does not exist instead of saying so), `s3:DeleteObject` where documents are
//! removed, and `kms:Decrypt` and `kms:GenerateDataKey` where a KMS key is in use.

mod document;
mod envelope;
mod error;
mod key;
mod patience;
mod raw;
mod s3_error;
mod segment;
mod store;
mod write;

pub use document::{Document, Stored, Version};
pub use error::{ErrorKind, StateError};
pub use key::{Folder, Key};
pub use patience::Patience;
pub use raw::{NotReadable, RawDocument};
pub use store::{Created, Decision, Replaced, StateStore, Updated};
