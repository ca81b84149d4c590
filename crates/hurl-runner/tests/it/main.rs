//! Runs Hurl files against servers on loopback.

mod asserts;
mod guard;
mod load;
mod options;
mod probes;
mod requests;
mod server;
mod support;
