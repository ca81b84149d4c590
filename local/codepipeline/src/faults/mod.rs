//! Faults for tests: calls of the API that are refused, slow or cut off, and events that are lost, doubled, late or out
//! of order. A local CodePipeline without [`Faults`] pays nothing for them.

mod endpoint;
mod plan;

use std::time::Duration;

use serde_json::Value;

pub(crate) use endpoint::faulty;
pub use plan::FaultPlan;
pub use stagegate_local_faults::{CallFault, Refusal, When};

/// Decides what goes wrong. It is asked once for each call at the endpoint and once for each event.
pub trait Faults: Send + Sync {
    /// What happens to a call of an operation, for example `PutJobSuccessResult`.
    fn call(&self, operation: &str) -> CallFault;

    /// What happens to an event on its way to EventBridge.
    fn event(&self, event: &Value) -> EventFault;
}

/// What happens to an event on its way to EventBridge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventFault {
    /// Nothing.
    #[default]
    None,
    /// It is lost.
    Drop,
    /// It comes twice.
    Duplicate,
    /// It comes after this much time of the local clock; those after it do not wait.
    Delay(Duration),
    /// It comes after the next one, or after a fifth of a second where there is none.
    Reorder,
}
