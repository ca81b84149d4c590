//! The test gate: judges test, coverage and SARIF reports by policy and answers the CodePipeline job.
//!
//! [`judge()`] is pure; the places that evidence comes from are beside it: the job's input artifacts, CodeBuild's report
//! groups, and files on this machine for the command line.

mod artifact_source;
mod baseline;
mod codebuild_reports;
mod codebuild_source;
mod evidence;
mod handler;
mod judge;
pub mod local_source;
mod recall;

pub use baseline::{Baseline, TestsBaseline};
pub use codebuild_reports::{BuildCase, BuildReport, BuildReports, CaseOutcome, ReportState};
pub use evidence::{Evidence, Kind, Names, Reading, UnknownFormat};
pub use handler::main;
pub use judge::{Circumstances, Judged, RULES, judge};
