//! What a person who writes a configuration gets to read.

mod config;
mod kept;
mod parameters;
mod places;
mod schema;
