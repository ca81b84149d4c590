//! The time by which approvals are reminded of, rejected and audited.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Context;

/// Set by a local AWS whose clock is not the wall's; never on AWS, where an invoker must not choose the time.
const LOCAL_CLOCK_VARIABLE: &str = "STAGEGATE_LOCAL_CLOCK";

/// The clock of one invocation: that of the local AWS where the function runs in one, which sends it along.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Timestamp,
    started: Instant,
}

impl Clock {
    /// The clock of an invocation.
    pub fn of(context: &Context) -> Self {
        let told = || context.client_context.as_ref()?.custom.get("now")?.parse().ok();
        let local = std::env::var_os(LOCAL_CLOCK_VARIABLE).and_then(|_| told());
        Self { base: local.unwrap_or_else(Timestamp::now), started: Instant::now() }
    }

    /// A clock that shows this time now.
    pub fn showing(now: Timestamp) -> Self {
        Self { base: now, started: Instant::now() }
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.started.elapsed()).unwrap_or(SignedDuration::ZERO);
        self.base.checked_add(passed).unwrap_or(self.base)
    }
}
