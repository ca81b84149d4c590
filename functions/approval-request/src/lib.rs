//! Opens the record of an approval, asks people, and closes it when it was answered elsewhere.
//!
//! It hears of approvals in two ways, which lead to the same record: from the SNS message of the action's
//! `NotificationArn`, and from the event that EventBridge gets of every action, with no change to the pipeline.

mod event;
mod handler;

pub use event::{Hint, Message, read};
pub use handler::main;
