//! Notices from end to end: CodePipeline, EventBridge, the deployed functions as processes, and Slack.

mod faults;
mod releases;
mod time;
mod world;
