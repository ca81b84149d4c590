//! What people hear of a pipeline execution.
//!
//! A [`Picture`] is what is known of one execution. Each event gives a small one ([`Picture::of`]), and so does what
//! CodePipeline answers when it is asked; [`Picture::join`] puts them together. Joining is commutative, associative and
//! idempotent, so that the order, the number and the loss of events change nothing once what was lost has been looked up.
//!
//! From the picture follow the [`Head`] (how the execution stands, in a few lines) and the [`Notice`]s, each with a key of
//! its own. A [`Thread`] is what is stored: the picture, and which message of which channel was posted where.
//! [`Thread::advance`] is its whole life: it takes what has happened ([`Report`]) and says what is to be done next
//! ([`Step`]), so that a process can die between any two steps and the next one goes on.
//!
//! Nothing here does I/O.

mod about;
mod action;
mod bulletin;
mod digest;
mod due;
mod head;
mod look;
mod mark;
mod notice;
mod picture;
mod register;
mod route;
mod said;
mod series;
mod service;
mod states;
mod step;
mod subject;
mod thread;

pub use about::{About, Revision, Series, VerdictLine};
pub use action::{Action, Reason, ReasonSource};
pub use bulletin::Bulletin;
pub use digest::{Digest, DigestTurn, Item, Origin, Sending};
pub use due::Effect;
pub use head::{Head, StageLine, Status};
pub use look::Looked;
pub use mark::Mark;
pub use notice::{Kind, Line, Notice};
pub use picture::{Part, Picture, Stage};
pub use register::Moment;
pub use route::{Once, Route, Wants, Wish};
pub use series::{End, History};
pub use service::build_state;
pub use states::{ActionState, ExecutionState, StageState};
pub use step::{Claim, Doubt, Report, Step, Turn};
pub use subject::Subject;
pub use thread::{Ended, Lease, Message, Post, Posted, Refusal, Thread};
