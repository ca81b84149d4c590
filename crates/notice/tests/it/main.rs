//! Pictures of executions, whatever the order, number and loss of their events.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

mod failures;
mod laws;
mod threads;
mod world;
