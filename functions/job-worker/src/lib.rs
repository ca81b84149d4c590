//! The job worker: takes the jobs of the custom actions `Stagegate-*` and hands each to its gate, as the event that the
//! gate would get from a Lambda action.
//!
//! It answers no job of its own accord. Only one that it took and could not hand on is failed, so that nobody waits a day
//! for it.

mod action;
mod event;
mod handover;
mod kept;
mod parameters;
mod worker;

pub use action::{Action, Actions, ActionsError};
pub use event::job_event;
pub use parameters::user_parameters;
pub use worker::{Done, NotDone, Worker, main};
