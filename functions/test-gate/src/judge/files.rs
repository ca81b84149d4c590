//! The rules about report files that all kinds have: there must be some, readable and without contradictions.

use std::fmt::Display;

use stagegate_verdict::{Finding, Outcome, grouped};

use super::LISTED;
use super::words::plural;
use crate::evidence::{Files, Kind, Pattern};

/// Whether files are missing or cannot be read, which [`found`] and [`readable`] say: that is the finding then, and
/// rules about what is in the files would only repeat it. Where a policy lets patterns match nothing, no other finding
/// says that there is no evidence.
pub(super) fn are_bad<F>(files: &Files<F>) -> bool {
    files.unreadable().next().is_some() || files.patterns.iter().any(is_short)
}

fn is_short<F>(pattern: &Pattern<F>) -> bool {
    pattern.matched < pattern.min_files
}

/// Each pattern must match its number of files.
pub(super) fn found<F>(kind: Kind, files: &Files<F>, places: &[String]) -> Option<Finding> {
    if files.patterns.is_empty() && files.read.is_empty() {
        return None;
    }
    let short: Vec<_> = files.patterns.iter().filter(|pattern| is_short(pattern)).collect();
    let Some(pattern) = short.first() else {
        let message = format!("{} found", plural(files.read.len() as u64, "report file"));
        return Some(Finding::new(format!("{}.reports", kind.as_str()), Outcome::Passed, message));
    };
    let (matched, wanted, glob) = (pattern.matched, pattern.min_files, &pattern.glob);
    let place = places.join(", ");
    let message = match matched {
        0 => format!("no file matches {glob:?} in {place}; check the pattern and that the build keeps its reports"),
        1 => format!("1 file matches {glob:?} in {place}, at least {wanted} must"),
        _ => format!("{} match {glob:?} in {place}, at least {wanted} must", plural(matched, "file")),
    };
    let subjects = short.iter().map(|pattern| format!("{}: {} found", pattern.glob, pattern.matched));
    let subjects: Vec<_> = if short.len() > 1 { subjects.collect() } else { Vec::new() };
    let rule = format!("{}.min_files", kind.as_str());
    Some(Finding::new(rule, Outcome::Failed, message).measured(matched, wanted).about(subjects))
}

/// Every report must be readable to its end.
pub(super) fn readable<F>(kind: Kind, files: &Files<F>) -> Option<Finding> {
    let unreadable: Vec<_> = files.unreadable().map(ToString::to_string).collect();
    let first = unreadable.first()?;
    let (bad, all) = (unreadable.len() as u64, files.read.len() as u64);
    let message = match bad {
        1 if all == 1 => format!("the report cannot be used: failed to {first}"),
        _ => format!("{} of {} cannot be used: failed to {first}", grouped(bad), plural(all, "report file")),
    };
    let subjects = if bad > 1 { unreadable.into_iter().take(LISTED).collect() } else { Vec::new() };
    let rule = format!("{}.readable", kind.as_str());
    Some(Finding::new(rule, Outcome::Failed, message).measured(bad, 0).about(subjects))
}

/// What a report says about itself must agree with what it lists.
pub(super) fn consistent(kind: Kind, problems: &[impl Display], all: u64) -> Option<Finding> {
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let first = problems.first()?;
    let message = match all {
        1 => format!("a report contradicts itself or is incomplete: {first}"),
        _ => format!("reports contradict themselves or are incomplete in {} places: {first}", grouped(all)),
    };
    let subjects = if all > 1 { problems.into_iter().take(LISTED).collect() } else { Vec::new() };
    let rule = format!("{}.consistent", kind.as_str());
    Some(Finding::new(rule, Outcome::Failed, message).measured(all, 0).about(subjects))
}
