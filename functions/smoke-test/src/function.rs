//! The process of the function: events come in, and go to their door.

use std::process::ExitCode;
use std::sync::Arc;

use codepipeline_job::{Job, JobContext};
use lambda_runtime::{Diagnostic, LambdaEvent};
use serde_json::Value;
use stagegate_codedeploy_hook::{Hook, HookContext, HookLifecycle, is_hook};

use crate::job::Warm;
use crate::{hook, job};

/// Runs the function until the Lambda runtime ends it.
pub fn main() -> ExitCode {
    stagegate_process::run(serve())
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let warm = Warm::default();
    let (jobs, hooks) = (stagegate_gate::lifecycle(), HookLifecycle::new());
    let of_job = {
        let warm = warm.clone();
        Arc::new(move |job: Job, context: JobContext| {
            let warm = warm.clone();
            async move { job::handle(&warm, &job, &context).await }
        })
    };
    let of_hook = Arc::new(move |hook: Hook, context: HookContext| {
        let warm = warm.clone();
        async move { hook::handle(&warm, &hook, &context).await }
    });
    let handle = move |event: LambdaEvent<Value>| {
        let (jobs, hooks) = (jobs.clone(), hooks.clone());
        let (of_job, of_hook) = (Arc::clone(&of_job), Arc::clone(&of_hook));
        Box::pin(async move {
            if is_hook(&event.payload) {
                let done = Box::pin(hooks.handle(&of_hook, &event.payload, &event.context)).await;
                return done.map_err(Diagnostic::from).map(|report| serde_json::json!(report));
            }
            let done = Box::pin(jobs.handle(&of_job, event.payload, event.context)).await;
            done.map_err(Diagnostic::from).map(|report| serde_json::json!(report))
        })
    };
    Box::pin(stagegate_process::serve(handle)).await
}
