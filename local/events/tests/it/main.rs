//! Patterns and schedules as data.

#![expect(clippy::unwrap_used, reason = "the lint knows test functions but not what they call")]

mod patterns;
mod schedules;
