//! The test gate: judges test reports by policy and answers the CodePipeline job.
//!
//! [`judge()`] is pure; the places that evidence comes from are beside it: the job's input artifacts, and files on this
//! machine for the command line.

mod artifact_source;
mod evidence;
mod handler;
mod judge;
pub mod local_source;
mod required;

pub use evidence::{Evidence, ReportFile};
pub use handler::main;
pub use judge::judge;
