//! The AWS configuration and clients of a process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_sdk_codepipeline::Client;
use tokio::sync::OnceCell;

/// Loads an AWS configuration: once for the process, and once more for each deadline guard that has to answer.
pub(crate) type Loader = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = SdkConfig> + Send>> + Send + Sync>;

/// The AWS configuration of the process and the client that answers jobs, made at the first job.
#[derive(Clone)]
pub(crate) struct Aws {
    loader: Loader,
    shared: Arc<OnceCell<Connected>>,
}

#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) config: SdkConfig,
    pub(crate) codepipeline: Client,
}

impl Aws {
    pub(crate) fn new(loader: Loader) -> Self {
        Self { loader, shared: Arc::new(OnceCell::new()) }
    }

    pub(crate) fn from_environment() -> Self {
        Self::new(Arc::new(|| Box::pin(std::future::ready(stagegate_aws_environment::sdk_config()))))
    }

    /// What the process shares, loaded at the first call.
    pub(crate) async fn shared(&self) -> &Connected {
        self.shared.get_or_init(|| self.load()).await
    }

    /// Connections of their own.
    ///
    /// The shared ones belong to the runtime they were made on. When a handler blocks that runtime's thread, they stand
    /// still as well, so whoever runs elsewhere needs others.
    pub(crate) async fn separate(&self) -> Connected {
        self.load().await
    }

    async fn load(&self) -> Connected {
        let config = (self.loader)().await;
        // Answers are retried by this library, which knows how long it may.
        let settings = aws_sdk_codepipeline::config::Builder::from(&config).retry_config(RetryConfig::disabled());
        Connected { codepipeline: Client::from_conf(settings.build()), config }
    }
}
