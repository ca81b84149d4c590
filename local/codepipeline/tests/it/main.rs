//! Tests of the local CodePipeline through its public interface.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod conditions;
mod custom_actions;
mod declarations;
mod faults;
mod harness;
mod invariants;
mod jobs;
mod messages;
mod rollback;
mod rules;
mod shell;
mod validation;
mod wire;
mod wire_conditions;
mod workers;
