//! The host of all functions.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use stagegate_local_clock::Clock;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::config::{FunctionConfig, parse_reference};
use crate::destination::{DestinationSink, WarnAboutDestinations};
use crate::environment::Environment;
use crate::error::{CreateFunctionError, InvokeError};
use crate::execution::{Execution, Starter};
use crate::faults::{Attempt, InvokeFault, InvokeFaults};
use crate::invocation::{FinishedAttempt, InvocationType, InvokeResult, QueuedEvent};
use crate::log::{DiscardLogs, LogSink};
use crate::reaper::Reaper;
use crate::runtime_api::Event;
use crate::version::{LATEST, Published};

/// The greatest payload of a synchronous invocation in bytes (AWS Lambda quotas).
pub const MAX_SYNC_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// The greatest payload of an asynchronous invocation in bytes (AWS Lambda quotas).
pub const MAX_EVENT_PAYLOAD_BYTES: usize = 1024 * 1024;

/// How many events may wait or run at the same time in one host.
pub(crate) const MAX_QUEUED_EVENTS: usize = 1000;

/// Is told of finished attempts. It must not block.
pub type AttemptObserver = Arc<dyn Fn(&FinishedAttempt<'_>) + Send + Sync>;

/// Where a host sends what it has to tell.
#[derive(Clone)]
pub struct HostOptions {
    /// Receives the log lines.
    pub logs: Arc<dyn LogSink>,
    /// Receives the records for destinations that are no function of this host.
    pub destinations: Arc<dyn DestinationSink>,
    /// Told of every finished attempt, synchronous or not.
    pub observer: Option<AttemptObserver>,
    /// Whether each attempt tells its function the time of the host's clock, as `custom.now` of the client context. AWS
    /// does no such thing; here a process cannot be told the time once and for all, because the clock may be moved.
    pub tells_time: bool,
    /// Whether each attempt has a trace id, as on AWS. `lambda_runtime` puts it into the environment, where glibc keeps
    /// every one: what grows by that can be told from what grows by the function.
    pub traces: bool,
    /// Spoils attempts. For tests.
    pub faults: Option<Arc<dyn InvokeFaults>>,
}

impl Default for HostOptions {
    /// Keeps no logs, and warns about records that go nowhere.
    fn default() -> Self {
        Self {
            logs: Arc::new(DiscardLogs),
            destinations: Arc::new(WarnAboutDestinations),
            observer: None,
            tells_time: false,
            traces: true,
            faults: None,
        }
    }
}

/// Runs functions as processes. Cloning gives another handle to the same host; when the last handle is dropped, all
/// processes are killed. A sink must not hold a handle, or that never happens.
#[derive(Clone)]
pub struct LambdaHost {
    pub(crate) inner: Arc<Inner>,
    _last: Arc<LastHandle>,
}

struct LastHandle(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) options: HostOptions,
    functions: RwLock<BTreeMap<String, Arc<Function>>>,
    /// By the functions' names.
    published: Mutex<BTreeMap<String, Published>>,
    reaper: Reaper,
    pub(crate) cancelled: CancellationToken,
    pub(crate) tasks: TaskTracker,
    pub(crate) event_slots: Arc<Semaphore>,
}

/// A function with its environments.
pub(crate) struct Function {
    pub(crate) config: FunctionConfig,
    concurrency: Arc<Semaphore>,
    /// The one that was used last is used first, as its memory is the warmest.
    idle: Mutex<Vec<Environment>>,
}

/// An invocation whose caller and payload have been checked.
pub(crate) struct Request {
    pub(crate) request_id: String,
    pub(crate) payload: Bytes,
    pub(crate) client_context: Option<String>,
    /// The version or alias that the caller has named.
    pub(crate) qualifier: Option<String>,
    pub(crate) invocation_type: InvocationType,
    pub(crate) attempt: u32,
}

impl LambdaHost {
    /// A host without functions. `clock` drives retries, event ages and the times in the log; the time that a
    /// function may run is real time.
    pub fn new(clock: Clock, options: HostOptions) -> Self {
        let inner = Arc::new(Inner {
            clock,
            options,
            functions: RwLock::default(),
            published: Mutex::default(),
            reaper: Reaper::default(),
            cancelled: CancellationToken::new(),
            tasks: TaskTracker::new(),
            event_slots: Arc::new(Semaphore::new(MAX_QUEUED_EVENTS)),
        });
        Self { _last: Arc::new(LastHandle(Arc::clone(&inner))), inner }
    }

    /// Adds a function. Nothing is started until it is invoked.
    ///
    /// # Errors
    ///
    /// If the configuration is not one that Lambda would take, or there is a function of this name.
    pub fn create_function(&self, config: FunctionConfig) -> Result<(), CreateFunctionError> {
        self.put(config, false)
    }

    /// Adds a function or replaces the configuration of an existing one. Invocations that run keep the old one; idle
    /// environments are ended.
    ///
    /// # Errors
    ///
    /// If the configuration is not one that Lambda would take.
    pub fn update_function(&self, config: FunctionConfig) -> Result<(), CreateFunctionError> {
        self.put(config, true)
    }

    fn put(&self, mut config: FunctionConfig, replace: bool) -> Result<(), CreateFunctionError> {
        // Whatever it was taken from: a published version does not change.
        config.version = LATEST.to_owned();
        config.validate()?;
        let name = config.name.clone();
        let mut functions = self.inner.functions.write().expect("no holder of this lock can panic");
        if self.inner.cancelled.is_cancelled() {
            return Err(CreateFunctionError::ShuttingDown(name));
        }
        if !replace && functions.contains_key(&name) {
            return Err(CreateFunctionError::Exists(name));
        }
        functions.insert(name, Arc::new(Function::new(config)));
        Ok(())
    }

    /// The configuration of a function, by name or ARN, with or without a version or an alias behind it.
    pub fn function(&self, reference: &str) -> Option<FunctionConfig> {
        self.inner.function(reference).map(|function| function.config.clone())
    }

    /// The names of all functions, sorted.
    pub fn function_names(&self) -> Vec<String> {
        self.inner.function_names()
    }

    /// Invokes a function by name or ARN, with or without a version or an alias behind it. An empty payload counts as `{}`. For `RequestResponse` it returns when the
    /// function has answered or failed; if the caller goes away before, the invocation goes on all the same.
    ///
    /// # Errors
    ///
    /// If the invocation was not accepted or could not be carried out; see [`InvokeError`].
    pub async fn invoke(
        &self,
        reference: &str,
        payload: impl Into<Bytes>,
        invocation_type: InvocationType,
    ) -> Result<InvokeResult, InvokeError> {
        self.invoke_with_context(reference, payload, invocation_type, None).await
    }

    /// [`LambdaHost::invoke`] with a client context: a JSON text that the function finds in its context.
    ///
    /// # Errors
    ///
    /// As [`LambdaHost::invoke`].
    pub async fn invoke_with_context(
        &self,
        reference: &str,
        payload: impl Into<Bytes>,
        invocation_type: InvocationType,
        client_context: Option<String>,
    ) -> Result<InvokeResult, InvokeError> {
        self.inner.accept(reference, payload.into(), invocation_type, client_context).await
    }

    /// Queues an event as [`LambdaHost::invoke`] does, and gives the means to wait for its first attempt.
    ///
    /// # Errors
    ///
    /// As [`LambdaHost::invoke`].
    pub fn send_event(&self, reference: &str, payload: impl Into<Bytes>) -> Result<QueuedEvent, InvokeError> {
        let payload = payload.into();
        let (function, request) = self.inner.request(reference, payload, InvocationType::Event, None)?;
        let (done, attempted) = oneshot::channel();
        let accepted = self.inner.enqueue(&function, request, Some(done))?;
        Ok(QueuedEvent { request_id: accepted.request_id, attempted })
    }

    /// Ends all environments: SIGTERM, then SIGKILL. Queued events are dropped. Returns when no process is left.
    pub async fn shutdown(&self) {
        self.inner.cancelled.cancel();
        self.inner.tasks.close();
        let stopping = TaskTracker::new();
        for environment in self.inner.take_idle() {
            stopping.spawn(environment.stop());
        }
        stopping.close();
        stopping.wait().await;
        self.inner.tasks.wait().await;
        // An invocation may have finished and put its environment back while the others were being ended.
        drop(self.inner.take_idle());
    }
}

impl Drop for LastHandle {
    fn drop(&mut self) {
        self.0.cancelled.cancel();
        drop(self.0.take_idle());
    }
}

impl Inner {
    pub(crate) fn function(&self, reference: &str) -> Option<Arc<Function>> {
        let (name, qualifier) = parse_reference(reference)?;
        let function = self.functions.read().expect("no holder of this lock can panic").get(name).cloned()?;
        let is_other_arn = reference.starts_with("arn:") && !reference.starts_with(&function.config.arn);
        if is_other_arn {
            return None;
        }
        match qualifier {
            None | Some(LATEST) => Some(function),
            Some(qualifier) => {
                self.published().get(name)?.resolve(qualifier).map(|version| version.unwrap_or(function))
            }
        }
    }

    fn function_names(&self) -> Vec<String> {
        self.functions.read().expect("no holder of this lock can panic").keys().cloned().collect()
    }

    fn take_idle(&self) -> Vec<Environment> {
        let functions = self.functions.read().expect("no holder of this lock can panic");
        let published = self.published();
        let versions = published.values().flat_map(Published::functions);
        functions.values().chain(versions).flat_map(|function| std::mem::take(&mut *function.idle())).collect()
    }

    pub(crate) fn published(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Published>> {
        self.published.lock().expect("no holder of this lock can panic")
    }

    pub(crate) async fn accept(
        self: &Arc<Self>,
        reference: &str,
        payload: Bytes,
        invocation_type: InvocationType,
        client_context: Option<String>,
    ) -> Result<InvokeResult, InvokeError> {
        let (function, request) = self.request(reference, payload, invocation_type, client_context)?;
        match invocation_type {
            InvocationType::DryRun => Ok(InvokeResult::accepted(request.request_id)),
            InvocationType::Event => self.enqueue(&function, request, None),
            InvocationType::RequestResponse => self.attempt(&function, request).await,
        }
    }

    /// Checks what a caller asks for.
    fn request(
        &self,
        reference: &str,
        payload: Bytes,
        invocation_type: InvocationType,
        client_context: Option<String>,
    ) -> Result<(Arc<Function>, Request), InvokeError> {
        let Some(function) = self.function(reference) else {
            return Err(InvokeError::ResourceNotFound {
                reference: reference.to_owned(),
                known: self.function_names(),
            });
        };
        let name = &function.config.name;
        if self.cancelled.is_cancelled() {
            return Err(InvokeError::ShuttingDown { function: name.clone() });
        }
        let payload = check_payload(name, payload, invocation_type)?;
        let request_id = Uuid::new_v4().to_string();
        let qualifier = parse_reference(reference).and_then(|(_, qualifier)| qualifier).map(str::to_owned);
        let request = Request { request_id, payload, client_context, qualifier, invocation_type, attempt: 1 };
        Ok((function, request))
    }

    /// The client context of an attempt that begins now: what the caller gave, and the time where the host tells it.
    fn client_context(&self, given: Option<String>) -> Option<String> {
        if !self.options.tells_time {
            return given;
        }
        let given = given.and_then(|given| serde_json::from_str(&given).ok());
        let Value::Object(mut context) = given.unwrap_or_else(|| json!({})) else { return None };
        let custom = context.entry("custom").or_insert_with(|| json!({}));
        if let Value::Object(custom) = custom {
            custom.entry("now").or_insert_with(|| self.clock.now().to_string().into());
        }
        Some(Value::Object(context).to_string())
    }

    /// One attempt, in a task of its own, so that it does not depend on who waits for it.
    pub(crate) async fn attempt(
        self: &Arc<Self>,
        function: &Arc<Function>,
        request: Request,
    ) -> Result<InvokeResult, InvokeError> {
        let fault = self.fault(&function.config.name, &request);
        let permit = if fault == InvokeFault::Throttle { Err(function.throttled()) } else { function.permit() }?;
        let (done, result) = oneshot::channel();
        let (inner, owned) = (Arc::clone(self), Arc::clone(function));
        self.tasks.spawn(async move {
            let result = inner.run(&owned, request, permit, fault).await;
            let _ = done.send(result);
        });
        let name = function.config.name.clone();
        result.await.unwrap_or(Err(InvokeError::ShuttingDown { function: name }))
    }

    fn fault(&self, function: &str, request: &Request) -> InvokeFault {
        let Some(faults) = &self.options.faults else { return InvokeFault::None };
        let Request { payload, invocation_type, attempt, .. } = request;
        faults.attempt(&Attempt { function, payload, invocation_type: *invocation_type, attempt: *attempt })
    }

    async fn run(
        &self,
        function: &Arc<Function>,
        request: Request,
        permit: OwnedSemaphorePermit,
        fault: InvokeFault,
    ) -> Result<InvokeResult, InvokeError> {
        let config = &function.config;
        let starter = Starter { config, logs: &self.options.logs, clock: &self.clock, reaper: &self.reaper, fault };
        let event = Event {
            request_id: request.request_id,
            function_arn: request.qualifier.map_or_else(|| config.arn.clone(), |q| format!("{}:{q}", config.arn)),
            payload: request.payload,
            client_context: self.client_context(request.client_context),
            timeout: config.timeout,
            is_traced: self.options.traces,
        };
        let mut execution = Execution { environment: function.take_idle() };
        let result = tokio::select! {
            biased;
            () = self.cancelled.cancelled() => None,
            result = execution.run(&starter, event) => Some(result),
        };
        let Some(result) = result else {
            if let Some(environment) = execution.environment {
                environment.stop().await;
            }
            return Err(InvokeError::ShuttingDown { function: config.name.clone() });
        };
        // A function that has been replaced meanwhile is dropped with its last invocation, and its environments with it.
        if let Some(environment) = execution.environment.filter(|_| !self.cancelled.is_cancelled()) {
            function.idle().push(environment);
        }
        drop(permit);
        let failed =
            |error: std::io::Error| InvokeError::Service { function: config.name.clone(), reason: error.to_string() };
        let result = result.map_err(failed)?;
        if let Some(observer) = &self.options.observer {
            let (invocation_type, attempt) = (request.invocation_type, request.attempt);
            observer(&FinishedAttempt { function: &config.name, invocation_type, attempt, result: &result });
        }
        Ok(result)
    }
}

impl Function {
    pub(crate) fn new(config: FunctionConfig) -> Self {
        let concurrency = Arc::new(Semaphore::new(config.max_concurrency.min(Semaphore::MAX_PERMITS)));
        Self { config, concurrency, idle: Mutex::default() }
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit, InvokeError> {
        Arc::clone(&self.concurrency).try_acquire_owned().map_err(|_| self.throttled())
    }

    fn throttled(&self) -> InvokeError {
        let (function, limit) = (self.config.name.clone(), self.config.max_concurrency);
        InvokeError::TooManyRequests { function, limit, what: "invocations" }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Environment>> {
        self.idle.lock().expect("no holder of this lock can panic")
    }

    fn take_idle(&self) -> Option<Environment> {
        let mut idle = self.idle();
        idle.retain(|environment| !environment.has_exited());
        idle.pop()
    }
}

fn check_payload(function: &str, payload: Bytes, invocation_type: InvocationType) -> Result<Bytes, InvokeError> {
    let limit = match invocation_type {
        InvocationType::Event => MAX_EVENT_PAYLOAD_BYTES,
        InvocationType::RequestResponse | InvocationType::DryRun => MAX_SYNC_PAYLOAD_BYTES,
    };
    if payload.len() > limit {
        return Err(InvokeError::RequestTooLarge { function: function.to_owned(), size: payload.len(), limit });
    }
    if payload.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    match serde_json::from_slice::<IgnoredAny>(&payload) {
        Ok(IgnoredAny) => Ok(payload),
        Err(error) => {
            Err(InvokeError::InvalidRequestContent { function: function.to_owned(), reason: error.to_string() })
        }
    }
}
