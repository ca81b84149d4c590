//! What a handler returns: the job is done, or goes on later.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::token::{ContinuationToken, TokenError};

/// The way a job ends well, or goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The job is done.
    Success(Success),
    /// The job goes on in another invocation.
    Continue(Continuation),
}

impl From<Success> for Outcome {
    fn from(success: Success) -> Self {
        Self::Success(success)
    }
}

impl From<Continuation> for Outcome {
    fn from(continuation: Continuation) -> Self {
        Self::Continue(continuation)
    }
}

/// A job that is done.
///
/// What exceeds a limit of the API is cut and logged when it is sent; it never costs the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Success {
    pub(crate) summary: String,
    pub(crate) output_variables: BTreeMap<String, String>,
    pub(crate) external_execution_id: Option<String>,
    pub(crate) percent_complete: Option<u8>,
    pub(crate) current_revision: Option<CurrentRevision>,
}

impl Success {
    /// A success with the line that people see at the action; cut to 2048, an empty one becomes "succeeded".
    #[must_use]
    pub fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// Adds an output variable for later actions.
    ///
    /// A key must match `[A-Za-z0-9@\-_]+`, and all keys and values together have at most
    /// [`MAX_OUTPUT_VARIABLES_BYTES`](crate::MAX_OUTPUT_VARIABLES_BYTES); a bad key is dropped, the longest values are
    /// cut.
    #[must_use]
    pub fn output_variable(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.output_variables.insert(key.into(), value.into());
        self
    }

    /// Adds output variables for later actions, as [`output_variable`](Self::output_variable) does.
    #[must_use]
    pub fn output_variables<K, V>(mut self, variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        self.output_variables.extend(variables.into_iter().map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// Names the run in another system; without it, the Lambda request id is sent. Cut to 1500.
    #[must_use]
    pub fn external_execution_id(mut self, id: impl Into<String>) -> Self {
        self.external_execution_id = Some(id.into());
        self
    }

    /// How much of the work is done, 0 to 100.
    #[must_use]
    pub fn percent_complete(mut self, percent: u8) -> Self {
        self.percent_complete = Some(percent);
        self
    }

    /// The revision of the artifact that the job made or is about.
    #[must_use]
    pub fn current_revision(mut self, revision: CurrentRevision) -> Self {
        self.current_revision = Some(revision);
        self
    }
}

/// The `currentRevision` of a success (AWS model of PutJobSuccessResult).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentRevision {
    pub(crate) revision: String,
    pub(crate) change_identifier: String,
    pub(crate) summary: Option<String>,
}

impl CurrentRevision {
    /// A revision, such as a commit id (1 to 1500), and the identifier of the change (1 to 100).
    #[must_use]
    pub fn new(revision: impl Into<String>, change_identifier: impl Into<String>) -> Self {
        Self { revision: revision.into(), change_identifier: change_identifier.into(), summary: None }
    }

    /// A line about the revision; cut to 2048.
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = Some(summary.into());
        self
    }
}

/// A job that goes on: CodePipeline calls the function again with the token.
///
/// Each continuation starts CodePipeline's 20 minutes for an answer again; an action has 24 hours in all
/// (AWS CodePipeline guide, limits). Output variables belong to the final answer and cannot be sent here.
#[derive(Clone, Debug, PartialEq)]
pub struct Continuation {
    pub(crate) token: ContinuationToken,
    pub(crate) summary: String,
    pub(crate) external_execution_id: Option<String>,
    pub(crate) percent_complete: Option<u8>,
}

impl Continuation {
    /// Goes on later with `state`, which [`Job::state`](crate::Job::state) reads back.
    ///
    /// # Errors
    ///
    /// When the state does not fit into a continuation token.
    pub fn new<T: Serialize>(state: &T) -> Result<Self, TokenError> {
        Ok(Self::with_token(ContinuationToken::encode(state)?))
    }

    /// Goes on later with a token.
    #[must_use]
    pub fn with_token(token: ContinuationToken) -> Self {
        Self { token, summary: String::new(), external_execution_id: None, percent_complete: None }
    }

    /// The line that people see at the action while it waits; cut to 2048, an empty one becomes "in progress".
    #[must_use]
    pub fn summary(mut self, summary: impl Into<String>) -> Self {
        self.summary = summary.into();
        self
    }

    /// Names the run in another system; without it, the Lambda request id is sent. Cut to 1500.
    #[must_use]
    pub fn external_execution_id(mut self, id: impl Into<String>) -> Self {
        self.external_execution_id = Some(id.into());
        self
    }

    /// How much of the work is done, 0 to 100.
    #[must_use]
    pub fn percent_complete(mut self, percent: u8) -> Self {
        self.percent_complete = Some(percent);
        self
    }
}
