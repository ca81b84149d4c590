#![doc = include_str!("../README.md")]
//!
//! # Where to begin
//!
//! * [`run`] a [`Handler`], which is an `async fn` from a [`Job`] and a [`JobContext`] to an [`Outcome`] or a
//!   [`Failure`].
//! * [`Success`] and [`Continuation`] are the outcomes; [`FailureCause`] and [`OrFail`] make failures of errors.
//! * [`Lifecycle`] sets the AWS configuration and the margin, and [accepts](Lifecycle::accept) jobs that are answered
//!   by hand with a [`PendingAnswer`].
//! * An [`Attendant`] sees every job begin and its answer confirmed; [`Lifecycle::fail_in_place`] answers for a function
//!   that died.

mod answer;
mod attendant;
mod aws;
mod context;
mod delivery;
mod event;
mod failure;
mod guard;
mod job;
mod lifecycle;
mod logging;
mod outcome;
mod reader;
mod request;
mod substitute;
mod text;
mod time;
mod token;
mod variables;

pub use answer::PendingAnswer;
pub use attendant::{Attendance, Attendant, StartedJob};
pub use context::JobContext;
pub use delivery::{Delivery, DeliveryError};
pub use event::{JobId, NoJobId};
pub use failure::{Failure, FailureCause, FailureKind, OrFail};
pub use job::{Artifact, ArtifactCredentials, EncryptionKey, EventError, Job, NoArtifactCredentials, PipelineContext};
pub use lifecycle::{Accepted, Handler, InvocationError, Lifecycle, Report, run};
pub use logging::init_logging;
pub use outcome::{Continuation, CurrentRevision, Outcome, Success};
pub use reader::JobDataError;
pub use token::{ContinuationToken, MAX_CONTINUATION_TOKEN, TokenError};
pub use variables::MAX_OUTPUT_VARIABLES_BYTES;
