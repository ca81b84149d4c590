//! One execution environment: a process, its Runtime API and its log. It serves one invocation at a time and is kept
//! for the next.

use std::path::Path;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::config::{FunctionConfig, LogFormat};
use crate::faults::Blow;
use crate::invocation::FunctionError;
use crate::log::{LogSource, LogStream};
use crate::output::OutputReader;
use crate::process::{Process, describe_exit};
use crate::reaper::Reaper;
use crate::runtime_api::{Event, MAX_RESPONSE_BYTES, RuntimeApi, RuntimeEvent};

/// How often the memory of a running function is looked at.
const MEMORY_INTERVAL: Duration = Duration::from_millis(50);

/// How long to wait for the rest of the output of a process that has ended.
const OUTPUT_GRACE: Duration = Duration::from_millis(500);

/// A started environment. Dropping it kills its process group.
pub(crate) struct Environment {
    process: Process,
    runtime_api: RuntimeApi,
    events: mpsc::UnboundedReceiver<RuntimeEvent>,
    output: [OutputReader; 2],
    log: Arc<LogStream>,
    memory_limit_kb: u64,
    timeout: Duration,
    /// An injected fault that is to come.
    blow: Option<(Instant, Blow)>,
}

/// What a function answered.
pub(crate) type Answer = Result<Bytes, Failure>;

/// A failed invocation or start.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) error: FunctionError,
    pub(crate) payload: Bytes,
    pub(crate) kind: FailureKind,
}

/// What a failure means for the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The handler has answered with an error; the environment lives.
    Handled,
    /// The time is up; the environment is gone.
    TimedOut,
    /// The process has ended or could not start; the environment is gone.
    Ended,
}

/// How an invocation ended.
pub(crate) struct Finished {
    pub(crate) answer: Answer,
    /// Set when the environment did not come back for the next event, whatever it had answered.
    pub(crate) broken: Option<FailureKind>,
}

enum Step {
    Told(RuntimeEvent),
    Failed(Failure),
}

impl Environment {
    /// Starts the function's process. It is not ready yet.
    pub(crate) async fn start(config: &FunctionConfig, log: Arc<LogStream>, reaper: &Reaper) -> std::io::Result<Self> {
        let (runtime_api, events) = RuntimeApi::start().await?;
        let command = command(config, &log, &runtime_api.address().to_string());
        let (process, stdout, stderr) = Process::spawn(command, reaper).map_err(|error| {
            let program = config.command.program.display();
            std::io::Error::new(error.kind(), format!("program {program}: {error}"))
        })?;
        runtime_api.watch(process.pid());
        let output = [
            OutputReader::start(stdout, LogSource::Stdout, Arc::clone(&log)),
            OutputReader::start(stderr, LogSource::Stderr, Arc::clone(&log)),
        ];
        let memory_limit_kb = u64::from(config.memory_mb) * 1024;
        Ok(Self { process, runtime_api, events, output, log, memory_limit_kb, timeout: config.timeout, blow: None })
    }

    pub(crate) fn log(&self) -> &Arc<LogStream> {
        &self.log
    }

    /// Whether the process has ended while nobody used it.
    pub(crate) fn has_exited(&self) -> bool {
        self.process.has_exited()
    }

    /// The peak memory so far in KiB.
    pub(crate) fn peak_memory_kb(&self) -> Option<u64> {
        self.runtime_api.sample_memory()
    }

    /// Waits until the runtime asks for its first event. After a failure the process has ended.
    pub(crate) async fn init(&mut self, request_id: &str, limit: Duration) -> Result<(), Failure> {
        let deadline = Instant::now() + limit;
        loop {
            match self.step(request_id, deadline).await {
                Step::Told(RuntimeEvent::Ready) => return Ok(()),
                Step::Told(RuntimeEvent::InitError { error, payload }) => {
                    self.end_process().await;
                    return Err(Failure { error, payload, kind: FailureKind::Ended });
                }
                Step::Told(_) => {}
                Step::Failed(failure) => return Err(failure),
            }
        }
    }

    /// Ends the process as a fault does, at any time.
    pub(crate) fn crash(&self) {
        self.process.kill();
    }

    /// Hands out an event and waits for the answer, then for the runtime to ask for the next one. A blow strikes the
    /// process if it has not finished by then; one without delay strikes before the event is there.
    pub(crate) async fn invoke(&mut self, event: Event, blow: Option<(Duration, Blow)>) -> Finished {
        let now = Instant::now();
        let (deadline, request_id) = (now + event.timeout, event.request_id.clone());
        self.blow = blow.map(|(after, blow)| (now + after, blow));
        if self.blow.is_some_and(|(at, _)| at <= now)
            && let Some(failure) = self.strike(&request_id)
        {
            self.end_process().await;
            let broken = Some(failure.kind);
            return Finished { answer: Err(failure), broken };
        }
        self.runtime_api.send(event).await;
        let finished = self.finish(&request_id, deadline).await;
        self.blow = None;
        finished
    }

    async fn finish(&mut self, request_id: &str, deadline: Instant) -> Finished {
        let answer = loop {
            match self.step(request_id, deadline).await {
                Step::Told(RuntimeEvent::Response(payload)) => break Ok(payload),
                Step::Told(RuntimeEvent::ResponseTooLarge) => break Err(response_too_large()),
                Step::Told(RuntimeEvent::Error { error, payload } | RuntimeEvent::InitError { error, payload }) => {
                    break Err(Failure { error, payload, kind: FailureKind::Handled });
                }
                Step::Told(RuntimeEvent::Ready) => {}
                Step::Failed(failure) => {
                    let broken = Some(failure.kind);
                    return Finished { answer: Err(failure), broken };
                }
            }
        };
        loop {
            match self.step(request_id, deadline).await {
                Step::Told(RuntimeEvent::Ready) => {
                    self.drain_output().await;
                    return Finished { answer, broken: None };
                }
                Step::Told(_) => {}
                Step::Failed(failure) => return Finished { answer, broken: Some(failure.kind) },
            }
        }
    }

    /// Waits for the next thing to happen. After a failure the process has ended and its output is in the log.
    async fn step(&mut self, request_id: &str, deadline: Instant) -> Step {
        let mut memory = interval(MEMORY_INTERVAL);
        memory.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let failure = loop {
            let blow_at = self.blow.map_or(deadline, |(at, _)| at);
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => match self.exceeds_memory() {
                    false => return Step::Told(event),
                    true => break self.out_of_memory(request_id),
                },
                status = self.process.exited() => break exit_failure(request_id, status),
                () = sleep_until(blow_at), if self.blow.is_some() => {
                    if let Some(failure) = self.strike(request_id) {
                        break failure;
                    }
                }
                () = sleep_until(deadline) => break timeout_failure(request_id, self.timeout),
                _ = memory.tick() => if self.exceeds_memory() {
                    break self.out_of_memory(request_id);
                },
            }
        };
        self.end_process().await;
        Step::Failed(failure)
    }

    /// Carries out the injected fault. What a signal does to the process shows by itself.
    fn strike(&mut self, request_id: &str) -> Option<Failure> {
        let (_, blow) = self.blow.take()?;
        match blow {
            Blow::OutOfMemory => Some(self.out_of_memory(request_id)),
            Blow::Signal(signal) => {
                self.process.signal(signal.to_system());
                None
            }
        }
    }

    fn exceeds_memory(&self) -> bool {
        self.peak_memory_kb().is_some_and(|peak| peak > self.memory_limit_kb)
    }

    fn out_of_memory(&self, request_id: &str) -> Failure {
        let (limit, peak) = (self.memory_limit_kb / 1024, self.peak_memory_kb().unwrap_or_default() / 1024);
        self.log.write(LogSource::Platform, &format!("Memory limit of {limit} MB exceeded: {peak} MB in use"));
        let message = format!("RequestId: {request_id} Error: Runtime exited with error: signal: killed");
        Failure::ended(FunctionError::new("Runtime.OutOfMemory", message))
    }

    async fn end_process(&mut self) {
        self.process.kill();
        self.process.exited().await;
        for reader in &mut self.output {
            reader.finish(OUTPUT_GRACE).await;
        }
    }

    async fn drain_output(&self) {
        for reader in &self.output {
            reader.drain().await;
        }
    }

    /// Asks the process to end, then kills it.
    pub(crate) async fn stop(mut self) {
        self.process.terminate().await;
        for reader in &mut self.output {
            reader.finish(OUTPUT_GRACE).await;
        }
    }
}

impl Failure {
    fn ended(error: FunctionError) -> Self {
        Self { payload: error.payload(), error, kind: FailureKind::Ended }
    }
}

fn exit_failure(request_id: &str, status: ExitStatus) -> Failure {
    let message = format!("RequestId: {request_id} Error: {}", describe_exit(status));
    Failure::ended(FunctionError::new("Runtime.ExitError", message))
}

fn timeout_failure(request_id: &str, timeout: Duration) -> Failure {
    let message = format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", timeout.as_secs_f64());
    let error = FunctionError::new("Sandbox.Timedout", message);
    Failure { payload: error.payload(), error, kind: FailureKind::TimedOut }
}

fn response_too_large() -> Failure {
    let message = format!("Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes).");
    let error = FunctionError::new("Function.ResponseSizeTooLarge", message);
    Failure { payload: error.payload(), error, kind: FailureKind::Handled }
}

/// The bootstrap with Lambda's environment variables (AWS Lambda guide, "Defined runtime environment variables") and
/// nothing of ours: what a function finds here, it finds there.
fn command(config: &FunctionConfig, log: &LogStream, runtime_api: &str) -> Command {
    let program = &config.command.program;
    let folder = program.parent().filter(|folder| !folder.as_os_str().is_empty());
    let task_root = config.command.task_root.as_deref().or(folder).unwrap_or(Path::new("."));
    let credentials = &config.credentials;
    let mut command = Command::new(program);
    command
        .args(&config.command.arguments)
        .current_dir(task_root)
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", &credentials.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key)
        .env("AWS_DEFAULT_REGION", config.region())
        .env("AWS_REGION", config.region())
        .env("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", config.memory_mb.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", &config.name)
        .env("AWS_LAMBDA_FUNCTION_VERSION", &config.version)
        .env("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", &log.group)
        .env("AWS_LAMBDA_LOG_STREAM_NAME", &log.name)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("LAMBDA_RUNTIME_DIR", "/var/runtime")
        .env("LAMBDA_TASK_ROOT", task_root)
        .env("LANG", "en_US.UTF-8")
        .env("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin")
        .env("TZ", ":UTC")
        .env("_HANDLER", &config.handler)
        .envs(&config.environment);
    if !credentials.session_token.is_empty() {
        command.env("AWS_SESSION_TOKEN", &credentials.session_token);
    }
    if config.logging.format == LogFormat::Json {
        let level = config.logging.application_log_level.as_deref().unwrap_or("INFO");
        command.env("AWS_LAMBDA_LOG_FORMAT", "JSON").env("AWS_LAMBDA_LOG_LEVEL", level);
    }
    command
}
