//! How old the evidence may be.

use jiff::{SignedDuration, Timestamp};
use stagegate_config::Provenance;
use stagegate_verdict::{Finding, Outcome, grouped};

use super::LISTED;
use super::words::{age, first, plural};
use crate::evidence::{Evidence, read_time};

const NAME: &str = "provenance";

/// Clocks of machines differ, and many reports state whole seconds.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(5);

pub(super) fn judge(rule: &Provenance, evidence: &Evidence, started: Option<Timestamp>, at: Timestamp) -> Finding {
    let by_age = rule.max_age.and_then(|length| {
        let length = SignedDuration::try_from(length.as_duration()).ok()?;
        at.checked_sub(length).ok()
    });
    let by_start = if rule.since_execution { started } else { None };
    let unknown_start = rule.since_execution && by_start.is_none();
    let Some(earliest) = by_age.into_iter().chain(by_start).max().filter(|_| !unknown_start) else {
        let message = "the start of the execution is not known, so no report can be younger than it";
        return Finding::new(NAME, Outcome::Failed, message);
    };
    let earliest = earliest.checked_sub(TOLERANCE).unwrap_or(earliest);
    let files: Vec<_> = evidence.files().filter(|file| file.outcome.is_ok()).collect();
    let bad: Vec<_> = files
        .iter()
        .filter_map(|file| {
            let stated = file.outcome.as_deref().unwrap_or_default();
            match read_time(stated) {
                None if stated.is_empty() => Some(format!("{} states no time", file.source)),
                None => Some(format!("{} states the time {stated:?}, which cannot be read", file.source)),
                Some(time) if time < earliest => Some(format!("{} is {} old", file.source, age(time, at))),
                Some(time) if time > at.saturating_add(TOLERANCE).unwrap_or(at) => {
                    Some(format!("{} is from the future, {stated}", file.source))
                }
                Some(_) => None,
            }
        })
        .collect();
    let (count, all) = (bad.len() as u64, plural(files.len() as u64, "report"));
    let since = match by_start {
        Some(start) if Some(start) >= by_age => format!("the execution began at {start:.0}"),
        _ => format!("at most {} old is allowed", age(earliest, at)),
    };
    if bad.is_empty() {
        return Finding::new(NAME, Outcome::Passed, format!("all of {all} are young enough ({since})"));
    }
    let message =
        format!("{} of {all} may be left over from an earlier run ({since}): {}", grouped(count), first(&bad, count));
    Finding::new(NAME, Outcome::Failed, message).measured(count, 0).about(bad.into_iter().take(LISTED))
}
