//! One binary for all integration tests.

mod fixtures;
mod hostile;
mod properties;
mod windows;
