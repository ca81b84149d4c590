//! What all gates do around their judgement: the settings of the function, the policy that an action asks for, the
//! execution that is judged, the verdict that is kept, and the answer to the job.
//!
//! A gate is a function of a job: it gathers evidence, judges it and returns [`answer()`] of its verdict.

mod answer;
mod clock;
mod execution;
mod lease;
mod lifecycle;
mod program;
mod settings;
mod state;

pub use answer::answer;
pub use clock::{is_local, now};
pub use execution::execution;
pub use lease::{End, Handover, Lease};
pub use lifecycle::lifecycle;
pub use program::main;
pub use settings::{Settings, config_file};
pub use state::{State, failure};

use codepipeline_job::Failure;

/// A failure of the pipeline's or the platform's configuration, with `error` reading after "failed to".
pub fn misconfigured(error: impl std::fmt::Display) -> Failure {
    Failure::configuration(format!("failed to {error}"))
}
