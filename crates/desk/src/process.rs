//! The process of a function of the desk.

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_runtime::{Error, LambdaEvent};
use serde_json::Value;

use crate::{Desk, DeskError};

/// Runs a handler until the Lambda runtime ends it. What a handler fails with is what Lambda gets, without secrets, so that
/// it tries an asynchronous invocation again.
pub fn main<F, Fut>(handler: F) -> ExitCode
where
    F: Fn(Arc<Desk>, SdkConfig, LambdaEvent<Value>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Value, DeskError>> + Send,
{
    stagegate_process::run(async {
        let sdk = stagegate_aws_environment::sdk_config();
        let desk = Arc::new(Desk::new(&sdk));
        let handle = move |event: LambdaEvent<Value>| {
            let handled = handler(desk.clone(), sdk.clone(), event);
            async move {
                handled.await.map_err(|error| {
                    let why = error.to_string();
                    tracing::error!(why, "failed");
                    Error::from(format!("failed to {why}"))
                })
            }
        };
        stagegate_process::serve(handle).await
    })
}
