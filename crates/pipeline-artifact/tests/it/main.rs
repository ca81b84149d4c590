//! The crate against a real S3 server (`s3s` on a file system) over loopback.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as a test may")]

mod archives;
mod damage;
mod limits;
mod server;
mod traffic;
mod writing;
mod zip_builder;
