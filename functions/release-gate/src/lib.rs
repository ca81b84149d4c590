//! The release gate: decides by change windows, alarms, metrics, verdicts and more whether a release may go on, and
//! answers the CodePipeline job.
//!
//! Each invocation takes one look at the most; what is known of the looks before stands in the continuation token. The
//! looking itself is in `crates/release`.

mod calendars;
mod handler;

pub use handler::main;
