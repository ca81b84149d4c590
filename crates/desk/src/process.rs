//! The process of a function of the desk.

use std::process::ExitCode;
use std::sync::Arc;

use aws_config::SdkConfig;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::Value;

use crate::{Desk, DeskError};

/// Runs a handler until the Lambda runtime ends it. What a handler fails with is what Lambda gets, without secrets, so that
/// it tries an asynchronous invocation again.
pub fn main<F, Fut>(handler: F) -> ExitCode
where
    F: Fn(Arc<Desk>, SdkConfig, LambdaEvent<Value>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Value, DeskError>> + Send,
{
    codepipeline_job::init_logging();
    // One thread is enough: there is nothing to do but to wait for answers.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(run(handler)),
        Err(error) => Err(error.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function ends: it failed to use the Lambda runtime");
            ExitCode::FAILURE
        }
    }
}

async fn run<F, Fut>(handler: F) -> Result<(), lambda_runtime::Error>
where
    F: Fn(Arc<Desk>, SdkConfig, LambdaEvent<Value>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Value, DeskError>> + Send,
{
    let sdk = stagegate_aws_environment::sdk_config();
    let desk = Arc::new(Desk::new(&sdk));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        let handled = handler(desk.clone(), sdk.clone(), event);
        async move {
            handled.await.map_err(|error| {
                let why = error.to_string();
                tracing::error!(why, "failed");
                lambda_runtime::Error::from(format!("failed to {why}"))
            })
        }
    }))
    .await
}
