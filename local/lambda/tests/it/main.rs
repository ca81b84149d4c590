//! Functions as real processes: this binary starts itself again as the function (see `function`).

#![expect(clippy::unwrap_used, reason = "the lint knows test functions but not what they call")]

mod event_queue;
mod function;
mod lifecycle;
mod modes;
mod raw_runtime;
mod rest;
mod support;
mod versions;
