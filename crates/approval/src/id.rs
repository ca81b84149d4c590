//! The name of an approval outside of AWS.

use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Place, Token};

/// How many bytes of the hash are used. The token is random, so that nobody finds it by its hash.
const BYTES: usize = 16;

/// The name of an approval: what a Slack button carries. It follows from the place and the token, so that the SNS message
/// and the event about one approval open the same record, and nobody can make one without the token.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ApprovalId(String);

/// A text is not the name of an approval. Reads after "failed to".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the approval's id: 32 hexadecimal digits are expected")]
pub struct NotAnId;

impl ApprovalId {
    /// The name of the approval at this place with this token.
    pub fn new(place: &Place, token: &Token) -> Self {
        let mut hash = Sha256::new();
        for part in ["stagegate approval 1", &place.pipeline, &place.stage, &place.action, token.expose()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut text = String::with_capacity(2 * BYTES);
        for byte in hash.finalize().iter().take(BYTES) {
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it to tell it from others in a text.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl FromStr for ApprovalId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let is_id = text.len() == 2 * BYTES && text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
        if is_id { Ok(Self(text.to_owned())) } else { Err(NotAnId) }
    }
}

impl TryFrom<String> for ApprovalId {
    type Error = NotAnId;

    fn try_from(text: String) -> Result<Self, NotAnId> {
        text.parse()
    }
}

impl From<ApprovalId> for String {
    fn from(id: ApprovalId) -> Self {
        id.0
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
