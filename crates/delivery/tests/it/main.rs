//! Measurements of executions that are told as events.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod definitions;
mod emf;
mod laws;
mod report;
mod world;
