//! Entries and failures in words.

use std::fmt::Write as _;

use stagegate_hurl_runner::{EntryOutcome, EntryReport, FailureReport, FileReport, TimingsReport};

/// One line about an entry: where it stands, its request, the status and how long each phase took, and what failed.
pub fn entry_line(file: &str, entry: &EntryReport) -> String {
    let mut text = format!("{file}:{}: ", entry.line);
    match entry.calls.last() {
        Some(call) => {
            let _ = write!(text, "{} {} → {} in {}", call.method, call.url, call.status, phases(&call.timings));
        }
        None if entry.outcome == EntryOutcome::Skipped => {
            let _ = write!(text, "{}: skipped by its options", entry.request);
        }
        None => text.push_str(&entry.request),
    }
    for failure in &entry.failures {
        let _ = write!(text, "; {}", failure_line(failure));
    }
    text
}

/// `12.3 ms (dns 0.1, connect 0.4, first byte 11.6)`; phases that did not happen are left out.
pub(crate) fn phases(timings: &TimingsReport) -> String {
    let phases = [
        ("dns", timings.dns_us),
        ("connect", timings.connect_us),
        ("tls", timings.tls_us),
        ("first byte", timings.first_byte_us),
    ];
    let phases = phases.into_iter().filter(|(_, us)| *us > 0);
    let phases: Vec<_> = phases.map(|(name, us)| format!("{name} {}", milliseconds(us))).collect();
    let total = milliseconds(timings.total_us);
    if phases.is_empty() { format!("{total} ms") } else { format!("{total} ms ({})", phases.join(", ")) }
}

fn milliseconds(us: u64) -> String {
    format!("{}.{}", us / 1000, us % 1000 / 100)
}

/// `Assert status code (line 4): actual 500, expected 200`.
fn failure_line(failure: &FailureReport) -> String {
    let FailureReport { line, title, message, .. } = failure;
    match (&failure.actual, &failure.expected) {
        (Some(actual), Some(expected)) => format!("{title} (line {line}): actual {actual}, expected {expected}"),
        _ => format!("{title} (line {line}): {message}"),
    }
}

/// The failures of a file for a terminal, as `hurl --test` prints them.
pub fn failure_text(report: &FileReport) -> String {
    let mut text = String::new();
    for entry in report.failed() {
        for failure in &entry.failures {
            let margin = " ".repeat(failure.line.to_string().len());
            let _ = writeln!(text, "error: {}", failure.title);
            let _ = writeln!(text, "{margin} --> {}:{}:{}", report.file, failure.line, failure.column);
            let _ = writeln!(text, "{margin} |");
            if failure.line != entry.line {
                let _ = writeln!(text, "{margin} | {}", entry.request);
                let _ = writeln!(text, "{margin} | ...");
            }
            let _ = writeln!(text, "{} | {}", failure.line, failure.source);
            for line in failure.message.lines() {
                let _ = writeln!(text, "{margin} |   {line}");
            }
            if let (Some(expected), false) = (&failure.expected, failure.message.contains("expected")) {
                let _ = writeln!(text, "{margin} |   expected value is <{expected}>");
            }
            let _ = writeln!(text, "{margin} |\n");
        }
    }
    text
}
