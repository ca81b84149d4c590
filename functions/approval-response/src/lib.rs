//! Takes people's votes from Slack and answers the approval.
//!
//! Slack waits three seconds for an acknowledgement, and AWS may be slower than that. So a click only opens a modal, and a
//! submitted modal is acknowledged as soon as Lambda has taken the vote as an asynchronous invocation of this same function:
//! from then on Lambda keeps it, tries again where it fails, and puts it into the dead-letter queue at last. Such an
//! invocation comes by Lambda's API, which IAM guards; what comes through the function's URL always is an HTTP request, and
//! is believed by its signature only.

mod check;
mod click;
mod finish;
mod handler;
mod http;
mod modal;
mod overriding;
mod vote;
mod web;

pub use handler::main;
pub use http::{HttpRequest, Unreadable};
pub use vote::{CastOverride, CastVote, Sender, Work};
