//! `stagegate override`: lets one execution through one gate, with a name and a reason, for a while.

use jiff::{SignedDuration, Timestamp};
use stagegate_release::Override;
use stagegate_state_store::{Created, Decision, StateStore, Updated};
use uuid::Uuid;

use crate::args::OverrideOptions;
use crate::exit::{CommandError, Exit};
use crate::terminal::say;

pub(crate) fn run(options: &OverrideOptions) -> Result<Exit, CommandError> {
    let given = given(options, Timestamp::now())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CommandError::unavailable(format!("start: {error}")))?;
    runtime.block_on(write(&given, options))?;
    say(format_args!(
        "{} passes the gate {} until {}; it is audited with your name and reason",
        given.execution, given.gate, given.until
    ));
    Ok(Exit::Passed)
}

fn given(options: &OverrideOptions, now: Timestamp) -> Result<Override, CommandError> {
    let filled = |name: &str, text: &str| -> Result<String, CommandError> {
        match text.trim() {
            "" => Err(CommandError::wrong_call(format!("give the override: {name} is empty"))),
            text => Ok(text.to_owned()),
        }
    };
    let length = SignedDuration::try_from(options.length).unwrap_or(SignedDuration::MAX);
    let until =
        now.checked_add(length).map_err(|error| CommandError::wrong_call(format!("give the override: {error}")))?;
    Ok(Override {
        pipeline: filled("--pipeline", &options.pipeline)?,
        execution: filled("--execution", &options.execution)?,
        gate: filled("--gate", &options.gate)?,
        who: filled("--by", options.by.as_deref().unwrap_or_default())?,
        why: filled("--reason", &options.reason)?,
        at: now,
        until,
    })
}

/// Writes the audit entry first: what is not audited is not given.
async fn write(given: &Override, options: &OverrideOptions) -> Result<(), CommandError> {
    let sdk = aws_config::load_from_env().await;
    let store = StateStore::new(&sdk, &options.state_bucket, None);
    let failed = |error: stagegate_state_store::StateError| CommandError::unavailable(error);
    let (key, entry) = given.audited(&Uuid::new_v4().to_string());
    match store.create(&key, &entry).await.map_err(failed)? {
        Created::Now(_) => {}
        Created::AlreadyExists(_) => {
            return Err(CommandError::unavailable(
                "audit the override: its entry exists already; run the command again",
            ));
        }
    }
    let key = Override::key(&given.execution, &given.gate);
    match store.update(&key, |_| Decision::Write(given.clone())).await.map_err(failed)? {
        Updated::Written(_) | Updated::Left => Ok(()),
    }
}
