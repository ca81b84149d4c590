//! The local AWS behind its one endpoint, as the official clients see it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod alarms;
mod codebuild;
mod codedeploy;
mod codedeploy_actions;
mod codedeploy_refusals;
mod faults;
mod function;
mod function_urls;
mod messages;
mod pipelines;
mod queues;
mod rights;
mod schedules;
mod stacks;
mod wire;
mod world;
