//! The verdicts of other gates.

use stagegate_state_store::{Key, StateStore};

use crate::facts::{Known, Unmeasured, VerdictFact};

/// The verdict of a gate about an execution, if it has given one.
pub(super) async fn verdict(
    store: Option<&StateStore>,
    execution: Option<&str>,
    gate: &str,
) -> Known<Option<VerdictFact>> {
    let store = store.ok_or_else(|| Unmeasured::new("there is no state bucket to read verdicts from"))?;
    let execution = execution.ok_or_else(|| Unmeasured::new("nothing says which execution this is"))?;
    let stored = store.get(&Key::verdict(execution, gate)).await;
    let stored =
        stored.map_err(|error| Unmeasured::new(format!("the verdict of {gate} cannot be read: failed to {error}")))?;
    let Some(verdict) = stored.map(|stored| stored.document) else { return Ok(None) };
    // A document that was copied by hand to another place says so.
    if verdict.gate() != gate || verdict.execution() != Some(execution) {
        return Err(Unmeasured::new(format!(
            "the document in the place of the verdict of {gate} is about something else"
        )));
    }
    let summary = verdict.summary().to_owned();
    Ok(Some(VerdictFact { outcome: verdict.outcome(), at: verdict.at(), summary }))
}
