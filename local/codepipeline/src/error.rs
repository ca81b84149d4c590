//! The error of an API operation, as AWS names and sends it.

/// What an operation answers when it cannot do what was asked: the code of the AWS model and a message for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The name of the exception in the AWS model, for example `PipelineNotFoundException`.
    pub code: &'static str,
    /// What was wrong, where, and what to do next.
    pub message: String,
}

impl ApiError {
    /// An error of the given code.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The HTTP status of the answer: 409 for `ConflictException`, 400 for everything else (AWS model).
    pub fn http_status(&self) -> u16 {
        if self.code == "ConflictException" { 409 } else { 400 }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub(crate) fn pipeline_not_found(account_id: &str, name: &str) -> Self {
        Self::new(
            "PipelineNotFoundException",
            format!("Account '{account_id}' does not have a pipeline with name '{name}'"),
        )
    }

    pub(crate) fn stage_not_found(pipeline: &str, stage: &str) -> Self {
        Self::new("StageNotFoundException", format!("pipeline {pipeline} has no stage {stage}"))
    }
}
