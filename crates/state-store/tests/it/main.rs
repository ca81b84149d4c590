//! The store against a real S3 server over loopback, with faults in front of it.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod answers;
mod documents;
mod faults;
mod server;
mod writers;
