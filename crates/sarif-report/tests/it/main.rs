//! One binary for all integration tests.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do ends the test")]

mod findings;
mod fixtures;
mod hostile;
mod properties;

use sarif_report::{Limits, LogFacts, ReportError, Summary, Which, read_sarif};

/// Reads one log.
fn read(bytes: &[u8], which: Which) -> Result<(LogFacts, Summary), ReportError> {
    let mut summary = Summary::keeping(which, 10);
    let facts = read_sarif("log", bytes, &Limits::default(), &mut summary)?;
    Ok((facts, summary))
}
