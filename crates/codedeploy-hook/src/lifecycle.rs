//! From the event of a hook to its answer.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_config::SdkConfig;
use lambda_runtime::{Context, Diagnostic};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use crate::aws::Aws;
use crate::delivery::{self, Delivery, DeliveryError};
use crate::event::{Hook, NoHook};
use crate::guard::Guard;

/// CodeDeploy waits one hour; a function without a deadline of its own has this long.
const WITHOUT_DEADLINE: Duration = Duration::from_secs(3000);

/// Handles hooks.
pub trait HookHandler: Send + Sync + 'static {
    /// Decides about a deployment. An error fails the hook; its text is logged, since CodeDeploy takes none.
    fn handle(&self, hook: Hook, context: HookContext) -> impl Future<Output = Result<(), String>> + Send;
}

impl<F, Fut> HookHandler for F
where
    F: Fn(Hook, HookContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), String>> + Send,
{
    async fn handle(&self, hook: Hook, context: HookContext) -> Result<(), String> {
        self(hook, context).await
    }
}

/// What a handler knows about its invocation.
#[derive(Clone, Debug)]
pub struct HookContext {
    /// When the handler must have returned; after that, the hook is failed in its place.
    pub answer_by: Instant,
    /// The AWS configuration of the process.
    pub sdk_config: SdkConfig,
}

/// What became of an invocation: the function's response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HookReport {
    /// The deployment.
    pub deployment_id: String,
    /// What became of the answer.
    pub outcome: Delivery,
}

/// No hook was answered. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HookError {
    /// There is no hook that could be answered.
    #[error(transparent)]
    NoHook(#[from] NoHook),
    /// The answer did not reach CodeDeploy.
    #[error(transparent)]
    NotAnswered(#[from] DeliveryError),
}

impl From<HookError> for Diagnostic {
    fn from(error: HookError) -> Self {
        let error_type = match error {
            HookError::NoHook(_) => "CodeDeployHook.NoHook",
            HookError::NotAnswered(_) => "CodeDeployHook.NotAnswered",
        };
        Self { error_type: error_type.to_owned(), error_message: format!("failed to {error}") }
    }
}

/// How hooks are answered. One value serves the whole process.
#[derive(Clone)]
pub struct HookLifecycle {
    aws: Aws,
    margin: Option<Duration>,
}

impl Default for HookLifecycle {
    fn default() -> Self {
        Self::new()
    }
}

impl HookLifecycle {
    /// A lifecycle with the AWS configuration of the environment, `AWS_ENDPOINT_URL_CODEDEPLOY` included.
    #[must_use]
    pub fn new() -> Self {
        Self { aws: Aws::from_environment(), margin: None }
    }

    /// Loads the AWS configuration in another way: at the first hook, and again by a guard that has to answer.
    #[must_use]
    pub fn with_config<F, Fut>(load: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = SdkConfig> + Send + 'static,
    {
        Self { aws: Aws::new(Arc::new(move || Box::pin(load()))), margin: None }
    }

    /// How long before the deadline a hook is failed when its handler has not returned.
    ///
    /// Without it, a tenth of the function's time, at least 700 ms and at most 3 s. Never more than half of the time.
    #[must_use]
    pub fn answer_margin(mut self, margin: Duration) -> Self {
        self.margin = Some(margin);
        self
    }

    /// Handles one event from its beginning to its answer.
    ///
    /// # Errors
    ///
    /// When no hook was answered, so that AWS Lambda may try again. A hook that was failed is no error.
    pub async fn handle<H: HookHandler>(
        &self,
        handler: &Arc<H>,
        event: &Value,
        context: &Context,
    ) -> Result<HookReport, HookError> {
        let hook = Hook::find(event).inspect_err(|error| tracing::error!("failed to {error}"))?;
        let deployment = hook.deployment_id.clone();
        tracing::info!(deployment, request_id = context.request_id, "hook started");
        let (answer_by, last_moment) = schedule(context.deadline, self.margin);
        let guard = Guard::start(hook.clone(), self.aws.clone(), answer_by, last_moment);
        let outcome = match guard {
            Ok(guard) => Box::pin(self.guarded(handler, hook, answer_by, last_moment, guard)).await?,
            Err(error) => {
                tracing::error!(deployment, "failed to start the deadline guard: {error}");
                delivery::deliver(&self.aws.shared().await.1, &hook, false, last_moment).await?
            }
        };
        Ok(HookReport { deployment_id: deployment, outcome })
    }

    /// Fails a hook whose function can no longer answer it. An answer that was given before stands: then this is
    /// [`Delivery::AlreadyAnswered`].
    ///
    /// # Errors
    ///
    /// When the hook has no answer, because CodeDeploy refused it or confirmed none before `until`.
    pub async fn fail_in_place(&self, hook: &Hook, until: Instant) -> Result<Delivery, DeliveryError> {
        delivery::deliver(&self.aws.shared().await.1, hook, false, until).await
    }

    async fn guarded<H: HookHandler>(
        &self,
        handler: &Arc<H>,
        hook: Hook,
        answer_by: Instant,
        last_moment: Instant,
        mut guard: Guard,
    ) -> Result<Delivery, DeliveryError> {
        let deployment = hook.deployment_id.clone();
        let lost = || DeliveryError::Unavailable {
            deployment: deployment.clone(),
            attempts: 0,
            reason: "the deadline guard was lost".to_owned(),
        };
        let (config, client) = self.aws.shared().await;
        let context = HookContext { answer_by, sdk_config: config.clone() };
        let work = {
            let (handler, hook) = (Arc::clone(handler), hook.clone());
            // A task of its own, so that a panic is caught.
            AbortOnDrop(tokio::spawn(async move { handler.handle(hook, context).await }))
        };
        let result = tokio::select! {
            biased;
            () = guard.taken_over() => None,
            result = work => Some(result),
        };
        let Some(result) = result.filter(|_| guard.dismiss()) else {
            return guard.result().await.unwrap_or_else(|| Err(lost()));
        };
        if let Err(reason) = &result {
            tracing::error!(deployment, reason, "the hook fails");
        }
        let sent = delivery::deliver(client, &hook, result.is_ok(), last_moment).await;
        match &sent {
            Ok(outcome) => tracing::info!(deployment, ?outcome, "hook answered"),
            Err(error) => tracing::error!(deployment, "failed to {error}"),
        }
        sent
    }
}

/// A task that ends with whoever waits for it.
struct AbortOnDrop(tokio::task::JoinHandle<Result<(), String>>);

impl Future for AbortOnDrop {
    type Output = Result<(), String>;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context).map(|joined| {
            joined.unwrap_or_else(|error| {
                let panic = error.try_into_panic().ok();
                let text = panic.as_ref().and_then(|panic| {
                    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                });
                Err(format!("the function panicked: {}", text.unwrap_or("without a message")))
            })
        })
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What is less, in milliseconds since 1970, is no time at which a function can run but a length from now on: so `cargo
/// lambda watch`, which hands over 600,000 at each invocation, leaves a function its time.
const LEAST_TIME_MS: u64 = 1_000_000_000_000;

/// When the handler must have returned, and when an answer must be over: the margin before the deadline, and a tenth of a
/// second.
fn schedule(deadline_ms: u64, margin: Option<Duration>) -> (Instant, Instant) {
    let now = Instant::now();
    if deadline_ms == 0 {
        return (now + WITHOUT_DEADLINE, now + WITHOUT_DEADLINE + Duration::from_secs(60));
    }
    let given = Duration::from_millis(deadline_ms);
    let end = SystemTime::UNIX_EPOCH.checked_add(given);
    let left = match deadline_ms < LEAST_TIME_MS {
        true => given,
        false => end.and_then(|end| end.duration_since(SystemTime::now()).ok()).unwrap_or_default(),
    };
    let usual = || (left / 10).clamp(Duration::from_millis(700), Duration::from_secs(3));
    let margin = margin.unwrap_or_else(usual).min(left / 2);
    let last_moment = now + left.saturating_sub(Duration::from_millis(100)).max(Duration::from_millis(700));
    (now + (left - margin), last_moment)
}
