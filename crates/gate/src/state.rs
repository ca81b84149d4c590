//! Where verdicts are kept.

use std::sync::{Arc, OnceLock};

use aws_config::SdkConfig;
use codepipeline_job::{Failure, FailureKind};
use stagegate_state_store::{Created, Decision, ErrorKind, Key, Patience, Replaced, StateError, StateStore};
use stagegate_verdict::{Execution, Verdict};

/// Names the bucket.
pub(crate) const BUCKET_VARIABLE: &str = "STAGEGATE_STATE_BUCKET";
/// Names the KMS key of the bucket's objects, where it is not the bucket's default.
const KMS_KEY_VARIABLE: &str = "STAGEGATE_STATE_KMS_KEY";

/// The place of what is remembered; nothing, where the function has no state bucket.
///
/// Its client is made when something is read or written: many jobs do neither.
#[derive(Clone)]
pub struct State(Option<Bucket>);

#[derive(Clone)]
struct Bucket {
    name: String,
    kms_key: Option<String>,
    sdk: SdkConfig,
    patience: Patience,
    store: Arc<OnceLock<StateStore>>,
}

impl State {
    /// The state bucket that the function's environment names.
    pub fn from_environment(sdk: &SdkConfig) -> Self {
        Self(variable(BUCKET_VARIABLE).map(|name| Bucket {
            name,
            kms_key: variable(KMS_KEY_VARIABLE),
            sdk: sdk.clone(),
            patience: Patience::default(),
            store: Arc::default(),
        }))
    }

    /// Whether the function's environment names a state bucket.
    pub(crate) fn is_configured() -> bool {
        variable(BUCKET_VARIABLE).is_some()
    }

    /// Sets how often and how long each call tries.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self(self.0.map(|bucket| Bucket { patience, store: Arc::default(), ..bucket }))
    }

    /// The documents, where the function has a state bucket.
    pub fn store(&self) -> Option<&StateStore> {
        self.0.as_ref().map(Bucket::store)
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
        if let Some(id) = &execution.execution
            && let Some(store) = self.store()
        {
            let key = Key::verdict(id, verdict.gate());
            // Most executions are judged once by each gate: what is there is read only where something is.
            if let Created::AlreadyExists(former) = Box::pin(store.create(&key, verdict)).await?
                && let Replaced::Changed(_) = Box::pin(store.replace(&key, &former.version, verdict)).await?
            {
                Box::pin(store.update(&key, |_| Decision::Write(verdict.clone()))).await?;
            }
        }
        Ok(())
    }
}

impl Bucket {
    fn store(&self) -> &StateStore {
        let make = || StateStore::new(&self.sdk, &self.name, self.kms_key.clone()).with_patience(self.patience);
        self.store.get_or_init(make)
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
