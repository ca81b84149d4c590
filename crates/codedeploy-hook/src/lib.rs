//! The lifecycle of a CodeDeploy lifecycle hook: every hook gets exactly one answer.
//!
//! CodeDeploy calls the function of a hook with two ids and waits up to one hour for
//! `PutLifecycleEventHookExecutionStatus` (AWS CodeDeploy guide, "hooks" section). [`HookLifecycle::handle`] runs a
//! [`HookHandler`] and answers for it: `Succeeded` only where the handler says so, and `Failed` where it fails, panics,
//! or has no result in time. The deadline is watched by a thread of its own, so a handler that blocks the others cannot
//! keep the answer back.

mod aws;
mod delivery;
mod event;
mod guard;
mod lifecycle;

pub use delivery::{Delivery, DeliveryError};
pub use event::{Hook, NoHook, is_hook};
pub use lifecycle::{HookContext, HookError, HookHandler, HookLifecycle, HookReport};
