//! Who sees a job begin and its answer confirmed, without a part in the work.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use aws_config::SdkConfig;
use serde_json::Value;

use crate::aws::Aws;
use crate::event::JobId;
use crate::job::Job;

/// Attends the jobs of a process. It is called before the work begins, and the work waits for it: whatever takes time
/// belongs on a thread of its own.
pub trait Attendant: Send + Sync + 'static {
    /// A job begins. `None` where nobody needs to know how it ends.
    fn started(&self, job: &StartedJob<'_>) -> Option<Box<dyn Attendance>>;
}

/// One attended job. It is dropped without [`answered`](Self::answered) when the job got no answer.
pub trait Attendance: Send {
    /// CodePipeline has confirmed an answer, or already had one. The invocation ends when this does.
    fn answered(self: Box<Self>) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// A job that begins.
pub struct StartedJob<'a> {
    id: &'a JobId,
    event: &'a Value,
    request_id: &'a str,
    time: Option<Duration>,
    aws: Aws,
}

impl<'a> StartedJob<'a> {
    pub(crate) fn new(id: &'a JobId, event: &'a Value, request_id: &'a str, time: Option<Duration>, aws: Aws) -> Self {
        Self { id, event, request_id, time, aws }
    }

    /// The job's id.
    #[must_use]
    pub fn id(&self) -> &JobId {
        self.id
    }

    /// The job, where its data are not broken.
    #[must_use]
    pub fn job(&self) -> Option<Job> {
        Job::with_id(self.id.clone(), self.event).ok()
    }

    /// The Lambda request id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.request_id
    }

    /// How long the invocation may last; none outside of AWS Lambda.
    #[must_use]
    pub fn time(&self) -> Option<Duration> {
        self.time
    }

    /// Loads an AWS configuration whose connections nobody else uses: on a thread of its own, it works also while the
    /// handler holds the runtime's thread.
    pub fn separate_config(&self) -> impl Future<Output = SdkConfig> + Send + use<> {
        let aws = self.aws.separate();
        async move { aws.config().await.clone() }
    }
}
