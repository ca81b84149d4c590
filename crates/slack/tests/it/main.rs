//! Slack as functions use it: over real HTTP where anything is sent.

#![expect(clippy::unwrap_used, reason = "clippy lets tests unwrap, but not the functions that they share")]

mod blocks;
mod client;
mod interaction;
mod manifest;
mod server;
mod signature;
mod text;
mod webhook;
