//! The test gate: what it says about evidence, and how it answers a job.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

mod events;
mod history;
mod hostile;
mod job;
mod judge;
mod judge_more;
mod memory;
mod report_groups;
mod world;
