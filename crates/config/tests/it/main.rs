//! What a person who writes a configuration gets to read.

mod config;
mod kept;
mod notifications;
mod page;
mod parameters;
mod places;
mod releases;
mod schema;
