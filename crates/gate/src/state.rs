//! Where verdicts are kept.

use aws_config::SdkConfig;
use codepipeline_job::{Failure, FailureKind};
use stagegate_state_store::{Decision, ErrorKind, Key, Patience, StateError, StateStore};
use stagegate_verdict::{Execution, Verdict};

/// Names the bucket.
pub(crate) const BUCKET_VARIABLE: &str = "STAGEGATE_STATE_BUCKET";
/// Names the KMS key of the bucket's objects, where it is not the bucket's default.
const KMS_KEY_VARIABLE: &str = "STAGEGATE_STATE_KMS_KEY";

/// The place of what is remembered; nothing, where the function has no state bucket.
#[derive(Clone)]
pub struct State(Option<StateStore>);

impl State {
    /// The state bucket that the function's environment names.
    pub fn from_environment(sdk: &SdkConfig) -> Self {
        let client = |_: &String| aws_sdk_s3::Client::new(sdk);
        let bucket = variable(BUCKET_VARIABLE);
        let client = bucket.as_ref().map(client);
        Self(client.zip(bucket).map(|(client, bucket)| StateStore::new(&client, bucket, variable(KMS_KEY_VARIABLE))))
    }

    /// Whether the function's environment names a state bucket.
    pub(crate) fn is_configured() -> bool {
        variable(BUCKET_VARIABLE).is_some()
    }

    /// Sets how often and how long each call tries.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self(self.0.map(|store| store.with_patience(patience)))
    }

    /// The documents, where the function has a state bucket.
    pub fn store(&self) -> Option<&StateStore> {
        self.0.as_ref()
    }

    /// The documents.
    ///
    /// # Errors
    ///
    /// If the function has no state bucket. `purpose` reads after "failed to".
    pub fn require(&self, purpose: &str) -> Result<&StateStore, Failure> {
        self.store().ok_or_else(|| {
            Failure::configuration(format!("failed to {purpose}: the function has no state bucket ({BUCKET_VARIABLE})"))
        })
    }

    /// Keeps a verdict for later gates and for people, where the function has a state bucket and it is known which
    /// execution this is.
    ///
    /// # Errors
    ///
    /// What could not be kept. The verdict stands all the same.
    pub async fn keep(&self, verdict: &Verdict, execution: &Execution) -> Result<(), StateError> {
        if let (Some(store), Some(id)) = (&self.0, &execution.execution) {
            let key = Key::verdict(id, verdict.gate());
            store.update(&key, |_| Decision::Write(verdict.clone())).await?;
        }
        Ok(())
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The failure of a job that needs what could not be read or written.
pub fn failure(error: &StateError) -> Failure {
    let kind = match error.kind() {
        ErrorKind::Permission => FailureKind::PermissionError,
        ErrorKind::Unavailable => FailureKind::SystemUnavailable,
        ErrorKind::Configuration => FailureKind::ConfigurationError,
        ErrorKind::Corrupt | ErrorKind::Limit => FailureKind::JobFailed,
    };
    Failure::new(kind, format!("failed to {error}"))
}
