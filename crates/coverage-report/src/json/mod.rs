//! Formats made of JSON.

pub(crate) mod istanbul;
pub(crate) mod istanbul_summary;
pub(crate) mod llvm;
pub(crate) mod simplecov;
mod value;
