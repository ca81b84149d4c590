//! The part of the `libxml` crate that `hurl_core` uses, without libxml2.
//!
//! `hurl_core` reads an XML request body one character at a time and needs to know two things: where the root
//! element ends, and whether the text up to there is well-formed. [`scanner::Scanner`] answers both. [`bindings`] gives
//! it the shape of libxml2's push parser, with the names and signatures that `hurl_core` calls.

pub mod bindings;
mod element;
pub mod scanner;
