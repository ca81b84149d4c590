//! Faults of the local AWS, for tests of any function: put them into [`Options`](crate::Options).
//!
//! | what breaks | option | plan by a seed |
//! |---|---|---|
//! | calls of S3 and of every other service: refused, slow, cut off before or after the effect | [`call_faults`](crate::Options::call_faults) | [`CallPlan`] |
//! | functions: throttled, crashed at the start, killed, stopped, out of memory | [`invoke_faults`](crate::Options::invoke_faults) | [`InvokePlan`] |
//! | CodePipeline's answers, and its events before any rule sees them | [`codepipeline_faults`](crate::Options::codepipeline_faults) | [`FaultPlan`](stagegate_local_codepipeline::faults::FaultPlan) |
//! | deliveries of rules, schedules, topics and destinations | [`delivery_fault`](crate::Options::delivery_fault) | |
//! | what a function gets from CodePipeline | [`event_change`](crate::Options::event_change) | |

pub use stagegate_local_codepipeline::faults::{EventFault, FaultPlan, Faults};
pub use stagegate_local_faults::{ApiCall, CallFault, CallFaults, CallPlan, Refusal, Rules, When};
pub use stagegate_local_lambda::faults::{Attempt, InvokeFault, InvokeFaults, InvokePlan, Signal};
