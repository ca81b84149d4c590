//! A job's data.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use aws_sdk_codepipeline::config::Credentials;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

use crate::event::{JOB_KEY, JobId, NoJobId};
use crate::failure::{Failure, FailureCause, FailureKind};
use crate::reader::{JobDataError, Node};
use crate::token::ContinuationToken;

/// One job: what CodePipeline asks for, and what it gives to do it.
///
/// A Lambda action's job and a custom action's job have the same shape; the latter also has a
/// [`pipeline_context`](Self::pipeline_context).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Job {
    /// The id by which the job is answered.
    pub id: JobId,
    /// The AWS account of the pipeline.
    pub account_id: String,
    /// The configuration of the action, pipeline variables resolved: `FunctionName` and `UserParameters` of a Lambda
    /// action, the action type's own properties of a custom action.
    pub configuration: BTreeMap<String, String>,
    /// The artifacts that the action reads, in the order of the pipeline.
    pub input_artifacts: Vec<Artifact>,
    /// The artifacts that the action writes, in the order of the pipeline.
    pub output_artifacts: Vec<Artifact>,
    /// What an earlier invocation for the same action left with [`Continuation`](crate::Continuation).
    pub continuation_token: Option<ContinuationToken>,
    /// The key for the artifacts that the action writes; none means the AWS managed key for S3.
    pub encryption_key: Option<EncryptionKey>,
    /// Where in which pipeline the job belongs to. CodePipeline sends it for custom actions only.
    pub pipeline_context: Option<PipelineContext>,
    artifact_credentials: Option<ArtifactCredentials>,
}

impl Job {
    /// Reads a job event.
    ///
    /// Fields that AWS may add are ignored.
    ///
    /// # Errors
    ///
    /// When the event is no job, or its data are not as AWS describes them. No message holds a value of the event.
    pub fn from_event(event: &Value) -> Result<Self, EventError> {
        let id = JobId::find(event)?;
        Ok(Self::with_id(id, event)?)
    }

    pub(crate) fn with_id(id: JobId, event: &Value) -> Result<Self, JobDataError> {
        let job = Node::root(event.get(JOB_KEY).unwrap_or(&Value::Null), JOB_KEY);
        let data = job.field("data")?;
        Ok(Self {
            id,
            account_id: job.field("accountId")?.filled_text()?,
            configuration: read_configuration(&data)?,
            input_artifacts: read_artifacts(&data, "inputArtifacts")?,
            output_artifacts: read_artifacts(&data, "outputArtifacts")?,
            continuation_token: optional_text(&data, "continuationToken")?
                .map(|token| ContinuationToken::received(&token)),
            encryption_key: data.optional("encryptionKey")?.map(|key| EncryptionKey::read(&key)).transpose()?,
            pipeline_context: data
                .optional("pipelineContext")?
                .map(|context| PipelineContext::read(&context))
                .transpose()?,
            artifact_credentials: data
                .optional("artifactCredentials")?
                .map(|credentials| ArtifactCredentials::read(&credentials))
                .transpose()?,
        })
    }

    /// The name of the Lambda function that the action names.
    #[must_use]
    pub fn function_name(&self) -> Option<&str> {
        self.configuration.get("FunctionName").map(String::as_str)
    }

    /// The action's `UserParameters`, as they were typed; at most 1000 characters. None when there are none.
    #[must_use]
    pub fn user_parameters(&self) -> Option<&str> {
        self.configuration.get("UserParameters").map(String::as_str).filter(|text| !text.trim().is_empty())
    }

    /// Reads `UserParameters` as JSON.
    ///
    /// # Errors
    ///
    /// A [`FailureKind::ConfigurationError`] when they are absent or do not have the form of `T`.
    pub fn parse_user_parameters<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let text = self
            .user_parameters()
            .ok_or_else(|| Failure::configuration("the action has no UserParameters: add them to its configuration"))?;
        serde_json::from_str(text)
            .map_err(|error| Failure::configuration(format!("failed to read the action's UserParameters: {error}")))
    }

    /// The credentials for this job's artifacts.
    ///
    /// # Errors
    ///
    /// When CodePipeline sent none.
    pub fn artifact_credentials(&self) -> Result<&ArtifactCredentials, NoArtifactCredentials> {
        self.artifact_credentials.as_ref().ok_or(NoArtifactCredentials)
    }

    /// The state that an earlier invocation for the same action left; none on the first invocation.
    ///
    /// # Errors
    ///
    /// When the token cannot be read back.
    pub fn state<T: DeserializeOwned>(&self) -> Result<Option<T>, crate::TokenError> {
        self.continuation_token.as_ref().map(ContinuationToken::decode).transpose()
    }
}

/// Why an event could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EventError {
    /// The event is no job.
    #[error(transparent)]
    NoJobId(#[from] NoJobId),
    /// The job's data are broken.
    #[error(transparent)]
    Data(#[from] JobDataError),
}

/// The job came without credentials for its artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("find artifact credentials in the job: give the action an input or an output artifact")]
pub struct NoArtifactCredentials;

impl FailureCause for NoArtifactCredentials {
    fn failure_kind(&self) -> FailureKind {
        FailureKind::ConfigurationError
    }

    fn failure_message(&self) -> String {
        format!("failed to {self}")
    }
}

/// An artifact and its place in S3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Artifact {
    /// The artifact's name in the pipeline.
    pub name: String,
    /// The revision that the artifact was made from; absent for an artifact that is still to be written.
    pub revision: Option<String>,
    /// The bucket.
    pub bucket: String,
    /// The object's key. It cannot be derived from the names.
    pub key: String,
}

impl Artifact {
    fn read(artifact: &Node<'_>) -> Result<Self, JobDataError> {
        let location = artifact.field("location")?;
        let kind = location.field("type")?;
        if kind.text()? != "S3" {
            return Err(kind.another("`S3`"));
        }
        let place = location.field("s3Location")?;
        Ok(Self {
            name: artifact.field("name")?.filled_text()?,
            revision: optional_text(artifact, "revision")?,
            bucket: place.field("bucketName")?.filled_text()?,
            key: place.field("objectKey")?.filled_text()?,
        })
    }
}

/// The key that encrypts the artifacts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptionKey {
    /// Key id, key ARN or alias ARN.
    pub id: String,
    /// `KMS` is the only type so far.
    pub kind: String,
}

impl EncryptionKey {
    fn read(key: &Node<'_>) -> Result<Self, JobDataError> {
        Ok(Self { id: key.field("id")?.filled_text()?, kind: key.field("type")?.filled_text()? })
    }
}

/// Where the job belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineContext {
    /// The pipeline's name.
    pub pipeline_name: Option<String>,
    /// The pipeline's ARN.
    pub pipeline_arn: Option<String>,
    /// The pipeline execution's id.
    pub pipeline_execution_id: Option<String>,
    /// The stage's name.
    pub stage_name: Option<String>,
    /// The action's name.
    pub action_name: Option<String>,
    /// The action execution's id.
    pub action_execution_id: Option<String>,
}

impl PipelineContext {
    fn read(context: &Node<'_>) -> Result<Self, JobDataError> {
        let stage = context.optional("stage")?;
        let action = context.optional("action")?;
        let within = |node: &Option<Node<'_>>, name| match node {
            Some(node) => optional_text(node, name),
            None => Ok(None),
        };
        Ok(Self {
            pipeline_name: optional_text(context, "pipelineName")?,
            pipeline_arn: optional_text(context, "pipelineArn")?,
            pipeline_execution_id: optional_text(context, "pipelineExecutionId")?,
            stage_name: within(&stage, "name")?,
            action_name: within(&action, "name")?,
            action_execution_id: within(&action, "actionExecutionId")?,
        })
    }
}

/// Short-lived credentials for the artifacts of one job. `Debug` shows none of them, and they cannot be serialised.
#[derive(Clone)]
pub struct ArtifactCredentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: String,
    expiration: Option<SystemTime>,
}

impl ArtifactCredentials {
    fn read(credentials: &Node<'_>) -> Result<Self, JobDataError> {
        let expiration = match credentials.optional("expirationTime")? {
            Some(time) => Some(since_epoch(time.number()?).ok_or_else(|| time.unexpected("milliseconds since 1970"))?),
            None => None,
        };
        Ok(Self {
            access_key_id: credentials.field("accessKeyId")?.filled_text()?,
            secret_access_key: credentials.field("secretAccessKey")?.filled_text()?,
            session_token: credentials.field("sessionToken")?.filled_text()?,
            expiration,
        })
    }

    /// The access key's id.
    #[must_use]
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret key.
    #[must_use]
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    /// The session token.
    #[must_use]
    pub fn session_token(&self) -> &str {
        &self.session_token
    }

    /// When the credentials end, where CodePipeline says so.
    #[must_use]
    pub fn expiration(&self) -> Option<SystemTime> {
        self.expiration
    }

    /// The credentials in the form that every AWS SDK client takes as its `credentials_provider`.
    #[must_use]
    pub fn to_sdk(&self) -> Credentials {
        let token = Some(self.session_token.clone());
        Credentials::new(&self.access_key_id, &self.secret_access_key, token, self.expiration, "CodePipelineJob")
    }
}

impl fmt::Debug for ArtifactCredentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ArtifactCredentials").field("expiration", &self.expiration).finish_non_exhaustive()
    }
}

fn read_configuration(data: &Node<'_>) -> Result<BTreeMap<String, String>, JobDataError> {
    let Some(configuration) = data.field("actionConfiguration")?.optional("configuration")? else {
        return Ok(BTreeMap::new());
    };
    let mut pairs = BTreeMap::new();
    for (name, value) in configuration.fields()? {
        if !value.is_null() {
            pairs.insert(name.to_owned(), value.text()?);
        }
    }
    Ok(pairs)
}

fn read_artifacts(data: &Node<'_>, name: &str) -> Result<Vec<Artifact>, JobDataError> {
    match data.optional(name)? {
        Some(artifacts) => artifacts.items()?.iter().map(Artifact::read).collect(),
        None => Ok(Vec::new()),
    }
}

/// A text that may be absent, null or empty, which all mean the same.
fn optional_text(node: &Node<'_>, name: &str) -> Result<Option<String>, JobDataError> {
    let text = node.optional(name)?.map(|text| text.text()).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn since_epoch(milliseconds: f64) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(milliseconds / 1000.0).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}
