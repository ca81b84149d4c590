//! The job guard in the local AWS, beside gates that really die.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

mod deaths;
mod function;
mod guard;
mod hooks;
mod world;
