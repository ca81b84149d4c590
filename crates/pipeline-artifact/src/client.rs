//! S3 clients for jobs: one HTTP client for the process, credentials of their own for each job.

use std::fmt;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, IdentityCache};

const ANSWER_BEGINS_WITHIN: Duration = Duration::from_secs(10);

/// Where an artifact lies. `Display` is `s3://bucket/key`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ArtifactLocation {
    /// The bucket of the artifact store.
    pub bucket: String,
    /// The key as the job names it; CodePipeline documents no rule by which it could be derived.
    pub key: String,
}

impl ArtifactLocation {
    /// The object `key` in `bucket`.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self { bucket: bucket.into(), key: key.into() }
    }
}

impl fmt::Display for ArtifactLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// Makes an [`ArtifactStore`] for each job. Build it once per process: connections and TLS roots are shared by all jobs.
#[derive(Debug, Clone)]
pub struct ArtifactClients {
    client: Client,
}

impl ArtifactClients {
    /// A client of the Region, endpoint, timeouts, retries and HTTP client of `sdk`. The credentials of `sdk` are never used.
    /// An endpoint at an IP address is addressed by path, as the SDK's endpoint rules have it. Unless `sdk` sets another
    /// read timeout, S3 has 10 seconds to begin an answer: the SDK itself would wait for ever.
    pub fn new(sdk: &SdkConfig) -> Self {
        let mut timeouts = sdk.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        timeouts = timeouts.take_unset_from(TimeoutConfig::builder().read_timeout(ANSWER_BEGINS_WITHIN));
        let mut sdk = sdk.to_builder().timeout_config(timeouts.build());
        sdk.set_credentials_provider(None);
        // Job credentials are static and short-lived: a cache would only keep those of past jobs in memory.
        let config = Builder::from(&sdk.build()).identity_cache(IdentityCache::no_cache()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Access with the `artifactCredentials` of one job. Requests are signed with SigV4, which KMS-encrypted objects need.
    pub fn for_job(&self, credentials: Credentials) -> ArtifactStore {
        ArtifactStore { client: self.client.clone(), credentials: SharedCredentialsProvider::new(credentials) }
    }
}

/// S3 as one job may use it. `Debug` shows no credentials.
#[derive(Clone)]
pub struct ArtifactStore {
    client: Client,
    credentials: SharedCredentialsProvider,
}

impl ArtifactStore {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// What makes a single call use the job's credentials; the HTTP client stays the shared one.
    pub(crate) fn job_credentials(&self) -> Builder {
        Builder::new().credentials_provider(self.credentials.clone())
    }
}

impl fmt::Debug for ArtifactStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactStore").finish_non_exhaustive()
    }
}
