//! Custom actions in the local AWS: pipelines whose jobs the worker hands to a gate.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

mod actions;
mod function;
mod kept;
mod races;
mod world;
