//! What carries out an action: the seam between the engine and CodeBuild, CodeDeploy, a source or an S3 deployment.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

/// Runs the actions of one action type, for example Build/AWS/CodeBuild/1.
///
/// The engine drops the future when the action is abandoned or the local AWS ends: a provider must leave no process
/// and no half-written target behind when that happens.
#[async_trait]
pub trait ActionProvider: Send + Sync {
    /// Carries out one action to its end.
    ///
    /// # Errors
    ///
    /// Whatever makes the action `Failed`; code and message are shown in `errorDetails` of the action execution.
    async fn run(&self, request: ActionRequest, progress: Progress) -> Result<ActionSuccess, ActionFailure>;
}

/// One action execution, with its configuration resolved.
#[derive(Clone, Debug)]
pub struct ActionRequest {
    /// The pipeline's name.
    pub pipeline: String,
    /// The pipeline execution's id.
    pub pipeline_execution_id: String,
    /// The stage's name.
    pub stage: String,
    /// The action's name.
    pub action: String,
    /// The action execution's id.
    pub action_execution_id: String,
    /// The provider's name as in `actionTypeId.provider`.
    pub provider: String,
    /// The Region the action runs in.
    pub region: String,
    /// The action's configuration, variables resolved.
    pub configuration: BTreeMap<String, String>,
    /// The top-level `commands` of the action declaration, variables resolved.
    pub commands: Vec<String>,
    /// Where the input artifacts lie, in the order of the declaration.
    pub input_artifacts: Vec<Artifact>,
    /// Where the provider must put the output artifacts (ZIP files), in the order of the declaration.
    pub output_artifacts: Vec<Artifact>,
    /// For a source action: the revision asked for by `sourceRevisions` of StartPipelineExecution.
    pub requested_revision: Option<String>,
}

/// The place of an artifact in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The artifact's name in the pipeline.
    pub name: String,
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The revision, where known.
    pub revision: Option<String>,
}

/// What a finished action reports.
#[derive(Clone, Debug, Default)]
pub struct ActionSuccess {
    /// The id of the build, deployment, ... in its own service.
    pub external_execution_id: Option<String>,
    /// Where a person can look at it.
    pub external_execution_url: Option<String>,
    /// One line for people.
    pub summary: Option<String>,
    /// The action's output variables.
    pub output_variables: BTreeMap<String, String>,
    /// For a source action: the revision that was taken.
    pub revision: Option<SourceRevision>,
}

/// The revision that a source action took.
#[derive(Clone, Debug)]
pub struct SourceRevision {
    /// Commit id or object version.
    pub id: String,
    /// Commit message or the like.
    pub summary: String,
    /// Where a person can look at it.
    pub url: Option<String>,
}

/// Why an action failed.
#[derive(Clone, Debug)]
pub struct ActionFailure {
    /// `JobFailed`, `ConfigurationError`, `PermissionError`, ...
    pub code: String,
    /// What was wrong, where, and what to do next.
    pub message: String,
    /// The id of the build, deployment, ... in its own service.
    pub external_execution_id: Option<String>,
    /// Where a person can look at it.
    pub external_execution_url: Option<String>,
}

impl ActionFailure {
    /// A failure of the given code that has no execution in another service.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), external_execution_id: None, external_execution_url: None }
    }
}

/// Tells the engine how far a running action is; shown in GetPipelineState.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(ProgressUpdate) + Send + Sync>);

/// One message about a running action. Fields that are `None` keep their last value.
#[derive(Clone, Debug, Default)]
pub struct ProgressUpdate {
    /// The id of the build, deployment, ... in its own service.
    pub external_execution_id: Option<String>,
    /// Where a person can look at it.
    pub external_execution_url: Option<String>,
    /// One line for people.
    pub summary: Option<String>,
    /// 0 to 100.
    pub percent_complete: Option<u8>,
}

impl Progress {
    /// A progress that calls `report` for every update.
    pub fn new(report: impl Fn(ProgressUpdate) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }

    /// Reports an update.
    pub fn report(&self, update: ProgressUpdate) {
        (self.0)(update);
    }
}

/// The artifact store as the action providers use it.
#[async_trait]
pub trait ArtifactBucket: Send + Sync {
    /// Reads a whole object.
    ///
    /// # Errors
    ///
    /// The reason in words, for example that there is no such object.
    async fn get(&self, bucket: &str, key: &str) -> Result<Vec<u8>, String>;

    /// Writes a whole object.
    ///
    /// # Errors
    ///
    /// The reason in words, for example that there is no such bucket.
    async fn put(&self, bucket: &str, key: &str, body: Vec<u8>) -> Result<(), String>;
}
