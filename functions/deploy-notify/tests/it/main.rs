//! The function against a local CodePipeline, S3 and Slack: everything but its process is as it is deployed.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, too, and fail where they stand")]

mod calls;
mod channels;
mod deployments;
mod orders;
mod quiet;
mod recorded;
mod routing;
mod world;
