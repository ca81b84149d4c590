//! An answer in the place of a function that died.

use std::time::Instant;

use aws_config::SdkConfig;

use crate::delivery::{self, Delivery, DeliveryError};
use crate::event::JobId;
use crate::failure::Failure;
use crate::lifecycle::Lifecycle;
use crate::request::Request;

impl Lifecycle {
    /// Fails a job whose function can no longer answer it. An answer that was given before stands: then this is
    /// [`Delivery::AlreadyAnswered`].
    ///
    /// `run` is the request id of the invocation that died; CodePipeline shows it as the external execution id.
    ///
    /// # Errors
    ///
    /// When the job has no answer: see [`DeliveryError`].
    pub async fn fail_in_place(
        &self,
        job: &JobId,
        failure: &Failure,
        run: &str,
        until: Instant,
    ) -> Result<Delivery, DeliveryError> {
        let client = self.aws.codepipeline().await;
        Box::pin(delivery::deliver(client, job, Request::failure(failure, run), until)).await
    }

    /// The AWS configuration of the process.
    pub async fn shared_config(&self) -> SdkConfig {
        self.aws.config().await.clone()
    }
}
