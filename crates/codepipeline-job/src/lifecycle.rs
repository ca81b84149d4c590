//! From an event to its answer.

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;
use tokio::task::{AbortHandle, JoinError};
use tracing::Instrument as _;

use crate::answer::PendingAnswer;
use crate::attendant::{Attendance, Attendant, StartedJob};
use crate::aws::Aws;
use crate::context::JobContext;
use crate::delivery::{Delivery, DeliveryError};
use crate::event::{JobId, NoJobId};
use crate::failure::Failure;
use crate::guard::Watched;
use crate::job::Job;
use crate::outcome::Outcome;
use crate::text;
use crate::time::{Schedule, milliseconds};

const MAX_PANIC_MESSAGE: usize = 1000;

/// Handles one job. Every `async fn(Job, JobContext) -> Result<Outcome, Failure>` is a handler.
pub trait Handler: Send + Sync + 'static {
    /// Does the job.
    ///
    /// # Errors
    ///
    /// The failure that is reported to CodePipeline.
    fn handle(&self, job: Job, context: JobContext) -> impl Future<Output = Result<Outcome, Failure>> + Send;
}

impl<F, Fut, O, E> Handler for F
where
    F: Fn(Job, JobContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<O, E>> + Send,
    O: Into<Outcome>,
    E: Into<Failure>,
{
    async fn handle(&self, job: Job, context: JobContext) -> Result<Outcome, Failure> {
        self(job, context).await.map(Into::into).map_err(Into::into)
    }
}

/// Runs a Lambda function that handles jobs, with the AWS configuration of its environment.
///
/// # Errors
///
/// When the Lambda runtime API cannot be used any more. What happens to a job never ends the function.
///
/// # Panics
///
/// When the environment variables of AWS Lambda are missing.
pub async fn run<H: Handler>(handler: H) -> Result<(), lambda_runtime::Error> {
    Lifecycle::new().run(handler).await
}

/// How jobs are accepted and answered. [`run`] is all that most functions need.
///
/// One value serves the whole process: it holds the AWS configuration and connections, which it makes at the first job.
#[derive(Clone)]
pub struct Lifecycle {
    pub(crate) aws: Aws,
    margin: Option<Duration>,
    attendant: Option<Arc<dyn Attendant>>,
}

/// What became of an invocation: the function's response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// The job.
    pub job_id: JobId,
    /// What became of its answer.
    pub outcome: Delivery,
}

/// A job that may be worked on, or one that is settled already.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one value lives for the length of one invocation")]
pub enum Accepted {
    /// The job and the answer that it waits for.
    Open(Job, JobContext, PendingAnswer),
    /// The job's data were broken, and that was reported.
    Settled(Report),
}

/// The invocation fails: no job was answered. AWS Lambda will try again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvocationError {
    /// There is no job that could be answered.
    #[error("failed to {0}")]
    NoJobId(#[from] NoJobId),
    /// The answer did not reach CodePipeline.
    #[error("failed to {0}")]
    NotAnswered(#[from] DeliveryError),
}

impl From<InvocationError> for Diagnostic {
    fn from(error: InvocationError) -> Self {
        let error_type = match error {
            InvocationError::NoJobId(_) => "CodePipelineJob.NoJobId",
            InvocationError::NotAnswered(_) => "CodePipelineJob.NotAnswered",
        };
        Self { error_type: error_type.to_owned(), error_message: error.to_string() }
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self::new()
    }
}

impl Lifecycle {
    /// A lifecycle with the AWS configuration of the environment, `AWS_ENDPOINT_URL_CODEPIPELINE` included.
    #[must_use]
    pub fn new() -> Self {
        Self { aws: Aws::from_environment(), margin: None, attendant: None }
    }

    /// Loads the AWS configuration in another way.
    ///
    /// `load` is called at the first job, and again by a deadline guard that has to answer. Each call must make an
    /// HTTP client of its own, or none at all: the guard must not share connections with a handler that blocks them.
    #[must_use]
    pub fn sdk_config<F, Fut>(mut self, load: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = SdkConfig> + Send + 'static,
    {
        self.aws = Aws::new(Arc::new(move || Box::pin(load())));
        self
    }

    /// How long before the deadline a job is failed when its handler has not returned.
    ///
    /// Without it, a tenth of the function's time, at least 700 ms and at most 3 s. Never more than half of the time.
    #[must_use]
    pub fn answer_margin(mut self, margin: Duration) -> Self {
        self.margin = Some(margin);
        self
    }

    /// Has somebody attend every job that [`run`](Self::run) and [`handle`](Self::handle) take.
    #[must_use]
    pub fn attendant(mut self, attendant: impl Attendant) -> Self {
        self.attendant = Some(Arc::new(attendant));
        self
    }

    /// Runs a Lambda function that handles jobs.
    ///
    /// # Errors
    ///
    /// When the Lambda runtime API cannot be used any more. What happens to a job never ends the function.
    ///
    /// # Panics
    ///
    /// When the environment variables of AWS Lambda are missing.
    pub async fn run<H: Handler>(self, handler: H) -> Result<(), lambda_runtime::Error> {
        let handler = Arc::new(handler);
        let service = service_fn(move |event: LambdaEvent<Value>| {
            let (lifecycle, handler) = (self.clone(), Arc::clone(&handler));
            Box::pin(async move { lifecycle.handle(&handler, event.payload, event.context).await })
        });
        Box::pin(lambda_runtime::run(service)).await
    }

    /// Handles one event from its beginning to its answer.
    ///
    /// The handler runs in a task of its own, so that its panic is caught and it cannot stop this future on a runtime
    /// with several threads.
    ///
    /// # Errors
    ///
    /// When no job was answered. A failed job that was answered is no error: AWS Lambda would try it again.
    pub async fn handle<H: Handler>(
        &self,
        handler: &Arc<H>,
        event: Value,
        context: Context,
    ) -> Result<Report, InvocationError> {
        let mut pending = match self.open(&event, &context).await? {
            Ok(pending) => pending,
            Err(report) => return Ok(report),
        };
        let job_id = pending.job_id().clone();
        let attendance = self.attend(&job_id, &event, &context, &pending);
        let work = {
            let (aws, watched, handler) = (self.aws.clone(), pending.watched().clone(), Arc::clone(handler));
            Box::pin(async move {
                let job = Job::with_id(watched.job.clone(), &event)?;
                let config = aws.config().await.clone();
                let context = JobContext::scheduled(watched.run, watched.schedule, config, &context);
                handle_in_task(handler, job, context, aws).await
            })
        };
        // The work is dropped, and its task aborted, as soon as the guard has taken over.
        let result = tokio::select! {
            biased;
            () = pending.taken_over() => None,
            result = work => Some(result),
        };
        let outcome = match result {
            Some(result) => Box::pin(pending.finish(result)).await?,
            None => pending.guards_result().await?,
        };
        if let Some(attendance) = attendance {
            attendance.answered().await;
        }
        Ok(Report { job_id, outcome })
    }

    fn attend(
        &self,
        job: &JobId,
        event: &Value,
        context: &Context,
        pending: &PendingAnswer,
    ) -> Option<Box<dyn Attendance>> {
        let attendant = self.attendant.as_ref()?;
        let deadline = pending.watched().schedule.total();
        let started = StartedJob::new(job, event, &context.request_id, deadline, self.aws.clone());
        attendant.started(&started)
    }

    /// Accepts a job for somebody who wants to answer it by hand.
    ///
    /// # Errors
    ///
    /// When there is no job, or its broken data could not be reported.
    pub async fn accept(&self, event: &Value, context: &Context) -> Result<Accepted, InvocationError> {
        let pending = match self.open(event, context).await? {
            Ok(pending) => pending,
            Err(report) => return Ok(Accepted::Settled(report)),
        };
        let watched = pending.watched().clone();
        match Job::with_id(watched.job.clone(), event) {
            Ok(job) => {
                let config = self.aws.config().await.clone();
                let context = JobContext::scheduled(watched.run, watched.schedule, config, context);
                Ok(Accepted::Open(job, context, pending))
            }
            Err(error) => {
                let outcome = pending.fail(error.into()).await?;
                Ok(Accepted::Settled(Report { job_id: watched.job, outcome }))
            }
        }
    }

    /// Finds the job and sets its guard; a report when that was not possible and the job has been failed.
    async fn open(&self, event: &Value, context: &Context) -> Result<Result<PendingAnswer, Report>, InvocationError> {
        let schedule = Schedule::new(context.deadline, self.margin);
        let job = JobId::find(event).inspect_err(|error| {
            tracing::error!(request_id = context.request_id, "failed to {error}");
        })?;
        tracing::info!(
            job_id = %job,
            request_id = context.request_id,
            time_ms = schedule.total().map(milliseconds),
            "job started",
        );
        let job_id = job.clone();
        let run = context.request_id.clone();
        match PendingAnswer::new(Watched { job, run, schedule, aws: self.aws.clone() }).await {
            Ok(pending) => Ok(Ok(pending)),
            Err(failed) => Ok(Err(Report { job_id, outcome: failed? })),
        }
    }
}

/// Runs the handler in a task of its own, which ends with this future.
///
/// While it waits for somebody for the first time, the client is made that its answer will need.
async fn handle_in_task<H: Handler>(
    handler: Arc<H>,
    job: Job,
    context: JobContext,
    aws: Aws,
) -> Result<Outcome, Failure> {
    let handling = async move { handler.handle(job, context).await };
    let task = tokio::spawn(handling.in_current_span());
    let _abort = AbortOnDrop(task.abort_handle());
    tokio::spawn(async move {
        aws.codepipeline().await;
    });
    task.await.unwrap_or_else(|error| Err(failure_of(error)))
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn failure_of(error: JoinError) -> Failure {
    match error.try_into_panic() {
        Ok(panic) => {
            let message = text::cut(panic_message(panic.as_ref()), MAX_PANIC_MESSAGE, "without a message");
            Failure::job_failed(format!("the function panicked: {message}"))
        }
        Err(_) => Failure::job_failed("the function's task was cancelled; this is a bug in it"),
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&'static str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or_default()
}
