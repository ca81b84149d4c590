//! Looks at every open approval once a minute: reminds, escalates, rejects what is over its time, and repairs what was
//! lost.
//!
//! Everything that another function of the desk may have left undone when it died is done here: a record that was never
//! written, a message that was never sent or changed, a decision that CodePipeline was never told, an end that nobody
//! noticed.

mod handler;
mod rounds;

pub use handler::main;
pub use rounds::{GateAnswer, Gates, NoGates, look_at};
