//! The process of a gate.

use std::process::ExitCode;
use std::sync::Arc;

use codepipeline_job::Handler;
use lambda_runtime::LambdaEvent;
use serde_json::Value;

/// Runs a gate's handler until the Lambda runtime ends it.
pub fn main(handler: impl Handler) -> ExitCode {
    let (lifecycle, handler) = (crate::lifecycle(), Arc::new(handler));
    stagegate_process::run(stagegate_process::serve(move |event: LambdaEvent<Value>| {
        let (lifecycle, handler) = (lifecycle.clone(), Arc::clone(&handler));
        Box::pin(async move { lifecycle.handle(&handler, event.payload, event.context).await })
    }))
}
