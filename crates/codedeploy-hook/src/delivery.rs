//! Bringing the answer to CodeDeploy.

use std::time::{Duration, Instant};

use aws_sdk_codedeploy::Client;
use aws_sdk_codedeploy::error::{DisplayErrorContext, ProvideErrorMetadata as _, SdkError};
use aws_sdk_codedeploy::types::LifecycleEventStatus;
use serde::Serialize;
use thiserror::Error;

use crate::event::Hook;

/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The pause after the first attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Delivery {
    /// `Succeeded`.
    Succeeded,
    /// `Failed`.
    Failed,
    /// The hook had an answer already, which stays.
    AlreadyAnswered,
}

/// The answer did not reach CodeDeploy. Reads after "failed to".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeliveryError {
    /// CodeDeploy does not take it.
    #[error("answer the hook of {deployment}: CodeDeploy refuses it: {reason}")]
    Refused {
        /// The deployment.
        deployment: String,
        /// What CodeDeploy says.
        reason: String,
    },
    /// CodeDeploy did not confirm it in time.
    #[error("answer the hook of {deployment}: CodeDeploy did not confirm it in {attempts} attempts: {reason}")]
    Unavailable {
        /// The deployment.
        deployment: String,
        /// How often it was tried.
        attempts: u32,
        /// The last error.
        reason: String,
    },
}

/// Answers `hook` until it is confirmed or `until` is over.
pub(crate) async fn deliver(
    client: &Client,
    hook: &Hook,
    succeeded: bool,
    until: Instant,
) -> Result<Delivery, DeliveryError> {
    let mut attempts = 0;
    let mut pause = PAUSE;
    let mut reason = "there was no time for an attempt".to_owned();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(DeliveryError::Unavailable { deployment: hook.deployment_id.clone(), attempts, reason });
        }
        attempts += 1;
        match tokio::time::timeout(left.min(ATTEMPT), Box::pin(attempt(client, hook, succeeded))).await {
            Ok(Ok(delivery)) => return Ok(delivery),
            Ok(Err(Fault::Final(reason))) => {
                return Err(DeliveryError::Refused { deployment: hook.deployment_id.clone(), reason });
            }
            Ok(Err(Fault::Passing(fault))) => reason = fault,
            Err(_) => reason = "no answer came in time".to_owned(),
        }
        tokio::time::sleep(pause.min(until.saturating_duration_since(Instant::now()))).await;
        pause *= 2;
    }
}

enum Fault {
    Passing(String),
    Final(String),
}

async fn attempt(client: &Client, hook: &Hook, succeeded: bool) -> Result<Delivery, Fault> {
    let (status, delivery) = match succeeded {
        true => (LifecycleEventStatus::Succeeded, Delivery::Succeeded),
        false => (LifecycleEventStatus::Failed, Delivery::Failed),
    };
    let sent = client
        .put_lifecycle_event_hook_execution_status()
        .deployment_id(&hook.deployment_id)
        .lifecycle_event_hook_execution_id(&hook.execution_id)
        .status(status)
        .send()
        .await;
    let error = match sent {
        Ok(_) => return Ok(delivery),
        Err(error) => error,
    };
    if error.code() == Some("LifecycleEventAlreadyCompletedException") {
        return Ok(Delivery::AlreadyAnswered);
    }
    let text = match (error.code(), error.message()) {
        (Some(code), message) => format!("{code}: {}", message.unwrap_or_default()),
        _ => DisplayErrorContext(&error).to_string(),
    };
    let status = error.raw_response().map(|response| response.status().as_u16());
    let is_final = matches!(&error, SdkError::ServiceError(_))
        && status.is_some_and(|status| (400..500).contains(&status) && status != 429)
        && !error.code().is_some_and(|code| code.contains("Throttl"));
    Err(if is_final { Fault::Final(text) } else { Fault::Passing(text) })
}
