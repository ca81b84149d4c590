//! The release gate in the local AWS: the function in a process of its own, CodePipeline, CloudWatch and S3 over HTTP, and a
//! clock that runs 60 times as fast as the wall's.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod doors;
mod events;
mod job;
mod sampling;
mod world;
