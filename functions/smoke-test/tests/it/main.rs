//! The smoke test: its samples against a server of this process, and the function in the local AWS.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod deployment;
mod events;
mod job;
mod sample;
mod server;
mod steady;
mod world;
