//! How a function ended.

use serde_json::Value;

use crate::record::is_plain;

/// How a function ended, as far as AWS Lambda tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It needed more memory than it has.
    OutOfMemory,
    /// Its time was over; the time as Lambda wrote it, in seconds.
    TimedOut(Option<String>),
    /// It got a signal, for example `killed`, `aborted` or `segmentation fault`.
    Signal(String),
    /// It ended by itself with this status.
    Exited(u32),
    /// It ended by itself and gave no reason.
    Ended,
    /// Lambda could not start it; Lambda's word for why.
    NotStarted(String),
    /// It did its work, and its answer did not reach CodePipeline.
    NotAnswered,
    /// It reported an error of this type.
    Error(String),
    /// It was never run, because its event had become too old.
    Throttled,
    /// AWS Lambda says something that is not known here.
    Unknown,
    /// Its time is over and nothing was heard of it: what a lease tells.
    Silent,
}

impl Cause {
    /// Reads the cause out of a record: its condition, and the function's response, if there was one.
    ///
    /// Of the texts in it, only numbers, words and names of types are taken: an unknown runtime may have put anything
    /// into its error.
    pub fn of(condition: &str, response: Option<&Value>) -> Self {
        let text = |name: &str| response.and_then(|response| response.get(name)).and_then(Value::as_str);
        let kind = text("errorType").unwrap_or_default();
        let message = text("errorMessage").unwrap_or_default();
        if kind.ends_with("OutOfMemory") {
            return Self::OutOfMemory;
        }
        if let Some((_, rest)) = message.split_once("Task timed out after ") {
            let seconds = rest.split(' ').next().unwrap_or_default();
            let seconds = seconds.strip_suffix(".00").unwrap_or(seconds);
            return Self::TimedOut(seconds.parse::<f64>().is_ok().then(|| seconds.to_owned()));
        }
        if kind.to_ascii_lowercase().ends_with("timedout") {
            return Self::TimedOut(None);
        }
        if let Some((_, signal)) = message.split_once("signal: ") {
            let word: String =
                signal.chars().take_while(|c| c.is_ascii_lowercase() || " /".contains(*c)).take(40).collect();
            return Self::Signal(word.trim().to_owned());
        }
        if let Some((_, status)) = message.split_once("exit status ") {
            let digits: String = status.chars().take_while(char::is_ascii_digit).take(3).collect();
            return digits.parse().map_or(Self::Ended, Self::Exited);
        }
        match kind {
            "CodePipelineJob.NotAnswered" => Self::NotAnswered,
            "Runtime.ExitError" => Self::Ended,
            kind if kind.starts_with("Runtime.Inv") || kind.starts_with("Runtime.Init") => {
                Self::NotStarted(plain(kind))
            }
            // Lambda has not run a function that has no response. `EventAgeExceeded` is what it is seen to say.
            "" if response.is_none() && condition.contains("Age") => Self::Throttled,
            "" => Self::Unknown,
            kind => Self::Error(plain(kind)),
        }
    }
}

fn plain(kind: &str) -> String {
    if is_plain(kind) { kind.to_owned() } else { "an unknown type".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn causes_are_read_defensively() {
        let error = |kind: &str, message: &str| Some(json!({"errorType": kind, "errorMessage": message}));
        let exit =
            |what: &str| error("Runtime.ExitError", &format!("RequestId: r Error: Runtime exited with error: {what}"));
        let retries = "RetriesExhausted";
        let cases = [
            (retries, error("Runtime.OutOfMemory", "RequestId: r Error: signal: killed"), Cause::OutOfMemory),
            (
                retries,
                error("Sandbox.Timedout", "RequestId: r Error: Task timed out after 3.00 seconds"),
                Cause::TimedOut(Some("3".to_owned())),
            ),
            (
                retries,
                Some(json!({"errorMessage": "2026-01-02T03:04:05.678Z r Task timed out after 1.50 seconds"})),
                Cause::TimedOut(Some("1.50".to_owned())),
            ),
            (retries, error("Sandbox.Timedout", ""), Cause::TimedOut(None)),
            (retries, error("", "Task timed out after canary seconds"), Cause::TimedOut(None)),
            (retries, exit("signal: killed"), Cause::Signal("killed".to_owned())),
            (retries, exit("signal: aborted (core dumped)"), Cause::Signal("aborted".to_owned())),
            (retries, exit("signal: segmentation fault"), Cause::Signal("segmentation fault".to_owned())),
            (retries, exit("exit status 1"), Cause::Exited(1)),
            (retries, exit("exit status canary"), Cause::Ended),
            (retries, error("Runtime.ExitError", "without a reason"), Cause::Ended),
            (
                retries,
                error("Runtime.InvalidEntrypoint", "RequestId: r Error: ..."),
                Cause::NotStarted("Runtime.InvalidEntrypoint".to_owned()),
            ),
            (retries, error("CodePipelineJob.NotAnswered", "failed to ..."), Cause::NotAnswered),
            (retries, error("CodePipelineJob.NoJobId", "x"), Cause::Error("CodePipelineJob.NoJobId".to_owned())),
            (retries, error("canary <b>", "canary"), Cause::Error("an unknown type".to_owned())),
            ("EventAgeExceeded", None, Cause::Throttled),
            ("Canary", None, Cause::Unknown),
            ("", Some(json!(["canary"])), Cause::Unknown),
            ("", Some(json!({"errorType": 1, "errorMessage": {"canary": 1}})), Cause::Unknown),
        ];
        for (condition, response, expected) in cases {
            let cause = Cause::of(condition, response.as_ref());
            assert_eq!(cause, expected, "{response:?}");
            assert!(!format!("{cause:?}").contains("canary"), "{cause:?}");
        }
    }
}
