//! What the functions of the desk share.
//!
//! An approval's life is decided in `stagegate-approval`. Here is what touches the world: the record in S3, what
//! CodePipeline knows ([`Pipelines`]), messages to Slack and SNS, secrets from Parameter Store, and [`Desk::settle`], which
//! does what a record owes and tells the record what became of it, one thing after the other.

mod channel;
mod clock;
mod conclude;
mod desk;
mod error;
mod message;
mod open;
mod person;
mod pipelines;
mod process;
mod release;
mod settings;
mod settle;

pub use clock::Clock;
pub use desk::{Applied, Desk};
pub use error::DeskError;
pub use message::{APPROVE, OVERRIDE, REJECT, waited};
pub use open::Opened;
pub use person::Unverified;
pub use pipelines::{Found, Pipelines};
pub use process::main;
pub use release::{note, revisions, verdicts};
pub use settings::Settings;
pub use stagegate_channel::{SecretError, Secrets, variable};
