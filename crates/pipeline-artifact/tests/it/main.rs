//! The crate against a real S3 server (`s3s` on a file system) over loopback.

mod archives;
mod damage;
mod limits;
mod server;
mod traffic;
mod writing;
mod zip_builder;
