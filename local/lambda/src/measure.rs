//! Measures cold starts, so that a function can be compared with a bare one.

use std::time::Duration;

use stagegate_local_clock::Clock;
use thiserror::Error;
use tokio::time::Instant;

use crate::config::FunctionConfig;
use crate::error::{CreateFunctionError, InvokeError};
use crate::host::{HostOptions, LambdaHost};
use crate::invocation::InvocationType;

/// Cold starts of one function, in real time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColdStartStats {
    /// From just before the process was started to its first answer, shortest first.
    pub total: Vec<Duration>,
    /// The part until the runtime asked for an event, shortest first.
    pub init: Vec<Duration>,
    /// The greatest resident set of any run in KiB, where the system tells.
    pub max_memory_kb: Option<u64>,
}

impl ColdStartStats {
    /// The shortest cold start.
    pub fn min(&self) -> Duration {
        self.quantile(0, 1)
    }

    /// The median cold start.
    pub fn median(&self) -> Duration {
        self.quantile(1, 2)
    }

    /// The cold start that nine of ten do not exceed.
    pub fn p90(&self) -> Duration {
        self.quantile(9, 10)
    }

    /// Adds further cold starts of the same function.
    pub fn add(&mut self, more: Self) {
        self.total.extend(more.total);
        self.init.extend(more.init);
        self.total.sort_unstable();
        self.init.sort_unstable();
        self.max_memory_kb = self.max_memory_kb.max(more.max_memory_kb);
    }

    fn quantile(&self, numerator: usize, denominator: usize) -> Duration {
        let last = self.total.len().saturating_sub(1);
        self.total.get(last * numerator / denominator).copied().unwrap_or_default()
    }
}

/// Why a cold start could not be measured.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// The configuration was refused.
    #[error(transparent)]
    Create(#[from] CreateFunctionError),
    /// The function could not be invoked.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    /// The function failed, so its time says nothing.
    #[error("measure the cold start of `{function}`: it failed with {error_type}: {message}\n{log}")]
    Function {
        /// The function's name.
        function: String,
        /// The error's type.
        error_type: String,
        /// The error's message.
        message: String,
        /// The end of its log.
        log: String,
    },
}

/// Starts the function `runs` times, invokes each process once with the payload of its number, from 1, and ends it. One more
/// start before them, number 0, which does not count, fills the file cache.
///
/// # Errors
///
/// If an invocation fails: the time of a failing function says nothing.
pub async fn measure_cold_start(
    config: &FunctionConfig,
    payload: impl Fn(usize) -> String,
    runs: usize,
) -> Result<ColdStartStats, MeasureError> {
    let host = LambdaHost::new(Clock::system(), HostOptions::default());
    let mut stats = ColdStartStats { total: Vec::new(), init: Vec::new(), max_memory_kb: None };
    for run in 0..=runs {
        // A replaced function loses its idle environments, so that each invocation starts cold.
        host.update_function(config.clone())?;
        let started = Instant::now();
        let result = host.invoke(&config.name, payload(run), InvocationType::RequestResponse).await?;
        let total = started.elapsed();
        if let Some(error) = result.function_error {
            host.shutdown().await;
            let (function, log) = (config.name.clone(), result.log_tail);
            return Err(MeasureError::Function { function, error_type: error.error_type, message: error.message, log });
        }
        if run > 0 {
            stats.total.push(total);
            let metrics = result.metrics;
            stats.init.extend(metrics.and_then(|metrics| metrics.init));
            stats.max_memory_kb = stats.max_memory_kb.max(metrics.and_then(|metrics| metrics.max_memory_kb));
        }
    }
    host.shutdown().await;
    stats.total.sort_unstable();
    stats.init.sort_unstable();
    Ok(stats)
}
