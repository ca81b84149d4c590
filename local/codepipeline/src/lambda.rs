//! How the engine's shell reaches the host of the Lambda functions.

use async_trait::async_trait;
use serde_json::Value;

/// Invokes Lambda functions asynchronously, as CodePipeline does. Retries and destinations are the host's.
#[async_trait]
pub trait LambdaInvoker: Send + Sync {
    /// Hands `payload` to the function and returns as soon as the host has accepted it.
    ///
    /// The payload holds live artifact credentials: do not log it.
    ///
    /// # Errors
    ///
    /// When the host does not accept the invocation; the action fails.
    async fn invoke_async(&self, function_name: &str, payload: Value) -> Result<(), InvokeError>;
}

/// Why the host of the Lambda functions did not accept an invocation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The host has no function of that name. The action fails with `ConfigurationError`.
    #[error("there is no function {name}{}", known_functions(.known))]
    FunctionNotFound {
        /// The name that was asked for.
        name: String,
        /// The names that the host knows.
        known: Vec<String>,
    },
    /// The host refuses for a reason of its own. The action fails with `SystemUnavailable`.
    #[error("{0}")]
    Refused(String),
}

fn known_functions(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(" (there are: {})", known.join(", ")) }
}
