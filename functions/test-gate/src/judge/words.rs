//! Words that several rules use.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use stagegate_config::Rule;
use stagegate_verdict::{Finding, Outcome, grouped};

/// How many names a one-line message carries.
const NAMED: usize = 3;

pub(super) fn outcome(good: bool) -> Outcome {
    if good { Outcome::Passed } else { Outcome::Failed }
}

/// A finding of a rule that has a limit.
pub(super) fn limited<T>(name: &str, good: bool, rule: &Rule<T>, message: String) -> Finding {
    Finding::new(name, outcome(good), message).shadowed(rule.shadow)
}

/// The first few of `names`, and how many more of `count` there are.
pub(super) fn first(names: &[String], count: u64) -> String {
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match count.saturating_sub(names.len().min(NAMED) as u64) {
        0 => shown,
        more => format!("{shown} and {} more", grouped(more)),
    }
}

/// `1 test`, `1,204 tests`, `2 required entries`.
pub(super) fn plural(count: u64, noun: &str) -> String {
    let noun = match (count, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) if !noun.ends_with("day") => format!("{stem}ies"),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", grouped(count))
}

pub(super) fn seconds(length: Duration) -> String {
    match length.as_secs() {
        0..60 => format!("{:.1} s", length.as_secs_f64()),
        secs => format!("{} min {} s", secs / 60, secs % 60),
    }
}

/// How long `then` lies before `now`, in one unit: `5 minutes`, `3 days`.
pub(super) fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = SignedDuration::as_secs(&now.duration_since(then)).max(0).unsigned_abs();
    match seconds {
        0..120 => plural(seconds, "second"),
        120..7_200 => plural(seconds / 60, "minute"),
        7_200..172_800 => plural(seconds / 3_600, "hour"),
        _ => plural(seconds / 86_400, "day"),
    }
}
