//! Looks at every open approval once a minute: reminds, escalates, rejects what is over its time, and repairs what was
//! lost. Where a release gate may answer for people, the gate looks here.
//!
//! Everything that another function of the desk may have left undone when it died is done here: a record that was never
//! written, a message that was never sent or changed, a decision that CodePipeline was never told, an end that nobody
//! noticed.

mod gates;
mod handler;
mod rounds;

pub use gates::{Gates, ReleaseGates};
pub use handler::main;
pub use rounds::look_at;
