//! The AWS configuration and the client that answers.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_codedeploy::Client;
use tokio::sync::OnceCell;

type Loader = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = SdkConfig> + Send>> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Aws {
    loader: Loader,
    shared: Arc<OnceCell<(SdkConfig, Client)>>,
}

impl Aws {
    pub(crate) fn from_environment() -> Self {
        Self::new(Arc::new(|| Box::pin(async { aws_config::defaults(BehaviorVersion::latest()).load().await })))
    }

    pub(crate) fn new(loader: Loader) -> Self {
        Self { loader, shared: Arc::new(OnceCell::new()) }
    }

    /// What the process shares, loaded at the first call.
    pub(crate) async fn shared(&self) -> &(SdkConfig, Client) {
        self.shared.get_or_init(|| self.separate()).await
    }

    /// A configuration and a client of their own, for a thread with a runtime of its own.
    pub(crate) async fn separate(&self) -> (SdkConfig, Client) {
        let config = (self.loader)().await;
        // Answers are tried again here, where it is known for how long.
        let settings = aws_sdk_codedeploy::config::Builder::from(&config).retry_config(RetryConfig::disabled());
        let client = Client::from_conf(settings.build());
        (config, client)
    }
}
