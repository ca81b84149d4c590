//! Tests of the local CodePipeline through its public interface.

mod declarations;
mod harness;
mod invariants;
mod jobs;
mod messages;
mod rules;
mod shell;
mod validation;
mod wire;
