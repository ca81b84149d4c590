//! Checks the input of an operation by the AWS model before anything else looks at it, with the messages of AWS.

use std::sync::LazyLock;

use serde_json::Value;

use crate::api::SERVICE;
use crate::aws_json::Model;
use crate::error::ApiError;

static MODEL: LazyLock<Model> = LazyLock::new(|| Model::read(&SERVICE, include_str!("shapes.txt")));

/// Checks an input; see [`Model::check`].
pub(crate) fn check(operation: &str, input: &Value) -> Result<Value, ApiError> {
    MODEL.check(operation, input)
}

/// The error for an operation that the local CodePipeline does not have.
pub(crate) fn unknown_operation(operation: &str) -> ApiError {
    MODEL.unknown_operation(operation)
}
