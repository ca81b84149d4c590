//! Errors of the host, with the names and statuses that the Lambda API gives them.

use thiserror::Error;

/// A function's configuration that Lambda would not accept.
#[derive(Debug, Error)]
#[error("create function `{function}`: {what}")]
pub struct ConfigError {
    pub(crate) function: String,
    pub(crate) what: String,
}

/// Why a function could not be created or updated.
#[derive(Debug, Error)]
pub enum CreateFunctionError {
    /// `InvalidParameterValueException`.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// `ResourceConflictException`.
    #[error("create function `{0}`: a function of this name exists already")]
    Exists(String),
    /// The host has been shut down.
    #[error("create function `{0}`: the local Lambda is shutting down")]
    ShuttingDown(String),
}

/// Why an invocation was not carried out. An error of the function itself is no such error: it comes in
/// [`InvokeResult::function_error`](crate::InvokeResult::function_error).
#[derive(Debug, Error)]
pub enum InvokeError {
    /// There is no function of this name.
    #[error("invoke function `{reference}`: no such function here{}", or_known(.known))]
    ResourceNotFound {
        /// The name or ARN that was asked for.
        reference: String,
        /// The functions that exist, for the reader of the message.
        known: Vec<String>,
    },
    /// The payload is no JSON.
    #[error("invoke function `{function}`: could not parse request body into json: {reason}")]
    InvalidRequestContent {
        /// The function's name.
        function: String,
        /// What the parser said.
        reason: String,
    },
    /// The payload is over Lambda's limit for this type of invocation.
    #[error("invoke function `{function}`: the payload has {size} bytes, {limit} are allowed")]
    RequestTooLarge {
        /// The function's name.
        function: String,
        /// The payload's size in bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// All environments of the function are busy, or too many events wait.
    #[error("invoke function `{function}`: rate exceeded, {limit} {what} at the same time are the limit")]
    TooManyRequests {
        /// The function's name.
        function: String,
        /// How many are allowed.
        limit: usize,
        /// Of what: invocations or queued events.
        what: &'static str,
    },
    /// The machine failed: the program could not be started, or no port was free.
    #[error("invoke function `{function}`: could not start its environment: {reason}")]
    Service {
        /// The function's name.
        function: String,
        /// What the system said.
        reason: String,
    },
    /// The host has been shut down.
    #[error("invoke function `{function}`: the local Lambda is shutting down")]
    ShuttingDown {
        /// The function's name.
        function: String,
    },
}

impl InvokeError {
    /// The exception's name in the Lambda API.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ResourceNotFound { .. } => "ResourceNotFoundException",
            Self::InvalidRequestContent { .. } => "InvalidRequestContentException",
            Self::RequestTooLarge { .. } => "RequestTooLargeException",
            Self::TooManyRequests { .. } => "TooManyRequestsException",
            Self::Service { .. } | Self::ShuttingDown { .. } => "ServiceException",
        }
    }

    /// The HTTP status in the Lambda API.
    pub fn status(&self) -> u16 {
        match self {
            Self::ResourceNotFound { .. } => 404,
            Self::InvalidRequestContent { .. } => 400,
            Self::RequestTooLarge { .. } => 413,
            Self::TooManyRequests { .. } => 429,
            Self::Service { .. } | Self::ShuttingDown { .. } => 500,
        }
    }
}

fn or_known(functions: &[String]) -> String {
    if functions.is_empty() { String::new() } else { format!("; known are {}", functions.join(", ")) }
}
