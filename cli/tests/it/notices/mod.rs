//! Notices from end to end: CodePipeline, EventBridge, the deployed functions as processes, and Slack.

mod alone;
mod faults;
mod quiet;
mod reasons;
mod releases;
mod time;
mod topic;
mod world;
