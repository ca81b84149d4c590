//! The shell around the engine: the clock that drives it, and the providers, functions and topics that it reaches.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::FutureExt;
use jiff::Timestamp;
use serde_json::Value;
use stagegate_local_clock::Clock;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::alarms::{AlarmError, AlarmState, Alarms};
use crate::declaration::ActionTypes;
use crate::engine::{Effect, Engine, ExecutionStatus, Work};
use crate::error::ApiError;
use crate::events::{Event, Events};
use crate::faults::Faults;
use crate::ids::{IdSource, RandomIds};
use crate::lambda::{InvokeError, LambdaInvoker};
use crate::outbox::{Message, Outbox};
use crate::provider::{ActionFailure, ActionProvider, ActionRequest, Progress};
use crate::secret::Secret;
use crate::settings::Settings;

/// How many events an observer may lag behind before it misses some.
const OBSERVED_EVENTS: usize = 4096;

/// A running local CodePipeline. Cloning gives another handle to the same one; when the last handle is dropped,
/// everything that runs is abandoned as by [`CodePipeline::shutdown`].
#[derive(Clone)]
pub struct CodePipeline {
    handle: Arc<Handle>,
}

/// Ends what runs when the last of the user's handles is gone. The tasks hold only [`Shared`].
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Dropping a set of tasks aborts them.
        drop(self.shared.close());
    }
}

struct Shared {
    engine: Mutex<Engine>,
    clock: Clock,
    providers: Providers,
    lambda: Arc<dyn LambdaInvoker>,
    alarms: Arc<dyn Alarms>,
    faults: Option<Arc<dyn Faults>>,
    messages: mpsc::UnboundedSender<Message>,
    observers: broadcast::Sender<Event>,
    /// Wakes the timer task when the earliest timer may have changed.
    timers_changed: Notify,
    /// Nothing after the shutdown.
    tasks: Mutex<Option<JoinSet<()>>>,
    closed: watch::Sender<bool>,
    /// The tasks of running provider actions by action execution id.
    running: Mutex<HashMap<String, AbortHandle>>,
}

type Providers = HashMap<(String, String), Arc<dyn ActionProvider>>;

/// Puts a [`CodePipeline`] together.
pub struct Builder {
    clock: Clock,
    settings: Settings,
    ids: Box<dyn IdSource>,
    providers: Providers,
    lambda: Arc<dyn LambdaInvoker>,
    alarms: Arc<dyn Alarms>,
    events: Arc<dyn Events>,
    faults: Option<Arc<dyn Faults>>,
}

impl Builder {
    /// Takes other settings than the default ones.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Takes ids from another source than the system's random one.
    #[must_use]
    pub fn ids(mut self, ids: impl IdSource + 'static) -> Self {
        self.ids = Box::new(ids);
        self
    }

    /// Lets `provider` run the actions of the type `category`/AWS/`name`/1, for example `Build` and `CodeBuild`.
    #[must_use]
    pub fn provider(mut self, category: &str, name: &str, provider: Arc<dyn ActionProvider>) -> Self {
        self.providers.insert((category.to_owned(), name.to_owned()), provider);
        self
    }

    /// Invokes functions through `lambda`. Without it there is no function.
    #[must_use]
    pub fn lambda(mut self, lambda: Arc<dyn LambdaInvoker>) -> Self {
        self.lambda = lambda;
        self
    }

    /// Asks `alarms` for the states of alarms. Without it rules of the type CloudWatchAlarm fail.
    #[must_use]
    pub fn alarms(mut self, alarms: Arc<dyn Alarms>) -> Self {
        self.alarms = alarms;
        self
    }

    /// Sends events and approval messages to `events`. Without it events go nowhere and there is no topic.
    #[must_use]
    pub fn events(mut self, events: Arc<dyn Events>) -> Self {
        self.events = events;
        self
    }

    /// Lets `faults` spoil calls at the endpoint of [`crate::router`] and events on their way to EventBridge. For tests.
    #[must_use]
    pub fn faults(mut self, faults: Arc<dyn Faults>) -> Self {
        self.faults = Some(faults);
        self
    }

    /// Starts the local CodePipeline.
    ///
    /// # Panics
    ///
    /// Outside of a Tokio runtime.
    pub fn start(self) -> CodePipeline {
        let types = self.providers.keys().map(|(category, name)| (category.as_str(), name.as_str()));
        let engine = Engine::new(self.settings, ActionTypes::with_providers(types), self.ids);
        let (messages, inbox) = mpsc::unbounded_channel();
        let (observers, _) = broadcast::channel(OBSERVED_EVENTS);
        let shared = Arc::new(Shared {
            engine: Mutex::new(engine),
            clock: self.clock,
            providers: self.providers,
            lambda: self.lambda,
            alarms: self.alarms,
            faults: self.faults,
            messages,
            observers,
            timers_changed: Notify::new(),
            tasks: Mutex::new(Some(JoinSet::new())),
            closed: watch::Sender::new(false),
            running: Mutex::default(),
        });
        shared.spawn(drive_timers(Arc::clone(&shared)));
        let outbox = Outbox { events: self.events, faults: shared.faults.clone(), clock: shared.clock.clone() };
        let refused = {
            let shared = Arc::clone(&shared);
            move |id: &str, why: &str| shared.with_engine(|engine, now| engine.notification_refused(now, id, why))
        };
        shared.spawn(outbox.send(inbox, refused));
        CodePipeline { handle: Arc::new(Handle { shared }) }
    }
}

impl CodePipeline {
    /// A builder for a local CodePipeline that goes by `clock`.
    pub fn builder(clock: Clock) -> Builder {
        Builder {
            clock,
            settings: Settings::default(),
            ids: Box::new(RandomIds),
            providers: Providers::new(),
            lambda: Arc::new(Nothing),
            alarms: Arc::new(Nothing),
            events: Arc::new(Nothing),
            faults: None,
        }
    }

    /// Carries out an API operation, for example `GetPipelineState`, with its input and output as in AWS JSON 1.1.
    ///
    /// # Errors
    ///
    /// The exceptions of the AWS model for the operation; `UnknownOperationException` for an operation that this
    /// local CodePipeline does not have.
    pub async fn call(&self, operation: &str, input: Value) -> Result<Value, ApiError> {
        self.handle.shared.with_engine(|engine, now| engine.call(now, operation, input))
    }

    /// What spoils calls at the endpoint, if anything.
    pub(crate) fn faults(&self) -> Option<Arc<dyn Faults>> {
        self.handle.shared.faults.clone()
    }

    /// Everything that happens from now on. A receiver that lags by more than 4096 events misses the oldest.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.handle.shared.observers.subscribe()
    }

    /// The secret access key that belongs to the artifact credentials of a job, as long as the job is in progress.
    /// The local S3 verifies signatures with it and answers 403 without.
    pub fn secret_key(&self, access_key_id: &str) -> Option<String> {
        self.handle.shared.with_engine(|engine, _| {
            engine
                .artifact_credentials(access_key_id)
                .map(|credentials| credentials.secret_access_key.expose().to_owned())
        })
    }

    /// The status of an execution, or nothing where there is no such execution.
    pub fn execution_status(&self, pipeline: &str, pipeline_execution_id: &str) -> Option<ExecutionStatus> {
        self.handle.shared.with_engine(|engine, _| {
            let (_, execution) = engine.pipelines().get(pipeline)?.execution(pipeline_execution_id)?;
            Some(execution.status)
        })
    }

    /// Waits until an execution has ended and gives its status; nothing where there is no such execution, where its
    /// pipeline was deleted, or after a shutdown.
    pub async fn wait_for_execution(&self, pipeline: &str, pipeline_execution_id: &str) -> Option<ExecutionStatus> {
        // Subscribed before the look, so that no change between the two is lost.
        let mut events = self.subscribe();
        let mut closed = self.handle.shared.closed.subscribe();
        loop {
            let status = self.execution_status(pipeline, pipeline_execution_id)?;
            if status.is_final() {
                return Some(status);
            }
            tokio::select! {
                _ = events.recv() => {}
                _ = closed.wait_for(|closed| *closed) => return None,
            }
        }
    }

    /// The manual approvals that wait for an answer, the oldest first.
    pub fn open_approvals(&self) -> Vec<OpenApproval> {
        self.handle.shared.with_engine(|engine, _| open_approvals(engine))
    }

    /// Abandons everything that runs, and returns when nothing runs any more. Executions stay as they are; operations
    /// still answer, but nothing that they start is carried out.
    pub async fn shutdown(&self) {
        if let Some(mut tasks) = self.handle.shared.close() {
            tasks.shutdown().await;
        }
    }
}

/// A manual approval that waits for an answer.
#[derive(Clone, Debug)]
pub struct OpenApproval {
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline execution's id.
    pub pipeline_execution_id: String,
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The token that PutApprovalResult wants.
    pub token: Secret,
    /// When the approval fails for want of an answer.
    pub expires: Timestamp,
    /// The text that the pipeline gives to the approver.
    pub custom_data: Option<String>,
    /// The link that the pipeline gives to the approver.
    pub external_entity_link: Option<String>,
}

fn open_approvals(engine: &Engine) -> Vec<OpenApproval> {
    let mut open = Vec::new();
    for (name, pipeline) in engine.pipelines() {
        for execution in &pipeline.executions {
            for action in &execution.actions {
                let (Work::Approval { expires }, Some(token)) = (&action.work, &action.approval_token) else {
                    continue;
                };
                let setting = |key: &str| action.configuration.get(key).cloned();
                let approval = OpenApproval {
                    pipeline: name.clone(),
                    pipeline_execution_id: execution.id.clone(),
                    stage: execution.declaration.stages[action.stage].name.clone(),
                    action: action.name.clone(),
                    token: token.clone(),
                    expires: *expires,
                    custom_data: setting("CustomData"),
                    external_entity_link: setting("ExternalEntityLink"),
                };
                open.push((action.sequence, approval));
            }
        }
    }
    open.sort_by_key(|(sequence, _)| *sequence);
    open.into_iter().map(|(_, approval)| approval).collect()
}

impl Shared {
    /// Runs `work` on the engine at the time now, after everything that is due, and carries out what comes out of it.
    fn with_engine<T>(self: &Arc<Self>, work: impl FnOnce(&mut Engine, Timestamp) -> T) -> T {
        // A panic in the engine is a bug that its caller sees; the others still get their answers.
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        engine.tick(now);
        let result = work(&mut engine, now);
        // Effects are handed on under the lock, so that they leave in the engine's order. None of them waits.
        while let Some(effect) = engine.next_effect() {
            self.carry_out(effect);
        }
        drop(engine);
        self.timers_changed.notify_one();
        result
    }

    fn carry_out(self: &Arc<Self>, effect: Effect) {
        match effect {
            Effect::StartAction { category, request } => self.start_action(category, request),
            Effect::CancelAction { action_execution_id } => {
                if let Some(task) = self.running().remove(&action_execution_id) {
                    task.abort();
                }
            }
            Effect::InvokeLambda { job_id, function_name, payload } => {
                let shared = Arc::clone(self);
                self.spawn(async move {
                    if let Err(error) = shared.lambda.invoke_async(&function_name, payload).await {
                        tracing::warn!(function = function_name, job = job_id, %error, "a function was not invoked");
                        shared.with_engine(|engine, now| engine.lambda_refused(now, &job_id, &error));
                    }
                });
            }
            Effect::PublishApproval { action_execution_id, topic_arn, subject, message } => {
                self.send(Message::Approval { action_execution_id, topic_arn, subject, message });
            }
            Effect::CheckAlarm { rule_execution_id, alarm_name } => {
                let shared = Arc::clone(self);
                self.spawn(async move {
                    let state = shared.alarms.state(&alarm_name).await;
                    shared.with_engine(|engine, now| engine.alarm_checked(now, &rule_execution_id, state));
                });
            }
            Effect::Emit(event) => {
                if let Some(message) = event.to_eventbridge() {
                    self.send(Message::Event(message));
                }
                // Nobody may be watching.
                let _ = self.observers.send(event);
            }
        }
    }

    fn start_action(self: &Arc<Self>, category: String, request: ActionRequest) {
        let id = request.action_execution_id.clone();
        let shared = Arc::clone(self);
        let progress = Progress::new({
            let (shared, id) = (Arc::downgrade(self), id.clone());
            move |update| {
                let Some(shared) = shared.upgrade() else { return };
                shared.with_engine(|engine, now| engine.action_progressed(now, &id, update));
            }
        });
        let provider = self.providers.get(&(category.clone(), request.provider.clone())).cloned();
        let task = self.spawn({
            let id = id.clone();
            async move {
                let result = match provider {
                    Some(provider) => {
                        let run = AssertUnwindSafe(provider.run(request, progress)).catch_unwind();
                        run.await.unwrap_or_else(|_| {
                            let message = "the local provider of the action panicked; this is a bug in the provider";
                            Err(ActionFailure::new("SystemUnavailable", message))
                        })
                    }
                    None => {
                        let message = format!("no local provider runs {category}/{}", request.provider);
                        Err(ActionFailure::new("ConfigurationError", message))
                    }
                };
                shared.running().remove(&id);
                shared.with_engine(|engine, now| engine.action_finished(now, &id, result));
            }
        });
        if let Some(task) = task {
            // A task that has ended before this line leaves its handle behind; aborting it later does nothing.
            let mut running = self.running();
            running.retain(|_, task| !task.is_finished());
            running.insert(id, task);
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> Option<AbortHandle> {
        let mut tasks = self.tasks();
        let tasks = tasks.as_mut()?;
        while tasks.try_join_next().is_some() {}
        Some(tasks.spawn(task))
    }

    /// Lets nothing start any more and gives back what runs.
    fn close(&self) -> Option<JoinSet<()>> {
        self.closed.send_replace(true);
        self.running().clear();
        self.tasks().take()
    }

    fn send(&self, message: Message) {
        // The receiver is gone only after a shutdown.
        let _ = self.messages.send(message);
    }

    fn tasks(&self) -> MutexGuard<'_, Option<JoinSet<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn drive_timers(shared: Arc<Shared>) {
    loop {
        let next = shared.engine.lock().unwrap_or_else(PoisonError::into_inner).next_timer();
        let due = async {
            match next {
                Some(time) => shared.clock.sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => shared.with_engine(|_, _| ()),
            () = shared.timers_changed.notified() => {}
        }
    }
}

/// No functions, no alarms and no topics.
struct Nothing;

#[async_trait]
impl LambdaInvoker for Nothing {
    async fn invoke_async(&self, function_name: &str, _payload: Value) -> Result<(), InvokeError> {
        Err(InvokeError::FunctionNotFound { name: function_name.to_owned(), known: Vec::new() })
    }
}

#[async_trait]
impl Alarms for Nothing {
    async fn state(&self, _alarm_name: &str) -> Result<AlarmState, AlarmError> {
        Err(AlarmError::NoCloudWatch)
    }
}

#[async_trait]
impl Events for Nothing {
    async fn put_event(&self, _event: Value) {}

    async fn publish(&self, topic_arn: &str, _subject: &str, _message: String) -> Result<(), String> {
        Err(format!("there is no topic {topic_arn}"))
    }
}
