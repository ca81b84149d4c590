//! The desk: everything that a function of it needs, and the record of an approval.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use stagegate_approval::{Approval, ApprovalId, Event, OpenApproval, Reply, step};
use stagegate_channel::{Channels, Secrets, variable};
use stagegate_slack::{ApiUrl, HttpClient, SlackClient};
use stagegate_state_store::{Decision, StateStore, Updated};
use tokio::time::Instant;

use crate::{Clock, DeskError, Pipelines, Settings};

/// Names the bucket.
const BUCKET_VARIABLE: &str = "STAGEGATE_STATE_BUCKET";
/// Names the KMS key of the bucket's objects, where it is not the bucket's default.
const KMS_KEY_VARIABLE: &str = "STAGEGATE_STATE_KMS_KEY";

/// How long one call of AWS may take, with its retries.
const CALL: Duration = Duration::from_secs(15);
/// How long one attempt at it may take.
const ATTEMPT: Duration = Duration::from_secs(5);
/// How long one call of Slack may take, with its pauses.
const SLACK_CALL: Duration = Duration::from_secs(25);
/// How many approvals may be open at the same time.
const MAX_OPEN: usize = 5000;

/// What a function of the desk has. It is made once and kept.
pub struct Desk {
    pub(crate) settings: Settings,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) channels: Channels,
    pub(crate) pipelines: Pipelines,
    pub(crate) http: HttpClient,
    store: Option<StateStore>,
}

/// The record after an event.
pub struct Applied {
    /// The record.
    pub approval: Approval,
    /// What the event did.
    pub reply: Reply,
}

impl Desk {
    /// What the environment says.
    pub fn new(sdk: &SdkConfig) -> Self {
        let patient = TimeoutConfig::builder().operation_timeout(CALL).operation_attempt_timeout(ATTEMPT).build();
        let sdk = sdk.clone().into_builder().timeout_config(patient).retry_config(RetryConfig::standard()).build();
        let store = variable(BUCKET_VARIABLE).map(|bucket| StateStore::new(&sdk, bucket, variable(KMS_KEY_VARIABLE)));
        let secrets = Arc::new(Secrets::new(aws_sdk_ssm::Client::new(&sdk)));
        let http = HttpClient::new();
        Self {
            settings: Settings::default(),
            channels: Channels::new(&sdk, http.clone(), secrets.clone()),
            secrets,
            pipelines: Pipelines::new(aws_sdk_codepipeline::Client::new(&sdk)),
            http,
            store,
        }
    }

    /// What is configured.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The secrets.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// What CodePipeline knows.
    pub fn pipelines(&self) -> &Pipelines {
        &self.pipelines
    }

    /// Connections to Slack.
    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    /// The documents.
    ///
    /// # Errors
    ///
    /// If the function has no state bucket.
    pub fn store(&self) -> Result<&StateStore, DeskError> {
        self.store.as_ref().ok_or_else(|| {
            DeskError::Configuration(format!("keep approvals: the function has no state bucket ({BUCKET_VARIABLE})"))
        })
    }

    /// Slack as the app's bot.
    ///
    /// # Errors
    ///
    /// If there is no bot token.
    pub async fn slack(&self) -> Result<SlackClient, DeskError> {
        let base = ApiUrl::from_environment().map_err(|error| DeskError::Configuration(error.to_string()))?;
        Ok(SlackClient::new(self.http.clone(), base, self.secrets.bot_token().await?))
    }

    /// When a call of Slack that begins now has to be over.
    pub(crate) fn slack_deadline() -> Instant {
        Instant::now() + SLACK_CALL
    }

    /// The record of an approval.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn approval(&self, id: &ApprovalId) -> Result<Option<Approval>, DeskError> {
        Ok(self.store()?.get(&Approval::key(id)).await?.map(|stored| stored.document))
    }

    /// The approvals that are open, in no order.
    ///
    /// # Errors
    ///
    /// If they cannot be listed.
    pub async fn open_ids(&self) -> Result<Vec<ApprovalId>, DeskError> {
        let keys = self.store()?.list(&OpenApproval::folder(), MAX_OPEN).await?;
        Ok(keys.iter().filter_map(|key| key.name()?.parse().ok()).collect())
    }

    /// What is known of an open approval without its record.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub async fn open_approval(&self, id: &ApprovalId) -> Result<Option<OpenApproval>, DeskError> {
        Ok(self.store()?.get(&OpenApproval::key(id)).await?.map(|stored| stored.document))
    }

    /// Takes an approval from those that are open.
    ///
    /// # Errors
    ///
    /// If that cannot be written.
    pub async fn unlist(&self, id: &ApprovalId) -> Result<(), DeskError> {
        Ok(self.store()?.remove(&OpenApproval::key(id)).await?)
    }

    /// Tells the record of an approval what has happened; `None` where there is no such record.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written.
    pub async fn apply(&self, id: &ApprovalId, events: &[Event], clock: &Clock) -> Result<Option<Applied>, DeskError> {
        let mut applied = None;
        let decide = |current: Option<Approval>| {
            let Some(current) = current else {
                applied = None;
                return Decision::Leave;
            };
            let mut approval = current.clone();
            let mut reply = Reply::Nothing;
            for event in events {
                let after = step(&approval, event.clone(), clock.now());
                (approval, reply) = (after.approval, after.reply);
            }
            let decision = if approval == current { Decision::Leave } else { Decision::Write(approval.clone()) };
            applied = Some(Applied { approval, reply });
            decision
        };
        let updated: Updated<Approval> = self.store()?.update(&Approval::key(id), decide).await?;
        drop(updated);
        Ok(applied)
    }
}
