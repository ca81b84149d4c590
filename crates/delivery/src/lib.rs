//! How software is delivered, measured from what is known of pipeline executions.
//!
//! From the [`Picture`](stagegate_notice::Picture) of one execution follow the [`Measurement`]s that it gives alone
//! ([`measure`]): deployments and their lead time, how long stages took and approvals waited, what gates have said. What
//! needs the executions before it follows from the [`Production`] of a pipeline: which changes have failed there, and how
//! long it took to restore. Each measurement has a key. Whoever remembers the keys counts nothing twice, whatever the
//! order, the number and the loss of events.
//!
//! [`emf`] writes measurements as log lines that CloudWatch turns into metrics; [`Report`] puts the same measurements
//! together for people. What each of them means is in `docs/delivery.md`.
//!
//! Nothing here does I/O.

mod ends;
mod execution;
mod measurement;
mod production;
mod report;
mod spread;

pub mod emf;

pub use execution::{measure, take_due};
pub use measurement::{Dimension, Measurement, Metric, Origin, Subject};
pub use production::{Change, Production, Restoration};
pub use report::{ApprovalWaits, Deployment, GateOutcomes, Observed, PipelineReport, Report, StageDurations, Week};
pub use spread::Spread;
