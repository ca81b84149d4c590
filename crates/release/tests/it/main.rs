//! Whether a release may go on, by what was measured.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod calendars;
mod conditions;
mod looks;
mod overrides;
mod plans;
mod sampling;
mod windows;

use jiff::Timestamp;
use stagegate_config::{Config, ReleaseGate};

/// The release gate that these keys make.
pub(crate) fn gate(keys: &str) -> ReleaseGate {
    let indented: String = keys.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("gates:\n  web:\n{indented}");
    let config = Config::parse("stagegate.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    config.gate("web").unwrap().release().unwrap().clone()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
