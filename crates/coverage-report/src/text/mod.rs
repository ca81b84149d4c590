//! Formats made of lines.

pub(crate) mod go;
pub(crate) mod lcov;
