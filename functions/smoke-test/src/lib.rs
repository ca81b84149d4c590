//! The smoke test: runs Hurl files and checks against a deployment and judges what they show.
//!
//! [`Suite`] is what a policy asks for, read and checked; [`run()`] makes a [`Sample`] of it; [`judge()`] and
//! [`steady`] are the pure decision. Which door a call came through is known to [`main`] only: the job of an action or
//! rule of CodePipeline, the lifecycle hook of CodeDeploy, or the command line.

mod artifact_source;
mod checks;
mod folder_source;
mod function;
mod hook;
mod job;
mod judge;
mod network;
mod report;
mod run;
mod secrets;
mod source;
pub mod steady;
mod step;
mod suite;
mod text;
mod variables;

pub use folder_source::{from_files, from_folder};
pub use function::main;
pub use judge::{RULES, judge};
pub use network::{InvalidNetwork, outbound, outbound_with_loopback};
pub use report::junit;
pub use run::{Conditions, Outcome, Run, Sample, UnitReport, run};
pub use source::{SourceError, SourceFile, SourceFiles};
pub use suite::{Suite, Unit};
pub use text::{entry_line, failure_text};
pub use variables::variables;
