//! Failures on demand.

use std::time::Duration;

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429 with the seconds of `Retry-After`; nothing is done.
    RateLimited {
        /// Slack's wish.
        retry_after: u64,
    },
    /// A status such as 503; nothing is done.
    Status(u16),
    /// The request is done, and answered after a while.
    Slow(Duration),
    /// The request is done, and its answer cut off.
    Cut,
}

/// A fault for the coming requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The method, such as `chat.postMessage`, or `webhook`, `response_url`; any where it is `None`.
    pub method: Option<String>,
    /// How they fail.
    pub fault: Fault,
    /// How many pass before the first fails.
    pub after: usize,
    /// How many fail.
    pub times: usize,
}

impl Injection {
    /// The next requests of a method fail.
    pub fn next(method: &str, fault: Fault, times: usize) -> Self {
        Self { method: Some(method.to_owned()), fault, after: 0, times }
    }
}

/// The fault for a request of a method, if there is one.
pub(crate) fn take(faults: &mut Vec<Injection>, method: &str) -> Option<Fault> {
    let applies = |injection: &Injection| injection.method.as_deref().is_none_or(|wanted| wanted == method);
    let mut found = None;
    for injection in faults.iter_mut().filter(|injection| applies(injection)) {
        if injection.after > 0 {
            injection.after -= 1;
        } else if found.is_none() && injection.times > 0 {
            injection.times -= 1;
            found = Some(injection.fault);
        }
    }
    faults.retain(|injection| injection.times > 0);
    found
}
