//! Carries one invocation through an environment and writes the platform's log lines about it.

use std::sync::Arc;
use std::time::Duration;

use stagegate_local_clock::Clock;
use tokio::time::Instant;

use crate::config::FunctionConfig;
use crate::environment::{Answer, Environment, Failure, FailureKind, Finished};
use crate::faults::InvokeFault;
use crate::invocation::{InvocationMetrics, InvokeResult};
use crate::log::{LogSink, LogSource, LogStream};
use crate::reaper::Reaper;
use crate::runtime_api::Event;

/// How long a function may take to start (AWS Lambda guide, "Init phase").
const INIT_LIMIT: Duration = Duration::from_secs(10);

/// What an environment needs to be started.
pub(crate) struct Starter<'a> {
    pub(crate) config: &'a FunctionConfig,
    pub(crate) logs: &'a Arc<dyn LogSink>,
    pub(crate) clock: &'a Clock,
    pub(crate) reaper: &'a Reaper,
    pub(crate) fault: InvokeFault,
}

impl Starter<'_> {
    fn log_stream(&self) -> Arc<LogStream> {
        let (logs, clock) = (Arc::clone(self.logs), self.clock.clone());
        Arc::new(LogStream::new(self.config, logs, clock))
    }

    async fn start(&self, log: Arc<LogStream>) -> std::io::Result<Environment> {
        let environment = Environment::start(self.config, log, self.reaper).await?;
        if self.fault == InvokeFault::CrashAtStart {
            environment.crash();
        }
        Ok(environment)
    }
}

/// One invocation under way. The environment stays here when the invocation is given up, so that it can be ended.
pub(crate) struct Execution {
    /// An idle environment to use, later the one in use; `None` when it is gone.
    pub(crate) environment: Option<Environment>,
}

impl Execution {
    /// Carries out the invocation, with a cold start if there is no environment. After it `environment` is one that
    /// waits for the next event, or `None`.
    ///
    /// # Errors
    ///
    /// Only if no process could be started at all.
    pub(crate) async fn run(&mut self, starter: &Starter<'_>, mut event: Event) -> std::io::Result<InvokeResult> {
        let started = Instant::now();
        if starter.fault == InvokeFault::CrashAtStart {
            self.environment = None;
        }
        let log = match &self.environment {
            Some(environment) => Arc::clone(environment.log()),
            None => starter.log_stream(),
        };
        log.begin();
        let mut init = None;
        let mut suppressed = Duration::ZERO;
        if self.environment.is_none() {
            match self.cold_start(starter, &log, &event).await? {
                Ok(ColdStart::First) => init = Some(started.elapsed()),
                Ok(ColdStart::Again(taken)) => suppressed = taken,
                Err((failure, duration)) => {
                    log.set_request(Some(&event.request_id));
                    log.write(LogSource::Platform, &start_line(&event.request_id, starter.config));
                    let finished = Finished { broken: Some(failure.kind), answer: Err(failure) };
                    return Ok(self.finish(starter, &log, &event, finished, Times { init: None, duration }));
                }
            }
        }
        log.set_request(Some(&event.request_id));
        log.write(LogSource::Platform, &start_line(&event.request_id, starter.config));
        let handed_out = Instant::now();
        event.timeout = event.timeout.saturating_sub(suppressed);
        let finished = match &mut self.environment {
            Some(environment) => environment.invoke(event.clone(), starter.fault.blow()).await,
            None => return Err(std::io::Error::other("the environment has ended")),
        };
        let duration = suppressed + handed_out.elapsed();
        Ok(self.finish(starter, &log, &event, finished, Times { init, duration }))
    }

    /// Starts an environment. If that fails it is tried once more within the invocation's time, as Lambda does
    /// ("suppressed init").
    async fn cold_start(
        &mut self,
        starter: &Starter<'_>,
        log: &Arc<LogStream>,
        event: &Event,
    ) -> std::io::Result<Result<ColdStart, (Failure, Duration)>> {
        let started = Instant::now();
        let environment = self.environment.insert(starter.start(Arc::clone(log)).await?);
        let Err(failure) = environment.init(&event.request_id, INIT_LIMIT).await else {
            return Ok(Ok(ColdStart::First));
        };
        log.write(LogSource::Platform, &init_report(started.elapsed(), "init", &failure));
        let again = Instant::now();
        let environment = self.environment.insert(starter.start(Arc::clone(log)).await?);
        match environment.init(&event.request_id, event.timeout).await {
            Ok(()) => Ok(Ok(ColdStart::Again(again.elapsed()))),
            Err(failure) => {
                log.write(LogSource::Platform, &init_report(again.elapsed(), "invoke", &failure));
                Ok(Err((failure, again.elapsed())))
            }
        }
    }

    fn finish(
        &mut self,
        starter: &Starter<'_>,
        log: &LogStream,
        event: &Event,
        finished: Finished,
        times: Times,
    ) -> InvokeResult {
        let max_memory_kb = self.environment.as_ref().and_then(Environment::peak_memory_kb);
        if finished.broken.is_some() {
            self.environment = None;
        }
        let billed = times.duration + times.init.unwrap_or_default();
        let billed = Duration::from_millis(u64::try_from(billed.as_micros().div_ceil(1000)).unwrap_or(u64::MAX));
        let metrics = InvocationMetrics { init: times.init, duration: times.duration, billed, max_memory_kb };
        if finished.broken == Some(FailureKind::TimedOut) {
            let seconds = starter.config.timeout.as_secs_f64();
            let (now, id) = (starter.clock.now(), &event.request_id);
            log.write(LogSource::Platform, &format!("{now:.3} {id} Task timed out after {seconds:.2} seconds"));
        }
        log.write(LogSource::Platform, &format!("END RequestId: {}", event.request_id));
        log.write(LogSource::Platform, &report_line(event, &metrics, starter.config, &finished));
        log.set_request(None);
        let (payload, function_error) = match finished.answer {
            Ok(payload) => (payload, None),
            Err(failure) => (failure.payload, Some(failure.error)),
        };
        let request_id = event.request_id.clone();
        let executed_version = starter.config.version.clone();
        let (log_tail, metrics) = (log.take_tail(), Some(metrics));
        InvokeResult { request_id, executed_version, payload, function_error, log_tail, metrics }
    }
}

enum ColdStart {
    /// It worked at once.
    First,
    /// It worked the second time, which took this much of the invocation's time.
    Again(Duration),
}

struct Times {
    init: Option<Duration>,
    duration: Duration,
}

fn start_line(request_id: &str, config: &FunctionConfig) -> String {
    format!("START RequestId: {request_id} Version: {}", config.version)
}

fn status(kind: FailureKind) -> &'static str {
    if kind == FailureKind::TimedOut { "timeout" } else { "error" }
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1000.0)
}

fn init_report(taken: Duration, phase: &str, failure: &Failure) -> String {
    let (taken, status) = (milliseconds(taken), status(failure.kind));
    let error_type = &failure.error.error_type;
    format!("INIT_REPORT Init Duration: {taken}\tPhase: {phase}\tStatus: {status}\tError Type: {error_type}")
}

fn report_line(event: &Event, metrics: &InvocationMetrics, config: &FunctionConfig, finished: &Finished) -> String {
    let mut line = format!(
        "REPORT RequestId: {}\tDuration: {}\tBilled Duration: {} ms\tMemory Size: {} MB",
        event.request_id,
        milliseconds(metrics.duration),
        metrics.billed.as_millis(),
        config.memory_mb
    );
    if let Some(peak) = metrics.max_memory_kb {
        line.push_str(&format!("\tMax Memory Used: {} MB", peak.div_ceil(1024)));
    }
    if let Some(init) = metrics.init {
        line.push_str(&format!("\tInit Duration: {}", milliseconds(init)));
    }
    if let Some(kind) = finished.broken {
        line.push_str(&format!("\tStatus: {}", status(kind)));
        if let Answer::Err(failure) = &finished.answer
            && kind == FailureKind::Ended
        {
            line.push_str(&format!("\tError Type: {}", failure.error.error_type));
        }
    }
    line
}
