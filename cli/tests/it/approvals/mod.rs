//! Approvals from end to end: the functions in processes of their own, a pipeline that waits, and people in Slack.

mod auditing;
mod automatic;
mod channels;
mod closing;
mod crowd;
mod deciding;
mod gathering;
mod killing;
mod overriding;
mod proxy;
mod refusing;
mod time;
pub(crate) mod world;
