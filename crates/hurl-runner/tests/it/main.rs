//! Runs Hurl files against servers on loopback.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod asserts;
mod guard;
mod junit;
mod load;
mod namespace;
mod options;
mod probes;
mod requests;
mod server;
mod support;
