//! A new program takes the place of one that has served its number of events, in the same process.
//!
//! `lambda_runtime` 1.5 sets `_X_AMZN_TRACE_ID` anew with each event (`amzn_trace_env` in its `runtime.rs`), and glibc keeps
//! every value that a variable ever had, so that each function grows by some 150 bytes with each event.
//!
//! The program is replaced after its answer was taken and before it asks for the next event, so nothing is waiting for it.
//! AWS does not document what Lambda makes of that. What speaks for it: the Runtime API knows the runtime by its
//! requests alone, and functions in PHP have been run so for years: Bref's bootstrap is a loop around a program that ends
//! after `BREF_LOOP_MAX` answers, where the next program asks for the next event.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use lambda_runtime::Error;
use lambda_runtime::tower::layer::{Layer, layer_fn};
use lambda_runtime::tower::util::MapResult;
use tokio::signal::unix::{SignalKind, signal};

/// So many events are a third of a megabyte, and much more work than a start.
pub(crate) const EVENTS: NonZeroU32 = NonZeroU32::new(2_000).expect("it is not zero");

/// The program has served its number of events.
#[derive(Debug)]
pub(crate) struct Spent;

impl fmt::Display for Spent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the program has served its number of events")
    }
}

impl std::error::Error for Spent {}

/// The layer that ends the loop of the runtime with [`Spent`] after so many events. It has to be the outermost one: when
/// its service returns, Lambda has the answer.
pub(crate) fn after<S>(
    events: NonZeroU32,
) -> impl Layer<S, Service = MapResult<S, impl FnOnce(Result<(), Error>) -> Result<(), Error> + Clone>> {
    let served = Arc::new(AtomicU32::new(0));
    let is_renewed = may_be_renewed(std::env::var_os("AWS_LAMBDA_INITIALIZATION_TYPE").as_deref());
    let count = move |served_one: Result<(), Error>| {
        served_one?;
        let is_spent = is_renewed && served.fetch_add(1, Ordering::Relaxed) + 1 >= events.get();
        if is_spent { Err(Spent.into()) } else { Ok(()) }
    };
    layer_fn(move |service| MapResult::new(service, count.clone()))
}

/// Whether a program may be started anew: one that was restored from a snapshot would ask to be restored once more.
fn may_be_renewed(initialization: Option<&OsStr>) -> bool {
    initialization.is_none_or(|initialization| initialization != "snap-start")
}

/// Starts the program of this process anew. Returns only if that failed, which is within a Tokio runtime, and must not be
/// tried again.
pub(crate) fn renew() -> io::Error {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return error,
    };
    let error = Command::new(program).args(std::env::args_os().skip(1)).exec();
    // The attempt has undone that Rust ignores SIGPIPE, so that a connection that is closed would end the process. Tokio sets
    // its handler once, so that a second attempt would undo that as well.
    match signal(SignalKind::pipe()) {
        Ok(_) => error,
        Err(worse) => io::Error::other(format!("{error}; and the signal SIGPIPE cannot be ignored: {worse}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_a_snapshot_stays() {
        for (initialization, expected) in [
            (None, true),
            (Some("on-demand"), true),
            (Some("provisioned-concurrency"), true),
            (Some("snap-start"), false),
        ] {
            assert_eq!(may_be_renewed(initialization.map(OsStr::new)), expected, "{initialization:?}");
        }
    }
}
