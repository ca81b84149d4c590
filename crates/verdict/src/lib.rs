//! What a gate found: one schema for all gates, and its renderings.
//!
//! The outcome of a [`Verdict`] is worked out from its findings and cannot be set, so no gate and no stored document
//! can be greener than what it lists. The crate knows no AWS SDK and no Lambda runtime.

mod figures;
mod finding;
mod junit;
mod numbers;
mod render;
mod verdict;

pub use figures::{BaselineRef, CheckCounts, Coverage, SarifCounts, Share, TestCounts};
pub use finding::{Finding, Outcome};
pub use numbers::{grouped, percent};
pub use render::{MAX_MESSAGE_CHARS, MAX_SUMMARY_CHARS};
pub use verdict::{Evidence, Execution, Verdict, VerdictBuilder};
