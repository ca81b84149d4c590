//! Real builds, asked for over HTTP by the official client of AWS.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod builds;
mod coverage;
mod inputs;
mod reports;
mod starting;
mod support;
mod test_cases;
