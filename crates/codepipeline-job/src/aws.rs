//! The AWS configuration and clients of a process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_codepipeline::Client;
use tokio::sync::OnceCell;

/// Loads a configuration. Called once for the process, and once more by each guard that has to answer.
pub(crate) type Loader = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = SdkConfig> + Send>> + Send + Sync>;

/// The way to AWS: shared by all jobs of a process, or made anew for a guard.
#[derive(Clone)]
pub(crate) struct Aws {
    loader: Loader,
    config: Arc<OnceCell<SdkConfig>>,
    codepipeline: Arc<OnceCell<Client>>,
}

impl Aws {
    pub(crate) fn new(loader: Loader) -> Self {
        Self { loader, config: Arc::default(), codepipeline: Arc::default() }
    }

    pub(crate) fn from_environment() -> Self {
        Self::new(Arc::new(|| Box::pin(std::future::ready(stagegate_aws_environment::sdk_config()))))
    }

    /// The configuration that all jobs share.
    pub(crate) async fn config(&self) -> &SdkConfig {
        self.config.get_or_init(|| (self.loader)()).await
    }

    /// The client that delivers the answers of all jobs. Making it takes a twentieth of a cold start.
    pub(crate) async fn codepipeline(&self) -> &Client {
        self.codepipeline.get_or_init(async || client(self.config().await)).await
    }

    /// The same way with connections of its own.
    ///
    /// The shared ones belong to the runtime they were made on. When a handler blocks that runtime's thread, they stand
    /// still as well, so whoever runs elsewhere needs others.
    pub(crate) fn separate(&self) -> Self {
        Self::new(Arc::clone(&self.loader))
    }
}

fn client(config: &SdkConfig) -> Client {
    // Answers are retried by this library, which knows how long it may.
    let settings = aws_sdk_codepipeline::config::Builder::from(config).retry_config(RetryConfig::disabled());
    Client::from_conf(settings.build())
}
