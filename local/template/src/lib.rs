//! Reads from the templates what the local AWS wires: what runs here is what is deployed.
//!
//! [`read_template`] evaluates parameters, conditions, mappings and intrinsic functions, merges `Globals` as SAM does,
//! and gives functions, layers, log groups, buckets, topics, queues, rules, schedules and roles with their local names and ARNs,
//! and pipelines with what they build and deploy with. All other resources are kept as they are written. What would change how
//! something runs and is not supported is an error with its place, not a silent difference.

mod codebuild;
mod codedeploy;
mod error;
mod evaluate;
mod event_source;
mod function;
mod globals;
mod listener;
mod parameter_store;
mod parameters;
mod physical;
mod pipeline;
mod properties;
mod queue;
mod resources;
mod role;
mod rules;
mod settings;
mod substitute;
mod template;
mod yaml;

pub use codebuild::BuildProject;
pub use codedeploy::{Application, DeploymentGroup};
pub use error::{Position, TemplateError};
pub use event_source::{EventSource, FunctionEvent, RetryPolicy, TargetInput};
pub use function::{Build, EventInvoke, Function, FunctionUrl, Logging};
pub use listener::Listener;
pub use parameter_store::StoredParameter;
pub use parameters::ParameterValue;
pub use pipeline::Pipeline;
pub use queue::{Queue, Redrive};
pub use resources::{Bucket, CustomActionType, Layer, LogGroup, Rule, Schedule, Subscription, Target, Topic};
pub use role::{Role, Statement};
pub use settings::Settings;
pub use template::{OtherResource, Output, Template, parameter_names, parse_template, read_template};
