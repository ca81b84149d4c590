//! One binary for all integration tests.

#![expect(clippy::unwrap_used, reason = "what a helper of a test cannot do ends the test")]

mod fixtures;
mod hostile;
mod properties;
mod shards;

use coverage_report::{Coverage, Format, Limits, Merged, Merger, ReportError, ReportFacts, read_coverage};

/// Reads one report under its format.
fn read(bytes: &[u8], format: Option<Format>) -> Result<(ReportFacts, Merged), ReportError> {
    let mut merger = Merger::default();
    let facts = read_coverage("report", bytes, format, &Limits::default(), &mut merger)?;
    Ok((facts, merger.finish()))
}

/// `line branch`, as `covered/total`.
fn figures(coverage: Coverage) -> String {
    let Coverage { line, branch } = coverage;
    format!("{}/{} {}/{}", line.covered, line.total, branch.covered, branch.total)
}
