//! Overrides that were written into the state bucket.

use stagegate_state_store::StateStore;

use crate::facts::{Known, Unmeasured};
use crate::overrides::Override;

/// The override of a gate for an execution, if there is one; whether it holds is looked at elsewhere.
pub(super) async fn stored(store: &StateStore, execution: &str, gate: &str) -> Known<Option<Override>> {
    let stored = store.get(&Override::key(execution, gate)).await;
    let stored = stored.map_err(|error| {
        Unmeasured::new(format!("whether somebody has overridden the gate is not known: failed to {error}"))
    })?;
    Ok(stored.map(|stored| stored.document))
}
