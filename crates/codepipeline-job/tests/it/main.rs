//! The lifecycle against a real Lambda Runtime API and a real CodePipeline endpoint, with the function as a process.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod answers;
mod broken_calls;
mod by_hand;
mod deadline;
mod events;
mod function;
mod logs;
mod support;
