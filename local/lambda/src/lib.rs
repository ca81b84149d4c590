//! A local Lambda. A function is a process of its own that talks to a Lambda Runtime API served here: the same
//! bootstrap, the real `lambda_runtime`, real crashes, real timeouts.
//!
//! [`LambdaHost`] runs functions; [`router`] puts the REST API in front of it; [`FunctionUrl`] serves one function over
//! HTTP; [`measure_cold_start`] compares functions.
//!
//! What differs from AWS: environments are not frozen between invocations, and stay until the function is replaced or
//! the host ends; memory is limited by watching the process every 50 ms (Linux only); there is no network isolation,
//! no `/tmp` of a function's own, and no X-Ray. The time that a function may run is real, however fast the local clock
//! runs.
//!
//! No process is left behind: each function leads a process group that is killed when its environment is dropped, and
//! a small guard process kills what is left if the host itself is killed.

#[cfg(not(unix))]
compile_error!("functions run in POSIX process groups: this crate needs Linux or macOS");

mod config;
mod destination;
mod environment;
mod error;
mod event_queue;
mod execution;
pub mod faults;
mod function_url;
mod host;
mod invocation;
mod log;
mod measure;
mod memory;
mod output;
mod process;
mod reaper;
mod rest;
mod runtime_api;
mod version;

pub use config::{
    DEFAULT_MAX_CONCURRENCY, EventInvokeConfig, FunctionCommand, FunctionConfig, FunctionCredentials, LogFormat,
    LoggingConfig,
};
pub use destination::{
    Condition, DeadLetter, DestinationRecord, DestinationSink, RequestContext, ResponseContext, WarnAboutDestinations,
};
pub use error::{ConfigError, CreateFunctionError, InvokeError};
pub use function_url::{FormBody, FunctionUrl, UrlAuth};
pub use host::{AttemptObserver, HostOptions, LambdaHost, MAX_EVENT_PAYLOAD_BYTES, MAX_SYNC_PAYLOAD_BYTES};
pub use invocation::{FinishedAttempt, FunctionError, InvocationMetrics, InvocationType, InvokeResult, QueuedEvent};
pub use log::{DiscardLogs, LogEvent, LogFiles, LogSink, LogSource};
pub use measure::{ColdStartStats, MeasureError, measure_cold_start};
pub use rest::router;
pub use version::{Alias, LATEST, VersionError};
