//! What the gate remembers: the verdict of each execution, and the baseline of each pipeline.

use aws_config::SdkConfig;
use codepipeline_job::{Failure, FailureKind};
use stagegate_config::Gate;
use stagegate_state_store::{Decision, Document, ErrorKind, Key, StateError, StateStore};
use stagegate_verdict::{Execution, Outcome};

use crate::{Baseline, Judged};

/// Names the bucket.
const BUCKET_VARIABLE: &str = "STAGEGATE_STATE_BUCKET";
/// Names the KMS key of the bucket's objects, where it is not the bucket's default.
const KMS_KEY_VARIABLE: &str = "STAGEGATE_STATE_KMS_KEY";

impl Document for Baseline {
    const KIND: &'static str = "baseline";
    const VERSION: u32 = 1;
    /// The digests of 250,000 tests and some of their names.
    const MAX_BYTES: usize = 8 << 20;
}

/// The place of what is remembered; nothing, where the function has no state bucket.
pub(crate) struct State(Option<StateStore>);

impl State {
    pub(crate) fn from_environment(sdk: &SdkConfig) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let client = |_: &String| aws_sdk_s3::Client::new(sdk);
        let bucket = variable(BUCKET_VARIABLE);
        let client = bucket.as_ref().map(client);
        Self(client.zip(bucket).map(|(client, bucket)| StateStore::new(&client, bucket, variable(KMS_KEY_VARIABLE))))
    }

    /// The baseline of a pipeline and gate, where the policy compares with one.
    ///
    /// # Errors
    ///
    /// If the policy compares and it cannot be found out what with.
    pub(crate) async fn baseline(
        &self,
        policy: &Gate,
        gate: &str,
        execution: &Execution,
    ) -> Result<Option<Baseline>, Failure> {
        if !policy.compares() {
            return Ok(None);
        }
        let Some(store) = &self.0 else {
            return Err(Failure::configuration(format!(
                "failed to compare with a baseline: the function has no state bucket ({BUCKET_VARIABLE})"
            )));
        };
        let key = Self::baseline_key(gate, execution).ok_or_else(|| {
            Failure::configuration(
                "failed to compare with a baseline: nothing says which pipeline this is; add \"pipeline\" to UserParameters",
            )
        })?;
        let stored = store.get(&key).await.map_err(|error| failure(&error))?;
        Ok(stored.map(|stored| stored.document))
    }

    /// Keeps the verdict for later gates and for people, and the baseline of a verdict that has passed.
    ///
    /// # Errors
    ///
    /// What could not be kept. The verdict stands all the same.
    pub(crate) async fn keep(&self, policy: &Gate, judged: &Judged, execution: &Execution) -> Result<(), StateError> {
        let Some(store) = &self.0 else { return Ok(()) };
        let verdict = &judged.verdict;
        if let Some(id) = &execution.execution {
            let key = Key::verdict(id, verdict.gate());
            store.update(&key, |_| Decision::Write(verdict.clone())).await?;
        }
        let passed = verdict.outcome() == Outcome::Passed && policy.compares();
        if let Some(key) = Self::baseline_key(verdict.gate(), execution).filter(|_| passed) {
            // An execution that took longer must not replace the baseline of a later one.
            let newer = |known: Option<Baseline>| match known {
                Some(known) if known.at > judged.baseline.at => Decision::Leave,
                _ => Decision::Write(judged.baseline.clone()),
            };
            store.update(&key, newer).await?;
        }
        Ok(())
    }

    fn baseline_key(gate: &str, execution: &Execution) -> Option<Key<Baseline>> {
        execution.pipeline.as_deref().map(|pipeline| Key::baseline(pipeline, gate))
    }
}

fn failure(error: &StateError) -> Failure {
    let kind = match error.kind() {
        ErrorKind::Permission => FailureKind::PermissionError,
        ErrorKind::Unavailable => FailureKind::SystemUnavailable,
        ErrorKind::Configuration => FailureKind::ConfigurationError,
        ErrorKind::Corrupt | ErrorKind::Limit => FailureKind::JobFailed,
    };
    Failure::new(kind, format!("failed to {error}"))
}
