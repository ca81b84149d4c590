//! The job guard: answers the CodePipeline job of a function that died before it could.
//!
//! It is told by AWS Lambda, as the on-failure destination of the gates, and once a minute it looks through the leases
//! of jobs for one whose time is over. [`Death::of`] is pure: from a record to what happened, in words for the person
//! who looks at the action.

mod cause;
mod death;
mod event;
mod guard;
mod handed;
mod reaching;
mod record;
mod sweep;
mod unfinished;

pub use cause::Cause;
pub use death::Death;
pub use event::{Event, UnknownEvent};
pub use guard::{Done, Guard, NotDone, main};
pub use record::Record;
