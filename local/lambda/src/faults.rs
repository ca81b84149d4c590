//! Faults of attempts, for tests: throttled, crashed at the start, killed in the middle, out of memory.

use std::time::Duration;

use rustix::process::Signal as SystemSignal;
use stagegate_local_faults::Rules;
pub use stagegate_local_faults::When;

use crate::invocation::InvocationType;

/// An attempt that is about to begin.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// The function's name.
    pub function: &'a str,
    /// The event.
    pub payload: &'a [u8],
    /// `RequestResponse` or `Event`.
    pub invocation_type: InvocationType,
    /// 1 for the first attempt, up to 3 for an event.
    pub attempt: u32,
}

/// Decides what goes wrong with attempts. It is asked once for each, also for those that a throttled event waits for.
pub trait InvokeFaults: Send + Sync {
    /// What happens to an attempt.
    fn attempt(&self, attempt: &Attempt<'_>) -> InvokeFault;
}

/// What happens to an attempt to run a function. Times are real, from the moment at which the function gets its event;
/// one that answers sooner gets away. Without time nothing gets away: the fault comes before the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvokeFault {
    /// Nothing.
    #[default]
    None,
    /// It is refused with `TooManyRequestsException`; an event waits and is tried again, as on AWS.
    Throttle,
    /// A new process is started for it and killed before it is ready, twice, as Lambda starts a function again.
    CrashAtStart,
    /// The process gets a signal after this time.
    Signal(Signal, Duration),
    /// The process is ended after this time, as one that has taken more memory than it may.
    OutOfMemory(Duration),
}

/// What a process may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGKILL: it is gone.
    Kill,
    /// SIGABRT: what it gets that panics twice, aborts or overflows its stack.
    Abort,
    /// SIGSTOP: it stands still until its time is over.
    Stop,
}

impl Signal {
    pub(crate) fn to_system(self) -> SystemSignal {
        match self {
            Self::Kill => SystemSignal::KILL,
            Self::Abort => SystemSignal::ABORT,
            Self::Stop => SystemSignal::STOP,
        }
    }
}

/// What strikes a process that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blow {
    Signal(Signal),
    OutOfMemory,
}

impl InvokeFault {
    /// What strikes the running process, and when.
    pub(crate) fn blow(self) -> Option<(Duration, Blow)> {
        match self {
            Self::None | Self::Throttle | Self::CrashAtStart => None,
            Self::Signal(signal, after) => Some((after, Blow::Signal(signal))),
            Self::OutOfMemory(after) => Some((after, Blow::OutOfMemory)),
        }
    }
}

/// A plan of faults that a seed decides.
///
/// ```
/// use std::time::Duration;
/// use stagegate_local_lambda::faults::{InvokeFault, InvokePlan, Signal, When};
///
/// let plan = InvokePlan::seeded(7)
///     .on("stagegate-test-gate", When::Nth(2), InvokeFault::CrashAtStart)
///     .on("*", When::Percent(10), InvokeFault::Signal(Signal::Kill, Duration::from_millis(300)));
/// # drop(plan);
/// ```
#[derive(Debug)]
pub struct InvokePlan(Rules<InvokeFault>);

impl InvokePlan {
    /// A plan without rules.
    pub fn seeded(seed: u64) -> Self {
        Self(Rules::seeded(seed))
    }

    /// Adds a rule for attempts of a function, by its name; a `*` stands for any text.
    #[must_use]
    pub fn on(self, function: &str, when: When, fault: InvokeFault) -> Self {
        Self(self.0.rule(function, "*", when, fault))
    }

    /// Adds a rule for attempts of a function whose event contains a text.
    #[must_use]
    pub fn on_event(self, function: &str, text: &str, when: When, fault: InvokeFault) -> Self {
        Self(self.0.rule(function, &format!("*{text}*"), when, fault))
    }

    /// What has met a fault so far, in order: the function, its number, and the fault. Events are left out, as they hold
    /// credentials.
    pub fn met(&self) -> Vec<String> {
        self.0.met()
    }
}

impl InvokeFaults for InvokePlan {
    fn attempt(&self, attempt: &Attempt<'_>) -> InvokeFault {
        let text = String::from_utf8_lossy(attempt.payload);
        self.0.decide_quietly(attempt.function, &text).unwrap_or_default()
    }
}
