//! Continuation tokens that carry the state of a job from one invocation to the next.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::failure::{FailureCause, FailureKind};

/// The greatest length of a continuation token (AWS model), counted in bytes here.
pub const MAX_CONTINUATION_TOKEN: usize = 2048;

/// Names the layout, so that a token of another author or of a later layout is told apart from a damaged one.
const LAYOUT: &str = "cj1:";

/// What CodePipeline hands back when it calls the function again for the same action.
///
/// A token is seen by everybody who may read the job: it is no place for a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContinuationToken(String);

impl ContinuationToken {
    /// Writes `state` as a token: the layout's name followed by JSON.
    ///
    /// # Errors
    ///
    /// When the state cannot be written as JSON, or is larger than [`MAX_CONTINUATION_TOKEN`].
    pub fn encode<T: Serialize>(state: &T) -> Result<Self, TokenError> {
        let json = serde_json::to_string(state).map_err(TokenError::Unwritable)?;
        let token = format!("{LAYOUT}{json}");
        if token.len() > MAX_CONTINUATION_TOKEN {
            return Err(TokenError::TooLarge { bytes: token.len() });
        }
        Ok(Self(token))
    }

    /// Reads the state back.
    ///
    /// # Errors
    ///
    /// When the token was not written by [`encode`](Self::encode), or by a version of the function whose state had
    /// another shape.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, TokenError> {
        let json = self.0.strip_prefix(LAYOUT).ok_or(TokenError::Foreign)?;
        serde_json::from_str(json).map_err(TokenError::Unreadable)
    }

    /// The token as CodePipeline holds it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn received(token: &str) -> Self {
        Self(token.to_owned())
    }
}

impl fmt::Display for ContinuationToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a continuation token could not be written or read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The state has no JSON form.
    #[error("write the state into a continuation token: {0}")]
    Unwritable(#[source] serde_json::Error),
    /// The state is larger than a token may be.
    #[error(
        "write the state into a continuation token: it has {bytes} bytes, and CodePipeline takes \
         {limit}; keep the state elsewhere and put its key into the token",
        limit = MAX_CONTINUATION_TOKEN
    )]
    TooLarge {
        /// The token's length in bytes.
        bytes: usize,
    },
    /// The token was not written by this library.
    #[error("read the continuation token: it does not begin with `{layout}`; start the action again", layout = LAYOUT)]
    Foreign,
    /// The token holds another shape of state.
    #[error(
        "read the continuation token: {0}; was the function replaced while the action was running? start the action again"
    )]
    Unreadable(#[source] serde_json::Error),
}

impl FailureCause for TokenError {
    fn failure_kind(&self) -> FailureKind {
        FailureKind::JobFailed
    }

    fn failure_message(&self) -> String {
        format!("failed to {self}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct State {
        since: u64,
        seen: Vec<String>,
    }

    #[test]
    fn refuses_what_it_cannot_carry() {
        let state = |length| State { since: 1, seen: vec!["x".repeat(length)] };
        let overhead = ContinuationToken::encode(&state(0)).unwrap().as_str().len();
        let fitting = state(MAX_CONTINUATION_TOKEN - overhead);
        let token = ContinuationToken::encode(&fitting).unwrap();
        assert_eq!(token.as_str().len(), MAX_CONTINUATION_TOKEN);
        assert_eq!(token.decode::<State>().unwrap(), fitting);
        let error = ContinuationToken::encode(&state(MAX_CONTINUATION_TOKEN - overhead + 1)).unwrap_err();
        assert_eq!(
            error.failure_message(),
            "failed to write the state into a continuation token: it has 2049 bytes, and CodePipeline takes 2048; \
             keep the state elsewhere and put its key into the token"
        );
    }

    #[test]
    fn says_why_a_token_cannot_be_read() {
        for (token, expected) in [
            ("{}", "does not begin with `cj1:`"),
            ("", "does not begin with `cj1:`"),
            ("cj1:{\"since\":1}", "missing field `seen`"),
            ("cj1:{\"since\":1,\"se", "EOF while parsing"),
        ] {
            let error = ContinuationToken::received(token).decode::<State>().unwrap_err().failure_message();
            assert!(error.contains(expected), "{token:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn state_comes_back_as_it_was(since in any::<u64>(), seen in prop::collection::vec(any::<String>(), 0..5)) {
            let state = State { since, seen };
            match ContinuationToken::encode(&state) {
                Ok(token) => prop_assert_eq!(
                    ContinuationToken::received(token.as_str()).decode::<State>().unwrap(), state),
                Err(error) => prop_assert!(matches!(error, TokenError::TooLarge { .. }), "{}", error),
            }
        }

        #[test]
        fn no_token_panics(token in any::<String>()) {
            drop(ContinuationToken::received(&token).decode::<State>());
        }
    }
}
