//! One manual approval, from the request to its end.
//!
//! The whole life of an approval is one pure function, [`step`]: from the record and something that has happened to the
//! record afterwards and what is to be done now. Whoever does it (the functions of the desk) keeps the record with
//! conditional writes, does what [`step`] asks for, and tells it what became of that. So a crash between any two of these
//! loses nothing: what is still owed is in the record ([`owed`]).
//!
//! # What holds
//!
//! * **One decision**: a record that has left [`Phase::Requested`] never goes back, and its outcome never changes.
//! * **People are counted once**, by their Slack user id; of several votes of one person the last one counts.
//! * **The token stays inside**: it is in the stored document, and neither `Debug` nor any text of this crate shows it.

mod alarm;
mod audit;
mod authorise;
mod event;
mod id;
mod looks;
mod owed;
mod place;
mod record;
mod release;
mod step;
mod summary;
mod terms;
mod token;

pub use alarm::alarms;
pub use audit::{Audit, AuditVote};
pub use authorise::{Grounds, Person, Refusal, authorise};
pub use event::{Ended, Event, Request};
pub use id::ApprovalId;
pub use looks::{Look, Looks, Overridden};
pub use owed::{Effect, owed};
pub use place::Place;
pub use record::{
    Approval, Decision, Delivery, Installation, Lease, Notice, NoticeKind, NoticeState, OpenApproval, Outcome, Phase,
    Reason, Ruling, SlackMessage, Tries, Vote,
};
pub use release::{Author, Previous, Release, Revision, Started, VerdictNote};
pub use step::{Reply, Step, step};
pub use summary::MAX_SUMMARY_UNITS;
pub use terms::{AutomaticTerms, EscalationTerms, Terms};
pub use token::Token;
