//! The test gate: what it says about evidence, and how it answers a job.

mod history;
mod job;
mod judge;
mod judge_more;
mod memory;
mod report_groups;
mod world;
