//! The approval token.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What PutApprovalResult wants as proof that the caller means this request. Whoever holds it and the right to the call can
/// answer, so nothing shows it; it is written into the stored document only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Takes the token as it was received.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A text of somebody else without the token, in case it was put into it.
    pub fn kept_out_of(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(&self.0, "[token]") }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}
