//! How gates take jobs.

use codepipeline_job::Lifecycle;

use crate::lease::Leases;

/// The lifecycle of the jobs of a gate: as in its environment, with a lease for each job.
pub fn lifecycle() -> Lifecycle {
    Lifecycle::new().attendant(Leases)
}
