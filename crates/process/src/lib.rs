//! The process of a Lambda function: [`run`] it, and [`serve`] events in it.

mod renewal;

use std::fmt::{Debug, Display};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::layers::TracingLayer;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, Runtime, service_fn};
use serde::Serialize;
use serde_json::Value;

use renewal::{EVENTS, Spent, renew};

/// Runs a function until its program returns, which is when the Lambda runtime cannot be used any more.
pub fn run<E: Display>(program: impl Future<Output = Result<(), E>>) -> ExitCode {
    codepipeline_job::init_logging();
    // One thread is enough: what takes time has threads of its own, and a second worker would only cost start-up time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(program).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "the function ends: it failed to use the Lambda runtime");
            ExitCode::FAILURE
        }
    }
}

/// Hands each event of the Lambda runtime to a handler, one after the other.
///
/// After 2,000 events the process starts its program anew, with the arguments and the environment that it was started
/// with: what a handler keeps in memory is lost then, as in any new environment. Where that fails, it goes on as it is, for
/// good.
///
/// # Errors
///
/// When the Lambda runtime API cannot be used any more.
///
/// # Panics
///
/// When the environment variables of AWS Lambda are missing.
pub async fn serve<F, Fut, T, E>(handler: F) -> Result<(), Error>
where
    F: Fn(LambdaEvent<Value>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Serialize + Send,
    E: Into<Diagnostic> + Debug + Send,
{
    Box::pin(serve_renewed(EVENTS, handler)).await
}

/// [`serve`] with a number of events of its own after which the program starts anew.
///
/// # Errors
///
/// When the Lambda runtime API cannot be used any more.
///
/// # Panics
///
/// When the environment variables of AWS Lambda are missing.
pub async fn serve_renewed<F, Fut, T, E>(events: NonZeroU32, handler: F) -> Result<(), Error>
where
    F: Fn(LambdaEvent<Value>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T, E>> + Send,
    T: Serialize + Send,
    E: Into<Diagnostic> + Debug + Send,
{
    let handler = Arc::new(handler);
    // One way to make both, so that there is one type of runtime: what it is made of is a good part of a small program.
    let runtime = |events: NonZeroU32| {
        let handler = Arc::clone(&handler);
        let service = service_fn(move |event: LambdaEvent<Value>| handler(event));
        Box::pin(Runtime::new(service).layer(TracingLayer::new()).layer(renewal::after(events)).run())
    };
    match runtime(events).await {
        Err(error) if error.is::<Spent>() => {
            let error = renew();
            tracing::warn!(%error, "the program goes on as it is: it could not be started anew");
            runtime(NonZeroU32::MAX).await
        }
        ended => ended,
    }
}
