//! The process of a gate.

use std::fmt::Display;
use std::process::ExitCode;

use codepipeline_job::Handler;

/// Runs a gate's handler until the Lambda runtime ends it.
pub fn main(handler: impl Handler) -> ExitCode {
    run(crate::lifecycle().run(handler))
}

/// Runs a function that takes other events than jobs, too, until the Lambda runtime ends it.
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
