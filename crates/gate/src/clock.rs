//! The time by which evidence is judged.

use codepipeline_job::JobContext;
use jiff::Timestamp;

/// Set by a local AWS whose clock is not the wall's; never on AWS, where an invoker must not choose the time.
const LOCAL_CLOCK_VARIABLE: &str = "STAGEGATE_LOCAL_CLOCK";

/// Whether the function runs in a local AWS, whose clock may run faster than its own.
pub fn is_local() -> bool {
    std::env::var_os(LOCAL_CLOCK_VARIABLE).is_some()
}

/// The time; that of the local AWS where the function runs in one, which sends it along with each invocation.
pub fn now(context: &JobContext) -> Timestamp {
    let local = std::env::var_os(LOCAL_CLOCK_VARIABLE).and_then(|_| context.client_context("now")?.parse().ok());
    local.unwrap_or_else(Timestamp::now)
}
