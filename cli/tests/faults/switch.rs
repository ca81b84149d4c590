//! Faults that a test changes while the local AWS runs, and what has reached it so far.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;

use serde_json::Value;
use stagegate_local_aws::faults::{ApiCall, Attempt, CallFault, CallFaults, InvokeFault, InvokeFaults};
use stagegate_local_lambda::FinishedAttempt;

/// What goes wrong, as long as it is switched on.
#[derive(Default)]
pub(crate) struct Switch {
    calls: RwLock<Option<Arc<dyn CallFaults>>>,
    invokes: RwLock<Option<Arc<dyn InvokeFaults>>>,
    pub(crate) seen: Mutex<Seen>,
}

/// What has happened.
#[derive(Default)]
pub(crate) struct Seen {
    /// The events that CodePipeline has sent to functions, by the ids of their jobs.
    pub(crate) jobs: HashMap<String, Value>,
    /// The attempts to run a function with a job, by the job and the function.
    pub(crate) attempts: HashMap<(String, String), u32>,
    /// The calls `PutJob*Result`: job, function and operation.
    pub(crate) answers: Vec<(String, String, String)>,
    /// Attempts that have ended, with the function and whether it failed.
    pub(crate) ends: Vec<(Instant, String, bool)>,
    /// The keys of leases that were written.
    pub(crate) leases: Vec<String>,
}

impl Switch {
    pub(crate) fn calls(&self, faults: Option<Arc<dyn CallFaults>>) {
        *self.calls.write().unwrap() = faults;
    }

    pub(crate) fn invokes(&self, faults: Option<Arc<dyn InvokeFaults>>) {
        *self.invokes.write().unwrap() = faults;
    }

    pub(crate) fn ended(&self, attempt: &FinishedAttempt<'_>) {
        let failed = attempt.result.function_error.is_some();
        self.seen.lock().unwrap().ends.push((Instant::now(), attempt.function.to_owned(), failed));
    }

    /// How often a function was given the answers `PutJob*Result` of a job out of hand.
    pub(crate) fn answers(&self, job: &str, function: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.answers.iter().filter(|(of, by, _)| of == job && by == function).count()
    }

    /// How many attempts to run a function have ended since then.
    pub(crate) fn ends_since(&self, function: &str, since: Instant) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.ends.iter().filter(|(when, of, _)| of == function && *when >= since).count()
    }

    /// When an attempt to run a function failed last.
    pub(crate) fn died(&self, function: &str) -> Option<Instant> {
        let seen = self.seen.lock().unwrap();
        let died = seen.ends.iter().rev().find(|(_, of, failed)| of == function && *failed);
        died.map(|(when, ..)| *when)
    }
}

impl CallFaults for Switch {
    fn call(&self, call: &ApiCall<'_>) -> CallFault {
        if call.operation.starts_with("PutJob") {
            let input: Value = serde_json::from_slice(call.input).unwrap_or_default();
            let job = input["jobId"].as_str().unwrap_or_default().to_owned();
            let function = call.function.unwrap_or_default().to_owned();
            self.seen.lock().unwrap().answers.push((job, function, call.operation.to_owned()));
        }
        if call.operation == "PutObject" && (call.resource.contains("/jobs/") || call.resource.contains("/handovers/"))
        {
            self.seen.lock().unwrap().leases.push(call.resource.to_owned());
        }
        let faults = self.calls.read().unwrap().clone();
        faults.map(|faults| faults.call(call)).unwrap_or_default()
    }
}

impl InvokeFaults for Switch {
    fn attempt(&self, attempt: &Attempt<'_>) -> InvokeFault {
        if let Some(job) = job_of(attempt.payload) {
            let key = (job, attempt.function.to_owned());
            *self.seen.lock().unwrap().attempts.entry(key).or_default() += 1;
        }
        let faults = self.invokes.read().unwrap().clone();
        faults.map(|faults| faults.attempt(attempt)).unwrap_or_default()
    }
}

/// The job that an event is about: a job's own, or the record of a death.
pub(crate) fn job_of(payload: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(payload).ok()?;
    let of = |event: &Value| event["CodePipeline.job"]["id"].as_str().map(str::to_owned);
    of(&event).or_else(|| of(&event["requestPayload"]))
}
