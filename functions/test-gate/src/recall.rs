//! What the gate remembers from one execution to the next: the baseline of each pipeline.

use codepipeline_job::Failure;
use stagegate_config::TestGate;
use stagegate_gate::State;
use stagegate_state_store::{Decision, Document, Key, StateError};
use stagegate_verdict::{Execution, Outcome};

use crate::{Baseline, Judged};

impl Document for Baseline {
    const KIND: &'static str = "baseline";
    const VERSION: u32 = 2;
    const OLDEST_VERSION: u32 = 2;
    /// The digests of 250,000 tests and some of their names.
    const MAX_BYTES: usize = 8 << 20;
}

/// The baseline of a pipeline and gate, where the policy compares with one.
///
/// # Errors
///
/// If the policy compares and it cannot be found out what with.
pub(crate) async fn baseline(
    state: &State,
    policy: &TestGate,
    gate: &str,
    execution: &Execution,
) -> Result<Option<Baseline>, Failure> {
    if !policy.compares() {
        return Ok(None);
    }
    let store = state.require("compare with a baseline")?;
    let key = key(gate, execution).ok_or_else(|| {
        Failure::configuration(
            "failed to compare with a baseline: nothing says which pipeline this is; add \"pipeline\" to UserParameters",
        )
    })?;
    let stored = store.get(&key).await.map_err(|error| stagegate_gate::failure(&error))?;
    Ok(stored.map(|stored| stored.document))
}

/// Keeps the baseline of a verdict that has passed, where the policy compares with one.
///
/// # Errors
///
/// What could not be kept.
pub(crate) async fn keep(
    state: &State,
    policy: &TestGate,
    judged: &Judged,
    execution: &Execution,
) -> Result<(), StateError> {
    let passed = judged.verdict.outcome() == Outcome::Passed && policy.compares();
    let key = key(judged.verdict.gate(), execution).filter(|_| passed);
    if let Some(key) = key
        && let Some(store) = state.store()
    {
        // An execution that took longer must not replace the baseline of a later one.
        let newer = |known: Option<Baseline>| match known {
            Some(known) if known.at > judged.baseline.at => Decision::Leave,
            _ => Decision::Write(judged.baseline.clone()),
        };
        store.update(&key, newer).await?;
    }
    Ok(())
}

fn key(gate: &str, execution: &Execution) -> Option<Key<Baseline>> {
    execution.pipeline.as_deref().map(|pipeline| Key::baseline(pipeline, gate))
}
