//! The action providers with real shells, real files and real HTTP.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod codebuild;
mod codedeploy;
mod example;
mod others;
mod service_events;
mod source;
mod support;
mod unpack;
