//! Tells people how executions of pipelines, builds and deployments go: one thread for each.
//!
//! Every event becomes a small [`Picture`](stagegate_notice::Picture) that is joined to what is kept of its execution in
//! `threads/<execution>.json`. Whatever follows from that (asking AWS, posting, waiting) is decided by
//! [`Thread::advance`](stagegate_notice::Thread::advance), which is pure; here it is done ([`Notifier`]). Once a minute, a
//! [round](Notifier::round) looks after what is open: it repairs what was lost and sends what a channel had refused.

mod digests;
mod documents;
mod handler;
mod look;
mod measure;
mod notifier;
mod round;
mod routing;
mod series;
mod source;

pub use documents::{Kept, Seen, Watched};
pub use handler::main;
pub use notifier::{Notifier, Parts, Visit};
pub use routing::routes;
pub use source::{Heard, NotHeard, heard};
