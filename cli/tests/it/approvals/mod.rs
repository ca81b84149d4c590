//! Approvals from end to end: the functions in processes of their own, a pipeline that waits, and people in Slack.

mod closing;
mod deciding;
mod refusing;
mod time;
mod world;
