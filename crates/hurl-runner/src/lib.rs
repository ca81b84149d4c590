//! Runs Hurl files.
