//! A local CodePipeline: a deterministic engine, the shell that drives it, and its AWS JSON 1.1 API.
//!
//! * [`engine::Engine`] holds every rule and does no input or output: each call takes the time, and what must happen
//!   outside comes out as [`engine::Effect`]s.
//! * [`CodePipeline`] drives one engine by a clock, carries out its effects and feeds their results back.
//! * [`router`] serves the engine as AWS does; [`CodePipeline::call`] is the same without HTTP.
//!
//! What carries out the actions is given to the [`Builder`]: an [`provider::ActionProvider`] for each action type, a
//! [`LambdaInvoker`] for the functions, [`Alarms`] for CloudWatch, and [`events::Events`] for EventBridge and SNS. The manual approval and the
//! job protocol of the Lambda action and of custom actions are the engine's own.
//!
//! ```no_run
//! # async fn serve(listener: tokio::net::TcpListener) -> std::io::Result<()> {
//! use stagegate_local_clock::Clock;
//! use stagegate_local_codepipeline::{CodePipeline, router};
//!
//! let codepipeline = CodePipeline::builder(Clock::system()).start();
//! axum::serve(listener, router(codepipeline)).await
//! # }
//! ```
//!
//! Third-party actions, webhooks, polled sources and the rule CodeBuild are not supported. A declaration that uses one of
//! them is refused; Git triggers are kept and do nothing.

mod alarms;
mod api;
pub mod aws_json;
pub mod declaration;
pub mod engine;
mod error;
pub mod events;
pub mod faults;
mod ids;
mod lambda;
mod outbox;
pub mod provider;
mod quartz;
mod secret;
mod settings;
mod shell;
mod validation;

pub use alarms::{AlarmError, AlarmState, Alarms};
pub use api::router;
pub use error::ApiError;
pub use ids::{IdSource, RandomIds, SequentialIds};
pub use lambda::{InvokeError, LambdaInvoker};
pub use secret::Secret;
pub use settings::Settings;
pub use shell::{Builder, CodePipeline, OpenApproval};
