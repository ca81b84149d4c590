//! What a handler knows about its invocation.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use lambda_runtime::Context;

use crate::time::Schedule;

/// The invocation that a job is handled in.
#[derive(Clone, Debug)]
pub struct JobContext {
    request_id: String,
    schedule: Schedule,
    sdk_config: SdkConfig,
    client_context: Arc<HashMap<String, String>>,
}

impl JobContext {
    /// A context without a deadline, to call a handler from a test or a tool.
    #[must_use]
    pub fn new(request_id: impl Into<String>, sdk_config: SdkConfig) -> Self {
        Self::scheduled(request_id.into(), Schedule::new(0, None), sdk_config, &Context::default())
    }

    pub(crate) fn scheduled(request_id: String, schedule: Schedule, sdk_config: SdkConfig, context: &Context) -> Self {
        let custom = context.client_context.as_ref().map(|context| context.custom.clone());
        Self { request_id, schedule, sdk_config, client_context: Arc::new(custom.unwrap_or_default()) }
    }

    /// The Lambda request id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The AWS configuration of the process. Clients made from it share connections and credentials with all others.
    #[must_use]
    pub fn sdk_config(&self) -> &SdkConfig {
        &self.sdk_config
    }

    /// A custom value of the client context, which whoever invokes the function may send along (AWS Lambda guide, Invoke).
    /// CodePipeline sends none.
    #[must_use]
    pub fn client_context(&self, name: &str) -> Option<&str> {
        self.client_context.get(name).map(String::as_str)
    }

    /// When AWS Lambda stops the function; none outside of AWS Lambda.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.schedule.deadline
    }

    /// When the handler must have returned: a margin before the [`deadline`](Self::deadline), at which the job is
    /// failed in its place.
    #[must_use]
    pub fn answer_by(&self) -> Option<Instant> {
        self.schedule.answer_by
    }

    /// The time left to the handler; [`Duration::MAX`] without a deadline.
    ///
    /// A handler that sees its work will not fit returns a [`Continuation`](crate::Continuation) in time.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.answer_by().map_or(Duration::MAX, |answer_by| answer_by.saturating_duration_since(Instant::now()))
    }
}
