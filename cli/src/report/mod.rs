//! The report on delivery: where it reads, and how it looks in a terminal.

mod state;
mod table;

pub(crate) use state::State;
pub(crate) use table::table;
