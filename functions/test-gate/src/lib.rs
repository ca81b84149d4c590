//! The test gate: judges test reports by policy and answers the CodePipeline job.
