//! What a gate found: one schema for all gates, and its renderings.
//!
//! The outcome of a [`Verdict`] is worked out from its findings and cannot be set, so no gate and no stored document
//! can be greener than what it lists. The crate knows no AWS SDK and no Lambda runtime.

mod finding;
mod numbers;
mod render;
mod tests_summary;
mod verdict;

pub use finding::{Finding, Outcome};
pub use numbers::{grouped, percent};
pub use render::{MAX_MESSAGE_CHARS, MAX_SUMMARY_CHARS};
pub use tests_summary::TestCounts;
pub use verdict::{Evidence, Execution, Verdict, VerdictBuilder};
