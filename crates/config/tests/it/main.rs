//! What a person who writes a configuration gets to read.

mod config;
mod parameters;
