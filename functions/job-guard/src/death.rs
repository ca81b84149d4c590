//! What is said about a function's end.

use codepipeline_job::{Failure, FailureKind};
use jiff::{SignedDuration, Timestamp};
use stagegate_gate::{End, Lease};

use crate::cause::Cause;
use crate::record::Record;

/// The end of a function that left a job behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The function's name, where it is known.
    pub function: Option<String>,
    /// The invocation.
    pub request_id: Option<String>,
    /// The function's `MemorySize`, where it is known.
    pub memory_mb: Option<u32>,
    /// How long the invocation has lasted at most, where that is known.
    pub after: Option<SignedDuration>,
    /// How it ended.
    pub cause: Cause,
    /// Whether it was a worker that had yet to hand the job to its gate.
    pub on_its_way: bool,
    /// What an earlier run of the guard knew of it and wrote into the lease. It stands, whatever else is known.
    pub noted: Option<End>,
}

impl Death {
    /// What AWS Lambda's record and the job's lease tell together; `now` is when the record came.
    pub fn of(record: Record, lease: Option<&Lease>, now: Timestamp) -> Self {
        Self {
            function: record.function.or_else(|| lease.map(|lease| lease.function.clone())),
            request_id: record.request_id.or_else(|| lease.map(|lease| lease.request_id.clone())),
            memory_mb: lease.and_then(|lease| lease.memory_mb),
            after: lease.and_then(|lease| age(lease, now)),
            cause: record.cause,
            on_its_way: lease.is_some_and(|lease| lease.handover.is_some()),
            noted: lease.and_then(|lease| lease.end.clone()),
        }
    }

    /// What a lease tells by itself when its time is over: how the function ended, where that was noted, or that nothing was
    /// heard of it.
    pub fn silent(lease: &Lease) -> Self {
        Self {
            function: Some(lease.function.clone()),
            request_id: Some(lease.request_id.clone()),
            memory_mb: lease.memory_mb,
            after: Some(lease.deadline.duration_since(lease.started)),
            cause: Cause::Silent,
            on_its_way: lease.handover.is_some(),
            noted: lease.end.clone(),
        }
    }

    /// The failure of the job, for the person who looks at the action.
    pub fn failure(&self) -> Failure {
        if let Some(End { kind, message }) = &self.noted {
            return Failure::new(*kind, message.clone());
        }
        let name = self.function.as_deref().unwrap_or("the function");
        let (kind, what, advice) = self.words();
        let request = self.request_id.as_deref().map(|id| format!(" (request {id})")).unwrap_or_default();
        // What is silent says so itself.
        let when =
            if self.on_its_way && self.cause != Cause::Silent { ", before it had handed the job on" } else { "" };
        Failure::new(kind, format!("{name} {what}{when}; {advice}{request}"))
    }

    fn words(&self) -> (FailureKind, String, String) {
        const LOG: &str = "its log tells what it did last";
        let after = self.after();
        let at_memory = self.memory_mb.map(|memory| format!(" at {memory} MB")).unwrap_or_default();
        match &self.cause {
            Cause::OutOfMemory => (
                FailureKind::JobFailed,
                format!("ran out of memory{at_memory}{after}"),
                "raise MemorySize in the template, or give the gate less to read".to_owned(),
            ),
            Cause::TimedOut(seconds) => {
                let time = seconds.as_ref().map_or(after, |seconds| format!(" after {seconds} s"));
                (
                    FailureKind::JobFailed,
                    format!("was stopped{time}, when its time was over, and had not answered"),
                    format!("raise Timeout in the template (at most 900 s), or give the gate less to do; {LOG}"),
                )
            }
            Cause::Signal(signal) if signal == "killed" => (
                FailureKind::SystemUnavailable,
                format!("was killed{after}"),
                format!(
                    "if it happens again, it may need more memory than MemorySize in the template gives it{}; {LOG}",
                    self.memory_mb.map(|memory| format!(" ({memory} MB)")).unwrap_or_default()
                ),
            ),
            Cause::Signal(signal) => (
                FailureKind::JobFailed,
                format!("crashed{after} (signal: {signal})"),
                format!("this is a bug in it or in what it is built on; {LOG}"),
            ),
            Cause::Exited(status) => {
                (FailureKind::JobFailed, format!("{} with exit status {status}", self.ended()), LOG.to_owned())
            }
            Cause::Ended => (FailureKind::JobFailed, self.ended(), LOG.to_owned()),
            Cause::NotStarted(kind) => (
                FailureKind::ConfigurationError,
                format!("could not be started ({kind})"),
                "deploy it again with a bootstrap that is built for its architecture".to_owned(),
            ),
            Cause::NotAnswered => (
                FailureKind::SystemUnavailable,
                format!("did its work and could not deliver its answer{after}"),
                "its log holds the answer and what CodePipeline said; give its role the right, if one was missing, and retry \
                 the action"
                    .to_owned(),
            ),
            Cause::Error(kind) => {
                (FailureKind::JobFailed, format!("ended with an error of the type {kind}{after}"), LOG.to_owned())
            }
            Cause::Throttled => (
                FailureKind::SystemUnavailable,
                "was not started, because AWS Lambda throttled it until the event was too old".to_owned(),
                "raise its reserved concurrency or the concurrency of the account, and retry the action".to_owned(),
            ),
            Cause::Unknown => (
                FailureKind::SystemUnavailable,
                format!("ended without an answer{after}, and AWS Lambda does not say why"),
                format!("{LOG}; retry the action"),
            ),
            Cause::Silent if self.on_its_way => (
                FailureKind::SystemUnavailable,
                format!(
                    "had not handed the job on in its time{}, and AWS Lambda told nothing of its end",
                    self.within()
                ),
                format!("{LOG}; retry the action"),
            ),
            Cause::Silent => (
                FailureKind::SystemUnavailable,
                format!("gave no answer in its time{}, and AWS Lambda told nothing of its end", self.within()),
                format!("{LOG}; retry the action"),
            ),
        }
    }

    /// A function that has a lease was at work; one without may have died at its start.
    fn ended(&self) -> String {
        match self.after() {
            after if after.is_empty() => "ended at its start, or a moment later,".to_owned(),
            after => format!("ended in the middle of its work{after}"),
        }
    }

    fn after(&self) -> String {
        match self.after.map(|after| after.as_secs()) {
            None => String::new(),
            Some(0) => " in its first second".to_owned(),
            Some(seconds) => format!(" after {seconds} s"),
        }
    }

    fn within(&self) -> String {
        self.after.map(|after| format!(" of {} s", after.as_secs())).unwrap_or_default()
    }
}

/// How long the invocation may have lasted; `None` where the clocks do not agree.
fn age(lease: &Lease, now: Timestamp) -> Option<SignedDuration> {
    let age = now.duration_since(lease.started).min(lease.deadline.duration_since(lease.started));
    (!age.is_negative()).then_some(age)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use stagegate_gate::Handover;

    use super::*;

    fn lease() -> Lease {
        let started: Timestamp = "2026-03-04T10:00:00Z".parse().expect("a time");
        Lease {
            function: "stagegate-test-gate".to_owned(),
            request_id: "r-1".to_owned(),
            started,
            deadline: started + SignedDuration::from_secs(120),
            memory_mb: Some(512),
            execution: Default::default(),
            handover: None,
            nonce: None,
            end: None,
        }
    }

    fn record(error: &str, message: &str) -> Record {
        let record = json!({
            "requestContext": {
                "requestId": "r-1", "condition": "RetriesExhausted",
                "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:stagegate-test-gate:$LATEST",
            },
            "responsePayload": {"errorType": error, "errorMessage": message},
        });
        Record::read(&record)
    }

    #[test]
    fn the_text_says_what_happened_and_what_to_do() {
        let (lease, exit) = (lease(), "Runtime.ExitError");
        let function = "stagegate-job-worker".to_owned();
        let of_worker = Lease { function, handover: Some(Handover::Taken), ..lease.clone() };
        let at = |seconds| lease.started + SignedDuration::from_secs(seconds);
        let cases = [
            (
                Death::of(record("Runtime.OutOfMemory", ""), Some(&lease), at(41)),
                "stagegate-test-gate ran out of memory at 512 MB after 41 s; raise MemorySize in the template, or give the \
                 gate less to read (request r-1)",
            ),
            (
                Death::of(record("Runtime.OutOfMemory", ""), None, at(41)),
                "stagegate-test-gate ran out of memory; raise MemorySize in the template, or give the gate less to read \
                 (request r-1)",
            ),
            (
                Death::of(record("", "Task timed out after 120.00 seconds"), Some(&lease), at(121)),
                "stagegate-test-gate was stopped after 120 s, when its time was over, and had not answered; raise Timeout \
                 in the template (at most 900 s), or give the gate less to do; its log tells what it did last (request r-1)",
            ),
            (
                Death::of(record(exit, "exit status 7"), None, at(0)),
                "stagegate-test-gate ended at its start, or a moment later, with exit status 7; its log tells what it did \
                 last (request r-1)",
            ),
            (
                Death::of(record(exit, "signal: killed"), Some(&lease), at(3)),
                "stagegate-test-gate was killed after 3 s; if it happens again, it may need more memory than MemorySize in \
                 the template gives it (512 MB); its log tells what it did last (request r-1)",
            ),
            (
                Death::of(Record { function: None, ..record(exit, "signal: killed") }, Some(&of_worker), at(1)),
                "stagegate-job-worker was killed after 1 s, before it had handed the job on; if it happens again, it may \
                 need more memory than MemorySize in the template gives it (512 MB); its log tells what it did last \
                 (request r-1)",
            ),
            (
                Death::silent(&of_worker),
                "stagegate-job-worker had not handed the job on in its time of 120 s, and AWS Lambda told nothing of its \
                 end; its log tells what it did last; retry the action (request r-1)",
            ),
            (
                Death::silent(&lease),
                "stagegate-test-gate gave no answer in its time of 120 s, and AWS Lambda told nothing of its end; its log \
                 tells what it did last; retry the action (request r-1)",
            ),
        ];
        for (death, expected) in cases {
            assert_eq!(death.failure().message(), expected);
        }
        // A lease of another clock says nothing about the time.
        let early = Death::of(record("Runtime.OutOfMemory", ""), Some(&lease), at(-5));
        assert_eq!(early.after, None);
        assert_eq!(Death::of(record("x", ""), Some(&lease), at(9999)).after, Some(SignedDuration::from_secs(120)));
    }
}
